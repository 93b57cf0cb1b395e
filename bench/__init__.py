"""Measurements: `python -m bench NAME [--json]`, one module a name.

A module has `measure(progress) -> dict[str, Figure]`. Every figure is printed beside its peer: something plain that
does the same durable work, measured in the same run, since a bare number says more about the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str], None]
"""Called with the name of each step as it begins."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is value/peer; `ok` is whether the aim is met (None: nothing aimed at)."""

    value: float
    unit: str
    peer: float | None = None
    aim: str = ""
    ok: bool | None = None

    @property
    def ratio(self) -> float | None:
        return None if not self.peer else self.value / self.peer
