"""Put a certificate type's definition on the ledger: the document published, the record in the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from certificates.models import CertificateType
from gov_chain.ledger import documents, node, outbox
from gov_chain.ledger.core import records
from identity.models import Agency


@dataclass(frozen=True, slots=True)
class Registration:
    type: CertificateType
    outbox_id: int | None
    """None when the type was there already, unless the ledger had refused it."""


def register_type(*, agency: Agency, definition: dict[str, Any]) -> Registration:
    """Idempotent: the same version is registered once; one that was refused is sent again.

    One that the ledger has from before this database began is taken over as it is.
    """
    with transaction.atomic():
        digest = documents.publish(definition)
        kind, made = CertificateType.objects.get_or_create(
            number=definition["number"],
            version=definition["version"],
            defaults={"slug": definition["id"], "agency": agency, "definition": definition, "digest": digest},
        )
        state = node.ledger().type(kind.number, kind.version)
        if made and state is not None and (state.agency, state.digest) == (agency.number, digest):
            CertificateType.objects.filter(pk=kind.pk).update(state="active")
            return Registration(kind, None)
        again = CertificateType.objects.filter(pk=kind.pk, state="refused").update(state="pending", refusal="")
        if not made and not again:
            return Registration(kind, None)
        record = records.type_(
            type=kind.number,
            version=kind.version,
            digest=digest,
            grades=[field["grade"] for field in definition["fields"]],
        )
        # Durable together: a type is never pending without its record on the way.
        row = outbox.enqueue(agency=agency.number, record=record, subject=f"certificates.type:{kind.pk}")
    return Registration(kind, row)
