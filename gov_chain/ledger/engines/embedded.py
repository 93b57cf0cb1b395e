"""The embedded engine: one sequencer on one machine, its order that of arrival.

Group commit: whatever waits while a block is being written goes into the next block, under one fsync.
A second sequencer on the same directory is refused by a lock the kernel drops when the process ends.

Writing a block, and what is durable after each step:

 1. block time = max(previous, clock); a jump of the clock stops the engine                   nothing
 2. execute the block's transactions, in memory (`Replica.execute`)                           nothing
 3. write it under a checkpoint signed on the way, and fsync (`Replica.commit`)               all of it
 4. note the checkpoint beside the store (see `newest`), so that a log cut shorter is noticed all of it
 5. answer the submitters

A crash before the end of 3 leaves the former block; a crash after it leaves answers ungiven, which `outcome` gives
later. An error of the store, or a key store that does not sign, drops the block and opens the store anew, as a start
does.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gov_chain.core.errors import GovChainError
from gov_chain.keys import KeyStoreError
from gov_chain.ledger import newest, store
from gov_chain.ledger.core import checkpoint, note, tiles, transaction, tree
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.outcomes import outcome
from gov_chain.ledger.replica import Replica

log = logging.getLogger(__name__)

MAX_BLOCK = 8192
"""Records in one block."""
MAX_JUMP = 300
"""Seconds the wall clock may gain on the machine's steady clock."""
IDLE = 1.0
"""Seconds without work after which SQLite's log is folded into the file."""


class Clock(Protocol):
    def wall(self) -> float:
        """Seconds since the Unix epoch, as the operating system believes."""

    def steady(self) -> float:
        """Seconds that only pass, also while the machine sleeps; never set by anyone."""


