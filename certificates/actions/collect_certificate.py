"""Hand a certificate to its holder, once its record is final on the ledger; never before."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction

from certificates.actions.issue_certificate import seal_context
from certificates.core.errors import CertificateError
from certificates.models import Certificate, Offer
from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from gov_chain.web import live
from identity import agencies


@dataclass(frozen=True, slots=True)
class Collected:
    credential: str
    """The SD-JWT with every disclosure."""
    notification_id: str


@dataclass(frozen=True, slots=True)
class StillPending:
    transaction_id: str


def collect_certificate(*, certificate_id: object, transaction_id: str | None = None) -> Collected | StillPending:
    """The certificate, or a `transaction_id` to ask with later. Delivering again is the same certificate.

    Raises `CertificateError`: issue-refused, already-issued (its bytes are no longer kept).
    """
    certificate = Certificate.objects.select_related("agency", "offer").get(pk=certificate_id)
    if certificate.state == Certificate.State.REFUSED:
        raise CertificateError("issue-refused", reason=certificate.refusal)
    if certificate.state == Certificate.State.PENDING:
        if transaction_id is None:
            transaction_id = b64url(secrets.token_bytes(24))
            Certificate.objects.filter(pk=certificate.pk).update(transaction_digest=sha256(transaction_id.encode()))
        return StillPending(transaction_id)
    if certificate.sealed is None:
        raise CertificateError("already-issued")
    text = agencies.sealer(certificate.agency).open(bytes(certificate.sealed), seal_context(certificate)).decode()
    notification_id = b64url(secrets.token_bytes(24))
    with transaction.atomic():
        Certificate.objects.filter(pk=certificate.pk).update(
            delivered_at=clock.now(),
            notification_digest=sha256(notification_id.encode()),
            # §9.1: a transaction_id ends with its delivery. An answer lost on the way is asked for with a new proof.
            transaction_digest=None,
        )
        Offer.objects.filter(pk=certificate.offer_id, state=Offer.State.REDEEMED).update(state=Offer.State.CLAIMED)
        live.announce(f"offer/{certificate.offer_id}", {"state": "claimed"})
    return Collected(text, notification_id)
