"""Telling a node's other parts what came onto the ledger, whoever recorded it.

The relay tells of a node's own records; in a consortium most come from elsewhere. `Follower` looks where the log
ends and hands each new entry to the listeners of its kind, in order. It is a hint and not a guarantee: a listener is
called at the start with every entry of its kind if it asked for that, and what must not be missed is read from the
ledger itself.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django import db
from django.conf import settings
from django.db import Error as DatabaseError

from gov_chain.core.errors import GovChainError, trail
from gov_chain.ledger import documents, node
from gov_chain.ledger.core import proposals, records
from gov_chain.ledger.standing import LogRow
from gov_chain.web import live

log = logging.getLogger(__name__)

LOOK = 0.2
"""Seconds between looks: another process may be the one that writes the ledger."""
AT_ONCE = 500
CATCH_UP = 3.0
"""Seconds that this node may be behind the one that tells it of a record."""
LOOK_CLOSELY = 0.02

T = TypeVar("T")

Listener = Callable[[LogRow], None]


@dataclass(frozen=True, slots=True)
class _Interest:
    kinds: frozenset[int]
    listener: Listener
    from_start: bool


_interests: list[_Interest] = []
_told = 0


def announce_growth(size: int) -> None:
    """Tell the screens once that the log now ends at `size`."""
    global _told  # noqa: PLW0603 - what this process's screens were told
    if size != _told:
        _told = size
        live.announce("ledger/all", {"size": size})


def on_entries(kinds: Iterable[str], listener: Listener, *, from_start: bool = False) -> None:
    """Call `listener` for each new entry of these kinds (`records.LOG_KINDS`), in a thread, outside transactions.

    `from_start`: at each start of the process for those already there as well. It must be idempotent.
    """
    numbers = {name: number for number, name in records.LOG_KINDS.items()}
    _interests.append(_Interest(frozenset(numbers[kind] for kind in kinds), listener, from_start))


NAMING = ("genesis", "propose", "type", "matter", "status")
"""Kinds of records that name a document by its digest."""


def want_documents(row: LogRow) -> None:
    """Have what a record names by digest, before anybody asks for it: its maker's node may not answer for ever."""
    for digest in _named(row):
        documents.want(digest)


def _named(row: LogRow) -> list[bytes]:
    values = row.entry.values
    match row.entry.name:
        case "genesis":
            return [agency[5] for agency in values["agencies"]]
        case "propose":
            number, *fields = values["action"]
            named = dict(zip((name for name, _ in proposals.ACTIONS[number].fields), fields, strict=False))
            return [named["profile_digest"]] if "profile_digest" in named else []
        case "status":
            # A list's former versions are of no use to anybody.
            latest = node.ledger().status(values["type"], values["list"])
            return [values["digest"]] if latest is not None and latest.digest == values["digest"] else []
    return [values["digest"]]


def within_reach(found: Callable[[], T | None], *, seconds: float = CATCH_UP) -> T | None:
    """What `found` answers, asked again for a moment while it answers None.

    Nodes of a consortium commit a block within moments of each other: what another node has just seen final may not
    have reached this one. A node on its own is never behind itself, and is asked once.
    """
    deadline = time.monotonic() + (seconds if settings.GOVCHAIN.hosted else 0)
    while (answer := found()) is None and time.monotonic() < deadline:
        threading.Event().wait(LOOK_CLOSELY)
    return answer


def behind(index: int) -> bool:
    """Whether this node, one of several, has not got as far as entry `index`, which another one speaks of."""
    return bool(settings.GOVCHAIN.hosted) and not within_reach(lambda: node.ledger().size > index or None)


class Follower:
    """The serving process's thread."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="ledger-follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        seen: int | None = None
        while not self._stopping.wait(LOOK):
            try:
                size = node.ledger().size
                if seen is None:
                    seen = size
                    _from_start(size)
                elif size > seen:
                    announce_growth(size)
                    seen = _hand_out(seen, size)
                documents.fetch_wanted()
            except (GovChainError, sqlite3.Error, DatabaseError, OSError) as error:
                log.warning("ledger follower: %s; trying again", type(error).__name__)
                db.connection.close()
        db.connection.close()


def _from_start(size: int) -> None:
    reader = node.ledger()
    for interest in _interests:
        if not interest.from_start:
            continue
        for kind in sorted(interest.kinds):
            after = -1
            while rows := [row for row in reader.entries(after, AT_ONCE, kind=kind) if row.index < size]:
                for row in rows:
                    _tell(interest.listener, row)
                after = rows[-1].index


def _hand_out(first: int, end: int) -> int:
    """Entries `first` … `end - 1`, a portion of them; the index after the last one handed out."""
    rows = node.ledger().entries(first - 1, min(AT_ONCE, end - first))
    for row in rows:
        for interest in _interests:
            if row.entry.kind in interest.kinds:
                _tell(interest.listener, row)
    return rows[-1].index + 1 if rows else end


def _tell(listener: Listener, row: LogRow) -> None:
    try:
        listener(row)
    except (GovChainError, sqlite3.Error, DatabaseError, OSError) as error:
        log.warning("ledger follower: entry %s: %s", row.index, trail(error))