class SystemClock:
    def wall(self) -> float:
        return time.time()

    def steady(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class _Waiting:
    parsed: transaction.Transaction
    future: Future[Committed]


class Embedded:
    """`Engine` for one directory. Thread-safe; all writing happens in its one thread."""

    def __init__(
        self,
        directory: Path,
        *,
        verifier: note.Verifier,
        sign: Callable[[bytes], bytes],
        clock: Clock | None = None,
    ) -> None:
        self._path = directory / store.FILE
        if not self._path.exists():
            raise LedgerError("ledger-missing", log=str(directory))
        self._verifier = verifier
        self._sign = sign
        self._clock = clock or SystemClock()
        self._lock = store.lock(directory)
        try:
            self._newest = newest.Newest(directory)
        except OSError as error:
            self._lock.close()
            raise LedgerError("sequencer-stopped", log=str(error)) from error
        self._wake = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._closing = False
        self._confirm_clock = False
        self._stopped: LedgerError | None = None
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="ledger-sequencer", daemon=True)
        self._thread.start()
        try:
            ready.result()
        except LedgerError:
            self._release()
            raise

    def submit(self, body: bytes) -> Future[Committed]:
        future: Future[Committed] = Future()
        try:
            waiting = _Waiting(transaction.parse(body), future)
        except LedgerError as error:
            future.set_exception(error)
            return future
        with self._wake:
            if self._closing:
                future.set_exception(LedgerError("sequencer-stopped", log="closing"))
                return future
            self._queue.append(waiting)
            self._wake.notify()
        return future

    def outcome(self, body: bytes) -> Committed | None:
        parsed = transaction.parse(body)
        with contextlib.closing(store.open_reading(self._path)) as connection:
            return outcome(store.Rows(connection), parsed)

    def confirm_clock(self) -> None:
        """Say that the clock's jump was right (it had been wrong before): the engine goes on with it."""
        with self._wake:
            self._confirm_clock = True

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._release()

    def _release(self) -> None:
        if not self._lock.closed:
            self._newest.close()
            self._lock.close()

    # The sequencer's thread.

    def _run(self, ready: Future[None]) -> None:
        try:
            self._open()
            ready.set_result(None)
        except LedgerError as error:
            ready.set_exception(error)
        except (sqlite3.Error, OSError) as error:
            ready.set_exception(LedgerError("ledger-damaged", log=str(error)))
        finally:
            if not ready.done():
                ready.set_exception(LedgerError("ledger-damaged", log="its end cannot be read"))
        if ready.exception() is None:
            self._work()

    def _work(self) -> None:
        """Until closed. Should the thread ever end otherwise, nobody is left waiting for it."""
        try:
            while block := self._next_block():
                self._settle(block)
            if self._stopped is None:
                self._fold()
        finally:
            self._replica.close()
            with self._wake:
                self._closing = True
                for waiting in self._queue:
                    waiting.future.set_exception(LedgerError("sequencer-stopped", log="the sequencer failed"))
                self._queue.clear()

    def _open(self) -> None:
        """Open the store and check that its end is what was last signed. Every start and every recovery."""
        with contextlib.closing(store.open_reading(self._path)) as unchanged:
            # Before anything may write: a writer's close would fold a log cut short and remove what is left of it.
            store.check_version(unchanged)
            self._check_newest(store.Rows(unchanged))
        with contextlib.ExitStack() as unless_good:
            replica = Replica(self._path.parent, verify=lambda text: checkpoint.verify(text, self._verifier))
            unless_good.callback(replica.close)
            if replica.genesis.checkpoint_key != self._verifier.public_key:
                raise LedgerError("ledger-damaged", log="the checkpoint key is not the one genesis names")
            self._newest.write(replica.signed)
            unless_good.pop_all()
        self._replica = replica
        self._gap = self._clock.wall() - self._clock.steady()

    def _check_newest(self, rows: store.Rows) -> None:
        """The store holds all that was ever acknowledged in this directory; raises `LedgerError` ledger-behind."""
        try:
            known = newest.read(self._path.parent, self._verifier)
        except LedgerError as error:
            log.warning("ledger: the newest checkpoint's copy is damaged, and is written anew: %s", error)
            return
        if known is None:
            return
        signed = rows.checkpoint()
        size = 0 if signed is None else checkpoint.verify(signed, self._verifier).size
        if known.size > size:
            raise LedgerError("ledger-behind", log=f"{known.size} entries were signed, the ledger ends at {size}")
        if tree.fold(tree.peaks(known.size, tiles.nodes(rows.tile, cached=0))) != known.root:
            raise LedgerError("ledger-damaged", log=f"the first {known.size} entries are not those signed before")

    def _next_block(self) -> list[_Waiting]:
        """What waits, up to a block; waits for work. Empty: the engine is closing and nothing is left."""
        with self._wake:
            while not self._queue and not self._closing:
                if not self._wake.wait(IDLE) and self._stopped is None:
                    self._wake.release()
                    try:
                        self._fold()
                    finally:
                        self._wake.acquire()
                    while not self._queue and not self._closing:
                        self._wake.wait()
            block: list[_Waiting] = []
            records = 0
            while self._queue and records + len(self._queue[0].parsed.records) <= MAX_BLOCK:
                block.append(self._queue.popleft())
                records += len(block[-1].parsed.records)
            return block

    def _fold(self) -> None:
        """Bring SQLite's write-ahead log into the file, so that a copy of the file is the whole ledger."""
        with contextlib.suppress(sqlite3.Error):
            # What is wrong with the file, the next block finds out, and says so to whoever waits for it.
            self._replica.fold()

    def _settle(self, block: list[_Waiting]) -> None:
        """Commit a block and answer everyone in it, whatever happens."""
        answers: Sequence[Committed | LedgerError] = [LedgerError("sequencer-stopped")] * len(block)
        try:
            if self._stopped is not None:
                self._open()
                self._stopped = None
            answers = self._commit(block)
        except KeyStoreError as error:
            # Nothing was written. No other key signs in its place; the same transactions come again.
            log.error("ledger: block not written: %s", error)
            unsigned = LedgerError("checkpoint-unsigned", log=str(error), reason=error.code)
            answers = [unsigned] * len(block)
            self._drop(unsigned)
        except (GovChainError, sqlite3.Error, OSError) as error:
            log.error("ledger: block not written: %s", error)
            if isinstance(error, LedgerError) and error.code == "clock-jumped":
                answers = [error] * len(block)
            else:
                self._drop(LedgerError("sequencer-stopped", log=str(error)))
        finally:
            for waiting, answer in zip(block, answers, strict=True):
                if isinstance(answer, LedgerError):
                    waiting.future.set_exception(answer)
                else:
                    waiting.future.set_result(answer)

    def _drop(self, reason: LedgerError) -> None:
        self._stopped = reason
        with contextlib.suppress(sqlite3.Error):
            self._replica.close()

    def _commit(self, waiting: list[_Waiting]) -> tuple[Committed | LedgerError, ...]:
        block = self._replica.execute([each.parsed for each in waiting], time=self._block_clock())
        if block.executed:
            text = self._replica.commit(block, sign=lambda body: note.sign(body, self._verifier, self._sign))
            # Durable from here on.
            self._newest.write(text)
        return block.answers

    def _block_clock(self) -> int:
        """What block time follows; not if the wall clock has gained on the steady one (idle hours pass on both)."""
        wall = self._clock.wall()
        gap = wall - self._clock.steady()
        with self._wake:
            confirmed, self._confirm_clock = self._confirm_clock, False
        if gap - self._gap > MAX_JUMP and not confirmed:
            raise LedgerError("clock-jumped", log=f"by {gap - self._gap:.0f} s; confirm, or set it right")
        # Follow what the operating system corrects in small steps, backwards too: block time itself never goes back.
        self._gap = gap
        return int(wall)
