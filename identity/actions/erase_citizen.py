"""Destroy a citizen's data key, and lodge the proof of it.

In one transaction, the caller's: the wrapped key is overwritten and goes with the citizen's row, and a record with the
proof's digest goes to the outbox. A crash before the commit leaves everything as it was; after it, whatever the key
sealed (name and number here, consents elsewhere) opens nowhere again, also not from what the database file still holds
of deleted rows. The digest is of a signed text: it tells nothing, and proves when the proof was there.
"""

from __future__ import annotations

from django.db import transaction

from gov_chain.core.codec import sha256
from gov_chain.ledger import outbox
from gov_chain.ledger.core import records
from gov_chain.ledger.relay import Outcome
from identity import personal
from identity.models import Citizen, ErasureProof

TOPIC = "identity.erasure"


def erase_citizen(*, citizen: Citizen, proof: ErasureProof) -> int:
    """The outbox row of the evidence; the receipt is added to `proof` once it is final. Inside `transaction.atomic`."""
    wrapped = citizen.wrapped
    Citizen.objects.filter(pk=citizen.pk).update(data_key_sealed=b"", personal=b"")
    row = outbox.enqueue(
        agency=proof.home_id,
        record=records.evidence(evidence=records.ERASURE, digest=sha256(proof.proof.encode())),
        subject=f"{TOPIC}:{proof.number}",
    )
    citizen.delete()
    transaction.on_commit(lambda: personal.forget(wrapped))
    return row


def lodged(outcome: Outcome) -> None:
    """The ledger has it: keep the receipt beside the proof."""
    if outcome.receipt:
        ErasureProof.objects.filter(number=outcome.subject.partition(":")[2]).update(receipt=outcome.receipt)
