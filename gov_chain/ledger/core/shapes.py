"""What a ledger record may hold: bounded integers, fixed-size digests, and lists of these.

Nothing else exists here on purpose (threats.md I4): with no text and no free bytes there is no
place for personal data, and the bounds are too small to carry an identity number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class Shape(Protocol):
    def fits(self, value: Any) -> bool:
        """Whether `value`, as decoded from CBOR, is of this shape."""


@dataclass(frozen=True, slots=True)
class Uint:
    """least ≤ value < limit."""

    limit: int
    least: int = 0

    def fits(self, value: Any) -> bool:
        return type(value) is int and self.least <= value < self.limit


@dataclass(frozen=True, slots=True)
class Fixed:
    """Exactly `size` bytes: a digest, a public key, a secret of the citizen's phone."""

    size: int

    def fits(self, value: Any) -> bool:
        return type(value) is bytes and len(value) == self.size


@dataclass(frozen=True, slots=True)
class Row:
    """A list with these items, in this order."""

    items: tuple[Shape, ...]

    def fits(self, value: Any) -> bool:
        return (
            type(value) is list
            and len(value) == len(self.items)
            and all(shape.fits(item) for shape, item in zip(self.items, value, strict=True))
        )


@dataclass(frozen=True, slots=True)
class Many:
    """A list of least…most items of one shape."""

    item: Shape
    most: int
    least: int = 0

    def fits(self, value: Any) -> bool:
        return (
            type(value) is list
            and self.least <= len(value) <= self.most
            and all(self.item.fits(each) for each in value)
        )


U16 = Uint(2**16)
ID = Uint(2**16, 1)
"""Types, matters, agencies and versions count from 1."""
MASK = Uint(2**32)
TIME = Uint(2**40)
SEQUENCE = Uint(2**40)
DIGEST = Fixed(32)
