"""Sign a certificate for the holder's key, and put its anchor on the way to the ledger.

What is signed here is not handed out here: it lies sealed until its record is final (`collect_certificate`).
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from certificates import status_lists
from certificates.actions.publish_status import publish_status
from certificates.core import anchors
from certificates.core.errors import CertificateError
from certificates.core.proofs import HolderProof
from certificates.core.register_rules import PERPETUAL
from certificates.formats import sd_jwt
from certificates.models import AccessToken, Certificate, Offer
from gov_chain import clock
from gov_chain.core.codec import b64url
from gov_chain.ledger import outbox
from gov_chain.ledger.core import records
from identity import agencies, certificates_x509
from identity.core import holder_binding

DECOYS_UP_TO = 6
DELIVERY_WINDOW = 3600
TRIES = 4
_LOCAL = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Issuance:
    certificate_id: uuid.UUID
    outbox_id: int | None
    """None when the certificate was issued by an earlier request of the same holder."""


def issue_certificate(*, token: AccessToken, proof: HolderProof) -> Issuance:
    """Issue what `token`'s offer is for. Asked again with the same key, the same certificate.

    Raises `CertificateError`: already-issued (to another key, or delivered and gone), register-row-expired.
    """
    now = clock.now()
    _empty_undelivered(now)
    if earlier := _earlier(token.offer, proof, now):
        return earlier
    for _ in range(TRIES):
        certificate, record = _sign(token.offer, proof, now)
        try:
            return Issuance(certificate.pk, _save(certificate, record))
        except IntegrityError:
            # Another request was first: of the same offer, or for the same status entry. The unique index decided.
            if earlier := _earlier(token.offer, proof, now):
                return earlier
    raise CertificateError("already-issued")


def _save(certificate: Certificate, record: bytes) -> int:
    with transaction.atomic():
        certificate.save(force_insert=True)
        assert certificate.status_list is not None
        publish_status(certificate.status_list)  # the list's first version, if this is its first certificate
        # Durable together: no certificate is pending without its record on the way.
        return outbox.enqueue(
            agency=certificate.agency_id, record=record, subject=f"certificates.certificate:{certificate.pk}"
        )


def _earlier(offer: Offer, proof: HolderProof, now: int) -> Issuance | None:
    certificate = Certificate.objects.filter(offer=offer).exclude(state=Certificate.State.REFUSED).first()
    if certificate is None:
        return None
    if certificate.holder_thumbprint != proof.thumbprint or certificate.sealed is None:
        raise CertificateError("already-issued")
    return Issuance(certificate.pk, None)


def _sign(offer: Offer, proof: HolderProof, now: int) -> tuple[Certificate, bytes]:
    kind = offer.type
    agency = kind.agency
    signer = agencies.signer(agency, "issue")
    salt = secrets.token_bytes(anchors.SALT_BYTES)
    expires = _expires(offer.row.data, kind.definition["validity_days"], now)
    status, index = status_lists.take_entry(kind)
    claims: dict[str, Any] = {
        "iss": agency.url,
        "iat": now,
        "nbf": now,
        "exp": expires,
        "vct": kind.vct,
        "cnf": {"jwk": proof.jwk},
        **({holder_binding.CLAIM: proof.binding} if proof.binding else {}),
        "anchor_salt": b64url(salt),
        "status": status_lists.claim(status, index),
        **({"matters": offer.row.data["matters"]} if "representation" in kind.definition else {}),
        **{name: offer.row.data[name] for name in kind.field_ids},
    }
    signed = sd_jwt.issue(
        claims=claims,
        disclosable=kind.field_ids,
        header={"kid": signer.key_id, "x5c": certificates_x509.chain(agency, "issue")},
        signer=signer,
        random=secrets.token_bytes,
        decoys=1 + secrets.randbelow(DECOYS_UP_TO),
    )
    certificate = Certificate(
        agency=agency,
        type=kind,
        row=offer.row,
        offer=offer,
        holder_thumbprint=proof.thumbprint,
        key_storage=proof.attestation.key_storage if proof.attestation else "",
        user_authentication=proof.attestation.user_authentication if proof.attestation else "",
        commitment=anchors.commitment(salt, signed.issuer_jwt),
        salt=salt,
        status_list=status,
        status_index=index,
        issued_at=now,
        expires_at=expires,
        deliver_until=now + DELIVERY_WINDOW,
    )
    certificate.sealed = agencies.sealer(agency).seal(signed.text.encode(), seal_context(certificate))
    record = records.issue(type=kind.number, type_version=kind.version, commitment=bytes(certificate.commitment))
    return certificate, record


def seal_context(certificate: Certificate) -> bytes:
    return b"govchain/certificate/v1\n" + certificate.pk.bytes


def _expires(data: dict[str, str], validity_days: int, now: int) -> int:
    """The type's validity, but never beyond the last day of the document the register speaks of."""
    longest = now + validity_days * 86400
    until = data.get("valid_until", PERPETUAL)
    if until == PERPETUAL:
        return longest
    after = datetime.fromisoformat(until).replace(tzinfo=_LOCAL) + timedelta(days=1)
    ends = min(longest, int(after.timestamp()))
    if ends <= now:
        raise CertificateError("register-row-expired")
    return ends


def _empty_undelivered(now: int) -> None:
    """Nobody came for these in time; the signed bytes are not kept longer than delivery needs."""
    Certificate.objects.filter(deliver_until__lte=now, sealed__isnull=False).exclude(state="pending").update(
        sealed=None
    )
