"""Tags of statutory uses: how the person concerned finds them, and nobody else.

Phone and issuer share a watch key for a certificate. The n-th open use in a calendar month (UTC) carries

    tag = HMAC-SHA256(watch key, "govchain/watch/v1\\n" ‖ 0 ‖ month (u16) ‖ n (u32)),   month = year · 12 + month − 1

so the phone walks n = 0, 1, … of each month to the first tag that is proven absent from the state (key u ‖ tag).

Concealed uses have a series of their own (1 instead of 0), by the month in which the concealment ends: an absent tag
there may only mean that it is not revealed yet, and must not end the walk over open uses. The phone repeats the walk
of such a month until the month is over and the ledger shows no unrevealed use that was due by then (state keys x).
What the ledger holds until the reveal is the blinded tag, SHA-256("govchain/concealed/v1\\n" ‖ salt ‖ tag).
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256

WATCH = b"govchain/watch/v1\n"
CONCEALED = b"govchain/concealed/v1\n"


def month_of(seconds: int) -> int:
    """The number of the calendar month (UTC) in which a block time lies."""
    day = datetime.fromtimestamp(seconds, UTC)
    return day.year * 12 + day.month - 1


def tag(watch_key: bytes, *, month: int, n: int, concealed: bool = False) -> bytes:
    """The tag (32 bytes) of the month's n-th use, from 0."""
    message = WATCH + bytes([concealed]) + month.to_bytes(2) + n.to_bytes(4)
    return hmac.digest(watch_key, message, "sha256")


def conceal(*, tag: bytes, salt: bytes) -> bytes:
    """What a concealed use shows instead of its tag; `salt` is 32 random bytes."""
    return sha256(CONCEALED + salt + tag).digest()
