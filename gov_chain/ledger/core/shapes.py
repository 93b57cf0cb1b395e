"""What a ledger record may hold: bounded integers, fixed-size digests, and lists of these.

Nothing else exists here on purpose (threats.md I4): with no text and no free bytes there is no
place for personal data, and the bounds are too small to carry an identity number.
"""

from __future__ import annotations

from collections.abc import Mapping
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
class Signatures:
    """So many signatures of 64 bytes in a row. Only where a rule verifies each: then it is no place for data."""

    count: int

    def fits(self, value: Any) -> bool:
        return type(value) is bytes and len(value) == 64 * self.count


@dataclass(frozen=True, slots=True)
class Point:
    """A P-256 public key: a compressed point (SEC 1 §2.3.3) that lies on the curve."""

    def fits(self, value: Any) -> bool:
        if type(value) is not bytes or len(value) != 33 or value[0] not in (2, 3):
            return False
        x = int.from_bytes(value[1:])
        return x < _P and pow(x * x * x - 3 * x + _B, (_P - 1) // 2, _P) == 1


_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


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


@dataclass(frozen=True, slots=True)
class Choice:
    """A list whose first item is a number of the table, and whose others are that number's row."""

    rows: Mapping[int, Row]

    def fits(self, value: Any) -> bool:
        if type(value) is not list or not value or type(value[0]) is not int:
            return False
        row = self.rows.get(value[0])
        return row is not None and row.fits(value[1:])


U16 = Uint(2**16)
ID = Uint(2**16, 1)
"""Types, matters, agencies and versions count from 1."""
MASK = Uint(2**32)
TIME = Uint(2**40)
HEIGHT = Uint(2**40)
"""An entry's index, or a size of the log."""
SEQUENCE = Uint(2**40)
DIGEST = Fixed(32)
