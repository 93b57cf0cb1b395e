"""This process's ledger: where it is, how it is read, and who writes it.

Everything follows `settings.GOVCHAIN`: the store is in `<data>/ledger/`, its checkpoint key is
`<keys>:ledger/checkpoint`, its name `ledger_origin`. A process may read the ledger always, and write it
(`engine`) if no other does.

For tests, give each test its own node by pointing the settings elsewhere, and close it at the end:

    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, data=tmp_path)
    node.found(agencies=[…], accreditations=[(1, 1)])
    node.host(1, signer="local:psb/ledger")
    …
    node.close()

`open_at(path, …)` opens a directory outside the settings (a copy, a bench, a second node). A test that moves the
clock forward by more than five minutes says so with `node.engine().confirm_clock()`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db.models import Max

from gov_chain import keys
from gov_chain.clock import now
from gov_chain.ledger import founding, high_water, store
from gov_chain.ledger.core import note
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.genesis import FoundingAgency, FoundingValidator, Genesis
from gov_chain.ledger.engines.comet import Comet
from gov_chain.ledger.engines.embedded import Clock, Embedded
from gov_chain.ledger.models import NodeKey, OutboxRow
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.witness import asking, rounds
from gov_chain.ledger.witness.asking import WitnessAt
from gov_chain.ledger.witness.kept import Kept

log = logging.getLogger(__name__)

RELAY_LOCK = "relay.lock"


class _Open:
    """What this process has open: a reader and at most one engine, of one directory."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.directory: Path | None = None
        self.reader: Reader | None = None
        self.engine: Embedded | Comet | None = None
        self.held: BinaryIO | None = None
        self.copy: tuple[Path, note.Verifier] | None = None


_open = _Open()


def read_copy(of: Path, key: note.Verifier) -> None:
    """From now on this process's ledger is the copy in `of`, read under `key`; it is never written."""
    close()
    _open.copy = of, key


def directory() -> Path:
    if _open.copy is not None:
        return _open.copy[0]
    return Path(settings.GOVCHAIN.data) / "ledger"


def checkpoint_key() -> str:
    """The URI of the key that signs checkpoints."""
    return f"{settings.GOVCHAIN.keys}:ledger/checkpoint"


def verifier() -> note.Verifier:
    """The key this node's checkpoints are checked against."""
    if _open.copy is not None:
        return _open.copy[1]
    env = settings.GOVCHAIN
    name = f"{env.ledger_origin}/{env.agency}" if env.agency else env.ledger_origin
    return note.Verifier(name, keys.signer(checkpoint_key()).public_key)


def found(
    *,
    agencies: Sequence[FoundingAgency],
    accreditations: Sequence[tuple[int, int]],
    validators: Sequence[FoundingValidator] = (),
) -> bytes:
    """Found this node's ledger, making the checkpoint key; the ledger's id (32 bytes).

    `accreditations` are (agency, certificate type). Raises `LedgerError("ledger-founded-already")`.
    """
    keys.create(checkpoint_key(), "EdDSA")
    signer = keys.signer(checkpoint_key())
    genesis = Genesis(
        agencies=tuple(agencies),
        accreditations=tuple(accreditations),
        checkpoint_key=signer.public_key,
        created=now(),
        validators=tuple(validators),
    )
    return founding.found(directory(), genesis, origin=settings.GOVCHAIN.ledger_origin, sign=signer.sign)


def founded() -> bool:
    return (directory() / store.FILE).exists()


def host(agency: int, *, signer: str, key_no: int = 1) -> None:
    """Let this node write for an agency, with the EdDSA key at the URI `signer` and, once the ledger says so, with
    later ones of its own accord (`node_keys`). Idempotent."""
    NodeKey.objects.update_or_create(
        agency=agency, defaults={"signer": signer}, create_defaults={"signer": signer, "key_no": key_no}
    )


