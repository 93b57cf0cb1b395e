"""An agency of this node puts something to the vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gov_chain.ledger import governing, node
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.governing import Recorded

TRIES = 3
"""Two agencies that propose at once take the same number; one of them takes the next."""


def make_proposal(*, agency: int, action: Sequence[Any], life: int) -> Recorded:
    """Propose and wait until it is final; it counts as the agency's yes, and passes at once if that is enough.

    `action` is [action number, *fields] of `proposals.ACTIONS`, `life` seconds. Raises `LedgerError` with the rule's
    code, before anything is written where the rule can be seen to refuse it.
    """
    for left in reversed(range(TRIES)):
        reader = node.ledger()
        number = next((each.number for each in reader.proposals(1)), 0) + 1
        expires = governing.block_time(reader) + life
        record = records.propose(proposal=number, action=action, expires=expires)
        try:
            outcome = governing.send(agency, record, subject=f"ledger.proposal:{number}")
        except LedgerError as error:
            if error.code != "proposal-number-not-next" or not left:
                raise
            continue
        return governing.recorded(number, outcome)
    raise AssertionError("the last try returns or raises")
