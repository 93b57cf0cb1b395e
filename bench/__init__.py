"""Measurements: `python -m bench NAME [--small] [--json]`, one module a name.

A module has `SIZES` (name → how much to measure), `STEPS` and `measure(sizes, folder, progress) -> dict[str, Figure]`.
Every figure that can be is printed beside its peer: something plain that does the same durable work, measured in the
same run, since a bare number says more about the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    def step(self, name: str) -> None:
        """A step begins, and the one before is done."""

    def part(self, done: float) -> None:
        """So much of this step is done, of 1."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`peer` is in the same unit; `ok` is whether the aim is met (None: nothing aimed at)."""

    value: float
    unit: str
    peer: float | None = None
    aim: str = ""
    ok: bool | None = None
    note: str = ""
    """What the peer is, or that there is none."""

    @property
    def ratio(self) -> float | None:
        """value / peer."""
        return None if not self.peer else self.value / self.peer
