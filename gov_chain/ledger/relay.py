"""The relay brings outbox rows to the ledger and outcomes back to whoever waits.

In the serving process `start` runs it in a thread, woken by every commit of an outbox row; listeners run in a few
worker threads, so that one which itself waits for the ledger blocks nobody. In a process without that thread
(tests, seeding, commands) `settle` does the same work inline, if the process can own the engine; otherwise it
waits for the process that does.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from django import db
from django.db import transaction

from gov_chain.core.errors import GovChainError, trail
from gov_chain.ledger import batches, delivery, following, node, outbox
from gov_chain.ledger.delivery import Outcome, on_outcome
from gov_chain.ledger.models import OutboxRow

__all__ = ["Outcome", "drain", "on_outcome", "settle", "start", "stop"]

log = logging.getLogger(__name__)

LISTENERS = 4
ELSEWHERE = 0.5
"""Seconds after which the relay looks for rows other processes wrote: their commits cannot wake it."""


class _Progress:
    """Lets `settle` sleep until something changed."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.count = 0

    def note(self) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def wait(self, seen: int, timeout: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.count != seen, timeout)


_progress = _Progress()
_writing = threading.Lock()


def settle(ids: Iterable[int], timeout: float = 10.0) -> list[Outcome]:
    """Wait until these rows are final or refused and their listeners were told; their outcomes, in the order given.

    A row not decided within `timeout` seconds is returned as pending, and goes on being worked at. Call it outside
    transactions: what an open transaction wrote cannot be final.
    """
    with transaction.atomic(durable=True):
        pass  # raises RuntimeError inside a transaction
    wanted = list(ids)
    deadline = time.monotonic() + timeout
    while True:
        seen = _progress.count
        if _thread is None:
            with contextlib.suppress(GovChainError):
                drain()
        rows = OutboxRow.objects.in_bulk(wanted)
        undone = [row for row in rows.values() if not (row.state in delivery.DECIDED and row.delivered)]
        left = deadline - time.monotonic()
        if not undone or left <= 0:
            return [delivery.outcome_of(rows[each]) for each in wanted]
        _progress.wait(seen, min(left, ELSEWHERE if _thread is not None else 0.05))


def drain() -> int:
    """One pass in this thread: sign, send, store, deliver. The number of rows that moved.

    Raises `LedgerError` sequencer-running or ledger-missing if this process cannot write the ledger.
    """
    moved = _write()
    for row in delivery.due():
        if delivery.claim(row):
            moved += delivery.deliver(row)
            _progress.note()
    return moved


def _write() -> int:
    with _writing:
        engine, reader = node.engine(), node.ledger()
        batches.sign_pending()
        moved = batches.send_signed(engine, reader)
        if moved:
            # Rows that have to be signed anew are pending again; they go out in the next pass.
            following.announce_growth(reader.size)
            _progress.note()
        return moved


class _Thread(threading.Thread):
    """The serving process's relay."""

    def __init__(self) -> None:
        super().__init__(name="ledger-relay", daemon=True)
        self.stopping = threading.Event()
        self.listeners = ThreadPoolExecutor(LISTENERS, thread_name_prefix="ledger-outcome")

    def run(self) -> None:
        delivery.forget_leases()
        pause = 0.0
        while not self.stopping.is_set():
            outbox.committed.wait(pause)
            outbox.committed.clear()
            try:
                _write()
                for row in delivery.due():
                    if delivery.claim(row):
                        self.listeners.submit(_deliver, row).add_done_callback(_report)
                pause = self._until_next()
            except (GovChainError, db.Error, OSError) as error:
                log.error("ledger relay: %s; trying again", error)
                db.connection.close()
                pause = ELSEWHERE
        db.connection.close()

    def _until_next(self) -> float:
        upcoming = delivery.next_due()
        return ELSEWHERE if upcoming is None else min(max(upcoming - time.time(), 0.0), ELSEWHERE)


def _deliver(row: OutboxRow) -> None:
    try:
        delivery.deliver(row)
    finally:
        db.connection.close()
        _progress.note()


def _report(done: Future[None]) -> None:
    """A listener failed in a way nobody foresaw: the row is tried again when its lease ends."""
    error = done.exception()
    if error is not None:
        log.error("ledger relay: a listener failed: %s", trail(error))


_thread: _Thread | None = None


def start() -> None:
    """Open the engine and run the relay in its thread. Raises `LedgerError` if another process writes the ledger."""
    global _thread  # noqa: PLW0603 - one relay a process
    if _thread is None:
        node.engine()
        _thread = _Thread()
        _thread.start()


def stop() -> None:
    """Finish the current pass and what is being delivered; close the ledger."""
    global _thread  # noqa: PLW0603 - one relay a process
    if _thread is not None:
        _thread.stopping.set()
        outbox.committed.set()
        _thread.join()
        _thread.listeners.shutdown(cancel_futures=True)
        _thread = None
    node.close()
