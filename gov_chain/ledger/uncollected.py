"""Work that makes many rows and no cycles, done without the searches for cycles that so many rows would set off.

A block makes some ten thousand short-lived lists, a check of a whole ledger keeps millions: each of Python's searches
walks all there are. Reference counts free them all the same.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """In one thread or several: who found the search running sets it going again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
