"""The log's growth over time, as a curve for an SVG. Block times never go back, so a size is found by halving."""

from __future__ import annotations

from dataclasses import dataclass

from gov_chain.ledger.core import entries
from gov_chain.ledger.reader import Reader

POINTS = 96
WIDTH, HEIGHT = 640, 150
LEFT, TOP = 4, 8


@dataclass(frozen=True, slots=True)
class Growth:
    """`line` and `area` are SVG point lists in a box of `width` × `height`."""

    width: int
    height: int
    line: str
    area: str
    first: int
    """Block time of the first entry, and of the last."""
    last: int
    size: int
    steps: tuple[tuple[int, int], ...]
    """(time, entries by then), a few: what the curve says, for those who read."""


def size_at(reader: Reader, time: int, size: int) -> int:
    """How many of the first `size` entries have a block time ≤ `time`."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if entries.unwrap(reader.entry(middle))[0] <= time:
            low = middle + 1
        else:
            high = middle
    return low


def curve(reader: Reader, size: int) -> Growth:
    """The curve from the founding to the latest of `size` entries."""
    first = entries.unwrap(reader.entry(0))[0]
    last = entries.unwrap(reader.entry(size - 1))[0]
    span = max(last - first, 1)
    count = min(POINTS, span)
    times = [first + span * step // count for step in range(count + 1)]
    sizes = [size_at(reader, time, size) for time in times]
    places = []
    for time, reached in zip(times, sizes, strict=True):
        x = LEFT + (WIDTH - 2 * LEFT) * (time - first) / span
        y = TOP + (HEIGHT - TOP) * (1 - reached / size)
        if places:
            places.append((x, places[-1][1]))
        places.append((x, y))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    area = f"{places[0][0]:.1f},{HEIGHT} {line} {places[-1][0]:.1f},{HEIGHT}"
    told = [count * part // 4 for part in range(5)]
    steps = dict.fromkeys((times[each], sizes[each]) for each in told)
    return Growth(WIDTH, HEIGHT, line, area, first, last, size, tuple(steps))
