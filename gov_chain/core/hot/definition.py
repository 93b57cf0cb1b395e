"""What the hot steps mean. `_native.c` does the same faster; a test holds the two equal, refusals included."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import cbor2

MAX_DEPTH = 6
"""Arrays within arrays."""
PERMITTED = "only unsigned integers, byte strings and arrays are canonical here"

Shape = tuple[Any, ...]
"""(INTEGER, least, limit), (BYTES, size), (ROW, shapes), (MANY, shape, least, most), (CHOICE, number → shapes of the
row after the number) or (ASKED, a function that says whether the value fits). Numbers stay below 2^64."""

INTEGER, BYTES, ROW, MANY, CHOICE, ASKED = range(6)


def hashes(tag: int, items: Sequence[bytes]) -> list[bytes]:
    """SHA-256(tag byte ‖ item) of each item."""
    before = bytes((tag,))
    sha256 = hashlib.sha256
    return [sha256(before + item).digest() for item in items]


def grow(stack: list[bytes], size: int, leaves: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Add leaf hashes to the tree (RFC 9162) of `size` leaves whose perfect subtrees, largest first, are `stack`.

    The stack is changed in place. Returned are the (level, hash) of finished nodes that tiles keep (every eighth
    level), in the order they came about. Raises `ValueError` for a stack that is not one of this size.
    """
    if len(stack) != size.bit_count():
        raise ValueError("not the stack of this size")
    sha256 = hashlib.sha256
    finished = []
    for current in leaves:
        here, level = size, 0
        while here & 1:
            current = sha256(b"\x01" + stack.pop() + current).digest()  # noqa: PLW2901
            here >>= 1
            level += 1
            if not level & 7:
                finished.append((level, current))
        stack.append(current)
        size += 1
    return finished


def encode(value: Any) -> bytes:
    """Deterministic CBOR (RFC 8949 §4.2.1) of ints from 0 to 2^64 - 1, bytes, and lists or tuples of these.

    Raises `ValueError` for anything else.
    """
    _check(value, MAX_DEPTH)
    return cbor2.dumps(value)


def decode(data: bytes) -> Any:
    """The value whose deterministic CBOR `data` is, arrays as lists; raises `ValueError` for anything else."""
    try:
        value = cbor2.loads(data)
        _check(value, MAX_DEPTH)
    except (cbor2.CBORDecodeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if cbor2.dumps(value) != data:
        raise ValueError("another encoding of the same value")
    return value


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is int:
        if not 0 <= value < 2**64:
            raise ValueError(PERMITTED)
    elif kind is list or kind is tuple:
        if depth == 0:
            raise ValueError("nested too deeply")
        for item in value:
            _check(item, depth - 1)
    elif kind is not bytes:
        raise ValueError(PERMITTED)


def fits(value: Any, shape: Shape) -> bool:
    """Whether a decoded value is of the shape."""
    kind, one = shape[0], shape[1]
    if kind == INTEGER:
        return type(value) is int and one <= value < shape[2]
    if kind == BYTES:
        return type(value) is bytes and len(value) == one
    if kind == ASKED:
        return bool(one(value))
    if type(value) is not list:
        return False
    if kind == ROW:
        return _row(value, one)
    if kind == MANY:
        return shape[2] <= len(value) <= shape[3] and all(fits(item, one) for item in value)
    if not value or type(value[0]) is not int:
        return False
    row = one.get(value[0])
    return row is not None and _row(value[1:], row)


def _row(value: list[Any], shapes: tuple[Shape, ...]) -> bool:
    if len(value) != len(shapes):
        return False
    for item, shape in zip(value, shapes, strict=True):  # noqa: SIM110 - a loop: `all` over a generator is slower
        if not fits(item, shape):
            return False
    return True
