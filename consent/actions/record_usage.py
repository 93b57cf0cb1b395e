"""Put one look at a presentation on its way to the ledger. Called inside the transaction of its cause."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from consent.models import PresentationResponse, Usage
from gov_chain import clock
from gov_chain.core.codec import canonical_json, sha256
from gov_chain.ledger import outbox
from gov_chain.ledger.core import records
from identity.models import Officer

SUBJECT = "consent.usage"


def record_usage(*, response: PresentationResponse, masks: Sequence[int], officer: Officer | None = None) -> Usage:
    """The pending usage and its outbox row, in the caller's transaction: both are there or neither."""
    request = response.request
    salt = secrets.token_bytes(16)
    context = {"request_id": str(request.id), "matter": request.matter.number, "version": request.matter.version}
    usage = Usage.objects.create(
        response=response, officer=officer, created_at=clock.now(), context_salt=salt, masks=list(masks)
    )
    record = records.usage(
        handle=bytes(response.handle or b""),
        matter=request.matter.number,
        version=request.matter.version,
        masks=masks,
        context_digest=sha256(salt, canonical_json({**context, "look": usage.pk})),
    )
    outbox.enqueue(agency=request.agency_id, record=record, subject=f"{SUBJECT}:{usage.pk}")
    return usage
