"""The recorder's side, shared by our wallets and others: from checked evidence to a grant on the ledger."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from consent.core import artefact
from consent.core.agreement import Agreement
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import Grant
from consent.registry import IssuedCertificate
from gov_chain.core.codec import b64url, sha256
from gov_chain.ledger import outbox, relay
from gov_chain.ledger.core import records
from identity.models import Agency

SUBJECT = "consent.grant"


@dataclass(frozen=True, slots=True)
class RecordedGrant:
    handle: bytes
    receipt: str


def binding(kb_jwt: str) -> bytes:
    """Which signed consent this is, whatever the form of its signature: SHA-256 of the key binding's signed part.

    It covers the certificate too, through `sd_hash`.
    """
    return sha256(kb_jwt.rpartition(".")[0].encode())


def key_context(handle: bytes) -> bytes:
    return b"govchain/one-time-key/v1\n" + handle


def artefact_context(handle: bytes) -> bytes:
    return b"govchain/consent-record/v1\n" + handle


def require_usable(certificate: IssuedCertificate, terms: MatterTerms, *, now: int) -> None:
    """The certificate is of the type the matter asks for, and in time; raises `ConsentError`."""
    if (certificate.type, certificate.version) not in [(t.number, t.version) for t in terms.types]:
        raise ConsentError("certificate-untrusted", log="another type than the matter's")
    if certificate.expires <= now:
        raise ConsentError("certificate-expired")


def known(evidence_digest: bytes, recorder: Agency) -> Grant | None:
    """The grant that this very evidence made before: a retry."""
    return Grant.objects.filter(evidence_digest=evidence_digest, recorder=recorder).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What the recorder keeps, and under whose keys it was sealed."""

    artefact: bytes
    salt: bytes
    one_time_key: bytes | None
    owner_tag: bytes | None


def enqueue(
    *,
    recorder: Agency,
    terms: MatterTerms,
    agreed: Agreement,
    record: dict[str, Any],
    sealed: Sealed,
    evidence_digest: bytes,
    request_id: uuid.UUID,
    mandate_issuer: int | None = None,
) -> Grant:
    """The pending grant and its outbox row, together. Raises `ConsentError` handle-taken."""
    try:
        with transaction.atomic():
            grant = Grant.objects.create(
                recorder=recorder,
                handle=agreed.handle,
                evidence_digest=evidence_digest,
                owner_tag=sealed.owner_tag,
                artefact_sealed=sealed.artefact,
                artefact_salt=sealed.salt,
                one_time_key_sealed=sealed.one_time_key,
                asker=terms.agency,
                request_id=request_id,
                mandate_issuer=mandate_issuer,
                created_at=agreed.given,
                not_after=agreed.not_after,
            )
            grant.outbox = outbox.enqueue(
                agency=recorder.number,
                record=records.grant(
                    handle=agreed.handle,
                    matter=terms.number,
                    version=terms.version,
                    masks=agreed.masks,
                    not_after=agreed.not_after,
                    uses=agreed.uses,
                    consent_digest=artefact.digest(record, salt=sealed.salt),
                ),
                subject=f"{SUBJECT}:{grant.pk}",
            )
            grant.save(update_fields=["outbox"])
    except IntegrityError as error:
        # The same consent posted twice at once, or a handle someone has used.
        again = known(evidence_digest, recorder)
        if again is None:
            raise ConsentError("handle-taken") from error
        return again
    return grant


def settle(grant: Grant) -> RecordedGrant:
    """Wait until the grant is final; nothing is handed out before. Raises `ConsentError`."""
    if grant.state == Grant.State.PENDING:
        relay.settle([grant.outbox])
        grant.refresh_from_db()
    if grant.state == Grant.State.REFUSED:
        raise ConsentError("grant-refused", reason=grant.refusal)
    if grant.state == Grant.State.PENDING:
        raise ConsentError("ledger-slow", retry_after=2)
    return RecordedGrant(handle=bytes(grant.handle), receipt=grant.receipt)


def on_outcome(outcome: relay.Outcome) -> None:
    """The ledger has decided about a grant. Repeatable."""
    pk = int(outcome.subject.partition(":")[2])
    pending = Grant.objects.filter(pk=pk, state=Grant.State.PENDING)
    if outcome.state == "final":
        pending.update(state=Grant.State.LIVE, index=outcome.index, receipt=outcome.receipt)
    elif outcome.state == "refused":
        # Nobody was given anything: the key that was kept for it goes too.
        pending.update(state=Grant.State.REFUSED, refusal=outcome.code, one_time_key_sealed=None)


def salt() -> bytes:
    return secrets.token_bytes(16)


def kept(record: dict[str, Any], secret: bytes) -> bytes:
    """The consent record and the secret that withdraws it, as they are sealed together."""
    return json.dumps({"record": record, "secret": b64url(secret)}, ensure_ascii=False).encode()
