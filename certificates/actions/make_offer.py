"""Offer one subject their certificate: a pre-authorized code in a link or QR, and six digits told separately."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import quote

from certificates.models import CertificateType, Offer, RegisterRow
from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from identity import agencies
from identity.models import Officer
from identity.tokens import keyed_digest

LIFETIME = 30 * 60
TX_CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class MadeOffer:
    offer: Offer
    tx_code: str
    """Known only here and now: the database has a keyed digest."""
    uri: str
    """openid-credential-offer://…, for any wallet."""
    wallet_url: str
    """The same for our own wallet, on the same device."""


def make_offer(*, type: CertificateType, row: RegisterRow, made_by: Officer | None) -> MadeOffer:
    """A new offer, valid for half an hour."""
    now = clock.now()
    code = b64url(secrets.token_bytes(32))
    tx_code = f"{secrets.randbelow(10**TX_CODE_LENGTH):0{TX_CODE_LENGTH}d}"
    offer = Offer(
        type=type,
        row=row,
        made_by=made_by,
        code=code,
        code_digest=sha256(code.encode()),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    offer.tx_code_digest = tx_code_digest(offer, tx_code)
    offer.save(force_insert=True)
    agency = type.agency
    by_reference = quote(f"{agency.url}/oid4vci/offers/{offer.pk}", safe="")
    return MadeOffer(
        offer,
        tx_code,
        f"openid-credential-offer://?credential_offer_uri={by_reference}",
        agencies.wallet_url(f"offer?credential_offer_uri={by_reference}"),
    )


def tx_code_digest(offer: Offer, tx_code: str) -> bytes:
    return keyed_digest("tx_code", str(offer.pk), tx_code)
