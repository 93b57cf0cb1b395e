"""Two shares of one key and size, as the record that proves it to the ledger."""

from __future__ import annotations

from gov_chain.ledger.core import records
from gov_chain.ledger.cosigner.shares import Share


def record(one: Share, two: Share) -> bytes:
    """For any agency to submit; raises `LedgerError("record-malformed")`."""
    first, second = ((each.set_digest, each.body_digest, each.signature) for each in (one, two))
    return records.equivocation(bls_key=one.bls_key, size=one.size, one=first, two=second)
