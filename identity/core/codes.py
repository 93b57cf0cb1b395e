"""Activation codes a person can read aloud and type: `7KQM-3F9T-XW2P`.

Twelve symbols of Crockford's base 32 (no I, L, O, U): the first four find the activation, the
other eight (40 bits) prove it. Lower case, spaces and the usual mix-ups are forgiven.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
LOCATOR = 4
BYTES = 8
_FORGIVEN = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def from_random(data: bytes) -> str:
    """Twelve symbols from 8 random bytes."""
    number = int.from_bytes(data)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(0, 5 * LENGTH, 5))


def show(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def normalise(text: str) -> str | None:
    """Twelve symbols, or None when `text` is no code at all."""
    code = text.strip().upper().translate(_FORGIVEN)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
