"""What a ledger record may hold: bounded integers, fixed-size digests, and lists of these.

Nothing else exists here on purpose (threats.md I4): with no text and no free bytes there is no
place for personal data, and the bounds are too small to carry an identity number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gov_chain.core import hot


class Shape:
    @cached_property
    def program(self) -> hot.Shape:
        """The same in the tuples that `hot.fits` goes by."""
        raise NotImplementedError

    def fits(self, value: Any) -> bool:
        """Whether `value`, as decoded from CBOR, is of this shape."""
        return hot.fits(value, self.program)


@dataclass(frozen=True)
class Uint(Shape):
    """least ≤ value < limit."""

    limit: int
    least: int = 0

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.INTEGER, self.least, self.limit)


@dataclass(frozen=True)
class Fixed(Shape):
    """Exactly `size` bytes: a digest, a public key, a secret of the citizen's phone."""

    size: int

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.BYTES, self.size)


@dataclass(frozen=True)
class Signatures(Shape):
    """So many signatures of 64 bytes in a row. Only where a rule verifies each: then it is no place for data."""

    count: int

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.BYTES, 64 * self.count)


@dataclass(frozen=True)
class Point(Shape):
    """A P-256 public key: a compressed point (SEC 1 §2.3.3) that lies on the curve."""

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.ASKED, on_curve)


def on_curve(value: Any) -> bool:
    """Whether these are the 33 bytes of such a point."""
    if type(value) is not bytes or len(value) != 33 or value[0] not in (2, 3):
        return False
    x = int.from_bytes(value[1:])
    return x < _P and pow(x * x * x - 3 * x + _B, (_P - 1) // 2, _P) == 1


_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


@dataclass(frozen=True)
class Row(Shape):
    """A list with these items, in this order."""

    items: tuple[Shape, ...]

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.ROW, tuple(item.program for item in self.items))


@dataclass(frozen=True)
class Many(Shape):
    """A list of least…most items of one shape."""

    item: Shape
    most: int
    least: int = 0

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.MANY, self.item.program, self.least, self.most)


@dataclass(frozen=True)
class Choice(Shape):
    """A list whose first item is a number of the table, and whose others are that number's row."""

    rows: Mapping[int, Row]

    @cached_property
    def program(self) -> hot.Shape:
        return (hot.CHOICE, {number: row.program[1] for number, row in self.rows.items()})


U16 = Uint(2**16)
ID = Uint(2**16, 1)
"""Types, matters, agencies and versions count from 1."""
MASK = Uint(2**32)
TIME = Uint(2**40)
HEIGHT = Uint(2**40)
"""An entry's index, or a size of the log."""
SEQUENCE = Uint(2**40)
DIGEST = Fixed(32)
