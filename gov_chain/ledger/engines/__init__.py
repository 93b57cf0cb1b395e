"""Engines decide the order of transactions; the rules, the store and the log are the same under each.

`tests/ledger/contract.py` is what every engine must pass.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction's outcome, durable when you see it: committed, executed and fsynced on this node."""

    time: int
    first: int
    """Index of the transaction's own leaf."""
    positions: tuple[int | None, ...]
    """For each of its records, the index of its entry; None if it was refused."""
    refused: dict[int, str]
    """Position → refusal code."""


class Engine(Protocol):
    def submit(self, body: bytes) -> Future[Committed]:
        """Queue a signed transaction; the future ends with its outcome, or the `LedgerError` that refused it whole.

        Submitting the same bytes again is refused (sequence-used); `outcome` finds what the first attempt did.
        Transactions are executed in the order of submission.
        """

    def outcome(self, body: bytes) -> Committed | None:
        """What became of a transaction submitted earlier, if it is in the log."""

    def close(self) -> None:
        """Finish what is queued, then release the store."""
