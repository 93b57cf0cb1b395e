"""The log's rounds with its witnesses: at start as a gate, then in the background.

`gate` asks every witness once before the node may append: one that stands beyond the ledger's end, or saw another
tree, stops it. Witnesses that do not answer do not: a ledger must not depend on strangers being awake. `Rounds` then
shows them each new checkpoint, at most once an interval, each with its own back-off, in a thread of its own.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from gov_chain.clock import now
from gov_chain.core.errors import GovChainError
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.witnessing import WitnessError
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.witness import asking
from gov_chain.ledger.witness.asking import ALARMS, Answer, WitnessAt
from gov_chain.ledger.witness.kept import Kept, LastAnswer

log = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between rounds."""
LONGEST = 300.0
"""Seconds to which the back-off of a witness that does not answer grows."""


def ask_all(reader: Reader, kept: Kept, witnesses: Sequence[WitnessAt]) -> list[Answer]:
    """Show the latest checkpoint to each witness, all at once; what they said is kept."""
    cosigned = {each.vkey: each.cosigned for each in kept.answers()}

    def one(witness: WitnessAt) -> tuple[Checkpoint, Answer]:
        try:
            return _ask(reader, witness, cosigned.get(witness.cosigner.vkey, 0))
        finally:
            reader.close()

    if not witnesses:
        return []
    with ThreadPoolExecutor(len(witnesses), thread_name_prefix="ledger-witness") as pool:
        answers = list(pool.map(one, witnesses))
    for witness, (head, answer) in zip(witnesses, answers, strict=True):
        if answer.cosignature is not None:
            kept.keep(head, answer.cosignature)
        size = head.size if answer.cosignature is not None else 0
        told = LastAnswer(witness.cosigner.vkey, witness.url, now(), answer.state, answer.size, size, answer.detail)
        kept.note_answer(told)
        _report(witness, answer)
    return [answer for _, answer in answers]


def _ask(reader: Reader, witness: WitnessAt, cosigned: int) -> tuple[Checkpoint, Answer]:
    with httpx.Client(follow_redirects=False) as http:
        for _ in range(asking.ATTEMPTS):
            signed, head = reader.signed()
            old = min(cosigned, head.size)
            answer = asking.ask(http, witness, signed=signed, head=head, old=old, prove=reader.consistency)
            # A witness that also watches this log may have seen a block that was written meanwhile.
            if answer.state != "ahead" or answer.size > reader.size:
                break
    return head, answer


def _report(witness: WitnessAt, answer: Answer) -> None:
    if answer.state in ALARMS:
        log.critical("witness %s contradicts this ledger (%s): %s", witness.cosigner.name, answer.state, answer.detail)
    elif answer.state != "cosigned":
        log.warning("witness %s: %s: %s", witness.cosigner.name, answer.state, answer.detail)


def gate(reader: Reader, kept: Kept, witnesses: Sequence[WitnessAt]) -> None:
    """Raises `ledger-behind` or `ledger-forked` if a witness knows a longer log, or another one."""
    for witness, answer in zip(witnesses, ask_all(reader, kept, witnesses), strict=True):
        detail = f"witness {witness.cosigner.name}: {answer.detail}"
        if answer.state == "ahead":
            raise LedgerError("ledger-behind", log=detail)
        if answer.state == "forked":
            raise WitnessError("ledger-forked", log=detail)


@dataclass(slots=True)
class _Turn:
    """One witness's place in the rounds."""

    witness: WitnessAt
    seen: int = 0
    """Size it answered for; it is asked again when the log is longer."""
    wait: float = 0.0
    pause: float = 0.0


class Rounds(threading.Thread):
    """Shows new checkpoints to witnesses, and keeps the high-water mark, until stopped."""

    def __init__(
        self,
        reader: Reader,
        kept: Kept | None,
        witnesses: Sequence[WitnessAt],
        *,
        mark: Callable[[], None],
        interval: float = INTERVAL,
    ) -> None:
        """`kept` may be None if there are no witnesses. `mark` is called when the log has grown."""
        super().__init__(name="ledger-witnesses", daemon=True)
        self._reader, self._kept, self._mark, self._interval = reader, kept, mark, interval
        self._turns = [_Turn(witness) for witness in witnesses]
        self._marked = 0
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self.round()
            except (GovChainError, sqlite3.Error, OSError) as error:
                log.error("ledger witnesses: %s; trying again", error)
        self._reader.close()

    def round(self) -> None:
        """One pass: the mark, and every witness whose turn it is."""
        size = self._reader.size
        if size != self._marked:
            self._mark()
            self._marked = size
        due = []
        for turn in self._turns:
            turn.wait -= self._interval
            if turn.wait <= 0 and turn.seen < size:
                due.append(turn)
        if self._kept is None or not due:
            return
        for turn, answer in zip(due, ask_all(self._reader, self._kept, [each.witness for each in due]), strict=True):
            if answer.state == "cosigned":
                turn.seen, turn.pause, turn.wait = answer.size, 0.0, 0.0
            else:
                turn.pause = min(max(turn.pause * 2, self._interval), LONGEST)
                turn.wait = turn.pause

    def stop(self) -> None:
        """Ends after the round under way; asking has a time limit."""
        self._stopping.set()
        self.join()
