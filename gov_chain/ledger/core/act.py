"""A record on trial, and the shape of a rule.

A rule returns the code of its refusal (see `errors.REFUSALS`), or None after writing the record's effect to the
view. It checks everything before it writes anything. Inputs are the state, the submitting agency, the
record, the block time and the index the entry will have: no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gov_chain.ledger.core.state import View


class Act(NamedTuple):
    """A record on trial: already known to fit its row of `records.KINDS`."""

    agency: int
    record: list[Any]
    time: int
    at: int
    """The index its entry will have."""
    entry: bytes
    ledger_id: bytes


Rule = Callable[[View, Act], str | None]
