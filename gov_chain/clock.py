"""The platform's clock: the one place outside the ledger that asks what time it is.

Kept apart from `gov_chain.core`, which reads no clock. Tests move it with time-machine.
"""

from __future__ import annotations

import time


def now() -> int:
    """Seconds since the Unix epoch, UTC, whole."""
    return int(time.time())
