"""How long single calls take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def latencies(ask: Callable[[T], object], about: Iterable[T]) -> list[float]:
    """Milliseconds of each call, the quickest first."""
    return sorted(timed(partial(ask, each)) for each in about)


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
