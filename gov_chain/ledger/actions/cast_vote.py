"""An agency of this node votes on a proposal."""

from __future__ import annotations

from gov_chain.ledger import governing
from gov_chain.ledger.core import records
from gov_chain.ledger.governing import Recorded


def cast_vote(*, agency: int, proposal: int, yes: bool) -> Recorded:
    """Vote and wait until it is final; the deciding yes puts the proposal into effect.

    Raises `LedgerError` with the rule's code, before anything is written where the rule can be seen to refuse it.
    """
    record = records.vote(proposal=proposal, yes=yes)
    outcome = governing.send(agency, record, subject=f"ledger.vote:{proposal}")
    return governing.recorded(proposal, outcome)
