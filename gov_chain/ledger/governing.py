"""Proposals and votes on their way to the ledger: tried against its present state, then sent through the outbox.

What the rules would refuse is refused here, before anything is written, by the same code and for the same reason
(`core.forecast` runs the rule itself). Between the trial and the block somebody else may act: the ledger decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from gov_chain.clock import now
from gov_chain.ledger import node, outbox, relay
from gov_chain.ledger.core import entries, forecast
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.standing import ProposalState


@dataclass(frozen=True, slots=True)
class Recorded:
    """A proposal or a vote, final."""

    proposal: ProposalState
    tally: forecast.Tally
    index: int
    receipt: str


def trial(agency: int, record: bytes) -> str | None:
    """The code the ledger would refuse the agency's record with now, or None."""
    reader = node.ledger()
    size = reader.size
    return forecast.judge(
        reader.state_at, agency=agency, record=record, time=block_time(reader), at=size + 1, ledger_id=reader.ledger_id
    )


def send(agency: int, record: bytes, *, subject: str) -> relay.Outcome:
    """Try, put in the outbox, wait; raises `LedgerError` with the code it was refused for."""
    code = trial(agency, record)
    if code is not None:
        raise LedgerError(code)
    with transaction.atomic():
        row = outbox.enqueue(agency=agency, record=record, subject=subject)
    outcome = relay.settle([row])[0]
    if outcome.state == "refused":
        raise LedgerError(outcome.code)
    if outcome.index is None:
        raise LedgerError("sequencer-stopped", log=f"{subject} still pending")
    return outcome


def recorded(number: int, outcome: relay.Outcome) -> Recorded:
    proposal = node.ledger().proposal(number)
    assert proposal is not None
    assert outcome.index is not None
    return Recorded(proposal, tally(proposal), outcome.index, outcome.receipt or "")


def tally(proposal: ProposalState, time: int | None = None) -> forecast.Tally:
    """How it stands, now or at a block time."""
    return forecast.tally(
        voters=len(proposal.voters),
        votes=proposal.votes,
        effect=proposal.effect_index,
        expires=proposal.expires,
        time=block_time(node.ledger()) if time is None else time,
    )


def block_time(reader: Reader) -> int:
    """What the next block's time would be: the last entry's, or this machine's clock."""
    return max(entries.unwrap(reader.entry(reader.size - 1))[0], now())
