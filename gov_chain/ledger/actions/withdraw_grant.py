"""A citizen's phone withdraws a grant by showing its secret, through whichever node it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction

from gov_chain.ledger import node, outbox, relay
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.models import NodeKey


@dataclass(frozen=True, slots=True)
class WithdrawnGrant:
    index: int
    receipt: str


def withdraw_grant(*, secret: bytes) -> WithdrawnGrant:
    """Record the withdrawal and wait until it is final; raises `LedgerError` (grant-unknown, grant-withdrawn, …).

    Unknown secrets are refused before anything is written.
    """
    grant = node.ledger().grant(sha256(secret).digest())
    if grant is None:
        raise LedgerError("grant-unknown")
    carrier = NodeKey.objects.order_by("agency").first()
    if carrier is None:
        raise LedgerError("outbox-key-missing", log="no hosted agency")
    with transaction.atomic():
        row = outbox.enqueue(
            agency=carrier.agency,
            record=records.withdraw(secret=secret),
            subject=f"ledger.withdrawal:{grant.index}",
        )
    outcome = relay.settle([row])[0]
    if outcome.state == "refused":
        raise LedgerError(outcome.code)
    if outcome.index is None or outcome.receipt is None:
        raise LedgerError("sequencer-stopped", log="withdrawal still pending")
    return WithdrawnGrant(outcome.index, outcome.receipt)