def ledger() -> Reader:
    """The ledger, for reading; raises `LedgerError("ledger-missing")`."""
    with _open.lock:
        _follow_settings()
        if _open.reader is None:
            if not founded():
                raise LedgerError("ledger-missing", log=str(directory()))
            _open.reader = Reader(directory(), verifier())
        return _open.reader


def engine() -> Embedded | Comet:
    """What this process writes with, opened here unless it is: the settings' choice.

    Raises `LedgerError`: sequencer-running if another process of this node writes; another-consortium.
    """
    with _open.lock:
        _follow_settings()
        if _open.copy is not None:
            raise LedgerError("sequencer-stopped", log="a copy is only read")
        if _open.engine is None and settings.GOVCHAIN.ledger != "embedded":
            # A store behind this node's receipts is no danger here: it signs nothing alone, and catches up.
            # Its outbox has one reader all the same: two would sign the same rows twice.
            held = store.lock(directory(), RELAY_LOCK)
            try:
                _open.engine = Comet(directory(), url=settings.GOVCHAIN.ledger.removeprefix("comet:"))
            except LedgerError:
                held.close()
                raise
            _open.held = held
        elif _open.engine is None:
            opened = open_at(directory())
            try:
                _refuse_an_old_copy()
            except LedgerError:
                opened.close()
                raise
            _open.engine = opened
        return _open.engine


def _refuse_an_old_copy() -> None:
    """A ledger restored from a backup would sign a second history. Three memories outside its directory tell.

    1. this node's own receipts: the highest index one of them proves
    2. the high-water mark: the newest checkpoint this node knows it signed, its root included
    3. the witnesses: each is shown the latest checkpoint, and knows whether it extends what it cosigned
    """
    reader = ledger()
    newest = OutboxRow.objects.aggregate(newest=Max("index"))["newest"]
    if newest is not None and newest >= reader.size:
        raise LedgerError("ledger-behind", log=f"a receipt proves entry {newest}, the ledger ends at {reader.size}")
    known = high_water.read(_mark_of(directory()), verifier())
    if known is not None:
        high_water.compare(known, size=reader.size, root_at=reader.root_at)
    if asked := witnesses():
        rounds.gate(reader, Kept(directory()), asked)


def witnesses() -> list[WitnessAt]:
    """The witnesses this node is told to ask."""
    return asking.witnesses(settings.GOVCHAIN.witnesses)


def mark() -> None:
    """Note the latest checkpoint outside the ledger's directory."""
    with _open.lock:
        _mark(directory(), ledger())


def _mark(of: Path, reader: Reader) -> None:
    try:
        signed, _ = reader.signed()
    except (LedgerError, sqlite3.Error) as error:
        log.warning("high-water mark not written: %s", error)
        return
    high_water.mark(_mark_of(of), signed)


def _mark_of(ledger_directory: Path) -> Path:
    return ledger_directory.parent / high_water.FILE


def owns_engine() -> bool:
    with _open.lock:
        return _open.engine is not None and _open.directory == directory()


def open_at(path: Path, *, origin: str = "", checkpoint_key_uri: str = "", clock: Clock | None = None) -> Embedded:
    """An engine on the ledger directory `path`; close it when done."""
    signer = keys.signer(checkpoint_key_uri or checkpoint_key())
    return Embedded(
        path,
        verifier=note.Verifier(origin or settings.GOVCHAIN.ledger_origin, signer.public_key),
        sign=signer.sign,
        clock=clock,
    )


def close() -> None:
    """Close what this process has open; the engine finishes its queue first."""
    with _open.lock:
        if _open.engine is not None:
            _open.engine.close()
            if _open.reader is not None and _open.directory is not None:
                _mark(_open.directory, _open.reader)
        if _open.reader is not None:
            _open.reader.close()
        if _open.held is not None:
            _open.held.close()
        _open.engine = _open.reader = _open.directory = _open.held = None


def _follow_settings() -> None:
    if _open.directory != directory():
        close()
        _open.directory = directory()
