"""Which six-digit PINs are too easy to guess: repeats, runs, short patterns, dates of birth."""

from __future__ import annotations

import itertools
import re

SHAPE = re.compile(r"[0-9]{6}")


def is_weak(pin: str, birth_date: str) -> bool:
    """Whether `pin` (six digits) is among the first guesses. `birth_date` is YYYYMMDD."""
    if not SHAPE.fullmatch(pin):
        return True
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in itertools.pairwise(digits)}
    year, month, day = birth_date[:4], birth_date[4:6], birth_date[6:8]
    dates = {
        year[2:] + month + day,
        year + month,
        month + day + year[2:],
        day + month + year[2:],
        month + year,
        year + str(int(month)) + str(int(day)) if month and day else "",
    }
    return (
        len(set(digits)) <= 2  # 111111, 112112
        or steps in ({1}, {9})  # 123456, 654321, 890123
        or pin[:3] == pin[3:]  # 123123
        or pin[:2] == pin[2:4] == pin[4:]  # 121212
        or pin in dates
    )
