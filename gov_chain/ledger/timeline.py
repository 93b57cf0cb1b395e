"""Where in the log a moment lies. Block time never goes back, so the log itself is sorted by it."""

from __future__ import annotations

from gov_chain.ledger.reader import Reader


def size_at(reader: Reader, time: int) -> int:
    """How many entries the log had once everything up to and including block time `time` was in it."""
    low, high = 0, reader.size
    while low < high:
        middle = (low + high) // 2
        if time_of(reader, middle) <= time:
            low = middle + 1
        else:
            high = middle
    return low


def first_from(reader: Reader, time: int) -> int:
    """The first entry at or after block time `time`; the log's size if there is none yet."""
    return size_at(reader, time - 1)


def time_of(reader: Reader, index: int) -> int:
    """Block time of an entry, in seconds."""
    return reader.time_of(index)
