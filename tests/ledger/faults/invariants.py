"""What must hold after every fault (threats.md I1, I2, I4), checked through the normal start."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gov_chain.ledger import fsck
from gov_chain.ledger.core import entries, receipt, transaction
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader
from tests.ledger.town import VERIFIER, TestClock, secret_key

LONG_NUMBER = re.compile(rb"[0-9]{15}")


@dataclass(frozen=True, slots=True)
class After:
    """The ledger as the start after a fault left it."""

    size: int
    present: int
    """How many of the transactions are in the log."""


def check(
    directory: Path, bodies: Sequence[bytes], acknowledged: Sequence[tuple[int, Committed]], next_: bytes
) -> After:
    """Start the engine as always and check; raises AssertionError.

    I1 every acknowledged record is where it was said to be, and provable under a later checkpoint
    I2 the root, tiles, indexes and state are those the entries make (fsck)
    I4 every entry is a record of the table, which has no room for text (fsck)
    and: a transaction is in the log whole or not at all; the next one is accepted.
    """
    engine = Embedded(directory, verifier=VERIFIER, sign=secret_key(0).sign, clock=TestClock())
    try:
        assert not engine.submit(next_).result(30).refused
    finally:
        engine.close()
    with closing(Reader(directory, VERIFIER)) as reader:
        known = dict(acknowledged)
        present = 0
        for at, body in enumerate(bodies):
            done = reader.outcome(body)
            if at in known:
                assert done == known[at], f"transaction {at} was acknowledged as {known[at]}, and is now {done}"
            if done is not None:
                present += 1
                _whole(reader, body, done)
        size = reader.size
    report = fsck.check(directory, vkey=VERIFIER.vkey)
    assert report.findings == []
    assert report.entries == size
    return After(size, present)


def _whole(reader: Reader, body: bytes, done: Committed) -> None:
    """Every record of the transaction that was not refused has its entry, proven by a receipt."""
    parsed = transaction.parse(body)
    for position, index in enumerate(done.positions):
        assert (index is None) == (position in done.refused)
        if index is not None:
            assert reader.entry(index) == entries.prefix(done.time, parsed.header.agency) + parsed.records[position]
    for index in {done.first, *(each for each in done.positions[-1:] if each is not None)}:
        assert receipt.verify(reader.receipt(index), VERIFIER.vkey).index == index
