"""JSON as signed objects need it: one meaning for one text.

RFC 8259 leaves duplicate names and unpaired surrogates to the reader; two readers who
differ there see two contents under one signature. Here they are refused, as are
NaN/Infinity, integers beyond what JavaScript holds exactly, and deep nesting.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_DEPTH = 32
_EXACT = 2**53


def loads(text: str | bytes) -> Any:
    """The value of `text`; raises ValueError for anything ambiguous."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
        _check(value, MAX_DEPTH)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) >= _EXACT:
        raise ValueError("integer out of range")
    return int(digits)


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        # An unpaired surrogate cannot be encoded, so it could be neither stored nor shown.
        value.encode("utf-8")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth - 1)
            _check(item, depth - 1)
