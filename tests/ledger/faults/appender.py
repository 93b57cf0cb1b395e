"""The process that faults befall: opens a ledger, submits signed transactions, tells what it was told, closes.

It stands still between being made and being let go, so that strace can attach. No Django: the engine takes a
directory, a verifier and a function that signs.
"""

from __future__ import annotations

import ctypes
import os
import signal
from concurrent.futures import wait
from multiprocessing.connection import Connection
from pathlib import Path

from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.embedded import Embedded
from tests.ledger.town import VERIFIER, TestClock, secret_key

PR_SET_PTRACER, ANYONE = 0x59616D61, -1
TRIES = 3
"""How often a transaction is sent again to a ledger that has stopped, as the relay does."""

Told = tuple[int, Committed]
"""Which transaction, and the outcome that was acknowledged."""


def append(directory: Path, bodies: list[bytes], telling: Connection) -> None:
    """Send every transaction; tell each acknowledgement as soon as there is one. Ends with an error's code, or ""."""
    # Where only a parent may trace, strace (a sibling) is let in.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_long(ANYONE), 0, 0, 0)
    telling.send(os.getpid())
    telling.recv()
    try:
        engine = Embedded(directory, verifier=VERIFIER, sign=secret_key(0).sign, clock=TestClock())
    except LedgerError as error:
        telling.send(error.code)
        return
    # All but the last two one block each, the last two in one block if the thread is quick.
    for group in (*([at] for at in range(len(bodies) - 2)), [len(bodies) - 2, len(bodies) - 1]):
        _send(engine, bodies, group, telling)
    engine.close()
    telling.send("")


def _send(engine: Embedded, bodies: list[bytes], group: list[int], telling: Connection) -> None:
    for _ in range(TRIES):
        futures = {at: engine.submit(bodies[at]) for at in group}
        wait(futures.values())
        for at, future in futures.items():
            error = future.exception()
            if error is None:
                telling.send((at, future.result()))
                group = [each for each in group if each != at]
            elif isinstance(error, LedgerError) and error.code == "sequence-used":
                # Written by an attempt that was not answered.
                done = engine.outcome(bodies[at])
                assert done is not None
                telling.send((at, done))
                group = [each for each in group if each != at]
            elif not (isinstance(error, LedgerError) and error.code == "sequencer-stopped"):
                raise error
        if not group:
            return


def hold(directory: Path, body: bytes, telling: Connection) -> None:
    """A sequencer that writes one transaction, tells what became of it, and stays."""
    engine = Embedded(directory, verifier=VERIFIER, sign=secret_key(0).sign, clock=TestClock())
    telling.send(engine.submit(body).result())
    signal.pause()
