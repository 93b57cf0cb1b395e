"""Exchange a pre-authorized code and its transaction code for an access token, once.

A try is taken before the transaction code is looked at, by one conditional update: however many requests come
at once, no more than five look. The code is used by a second conditional update: of two right answers one wins.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from certificates.actions.make_offer import tx_code_digest
from certificates.core.errors import CertificateError
from certificates.models import AccessToken, Offer
from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from gov_chain.web import live
from identity.models import Agency

TOKEN_LIFETIME = 600


@dataclass(frozen=True, slots=True)
class RedeemedCode:
    token: str
    expires_in: int
    """Seconds."""
    configuration: str
    identifier: str


def redeem_code(
    *, agency: Agency, code: str, tx_code: str | None, asked: Collection[str] | None = None
) -> RedeemedCode:
    """The access token. `asked`: configurations the wallet named by authorization_details; it then gets a
    credential_identifier.

    Raises `CertificateError`: code-invalid, offer-expired, offer-locked, details-invalid, tx-code-missing,
    tx-code-wrong.
    """
    offer = Offer.objects.select_related("type").filter(code_digest=sha256(code.encode()), type__agency=agency).first()
    if offer is None or offer.state in (Offer.State.REDEEMED, Offer.State.CLAIMED):
        raise CertificateError("code-invalid")
    if offer.state == Offer.State.LOCKED:
        raise CertificateError("offer-locked")
    if offer.expires_at <= clock.now():
        raise CertificateError("offer-expired")
    if asked is not None and offer.type.slug not in asked:
        raise CertificateError("details-invalid")
    if tx_code is None:
        raise CertificateError("tx-code-missing")
    open_offer = Offer.objects.filter(pk=offer.pk, state=Offer.State.OPEN)
    if not open_offer.filter(tries_left__gt=0).update(tries_left=F("tries_left") - 1):
        raise CertificateError("offer-locked")
    # Durable here: the try counts, also if the process dies before it is judged.
    if not hmac.compare_digest(tx_code_digest(offer, tx_code), bytes(offer.tx_code_digest)):
        _count_wrong(offer)
    token = b64url(secrets.token_bytes(32))
    identifier = f"{offer.type.slug}.{b64url(secrets.token_bytes(9))}" if asked is not None else ""
    with transaction.atomic():
        if not open_offer.update(state=Offer.State.REDEEMED):
            raise CertificateError("code-invalid")
        AccessToken.objects.create(
            digest=sha256(token.encode()),
            offer=offer,
            identifier=identifier,
            expires_at=clock.now() + TOKEN_LIFETIME,
        )
        live.announce(f"offer/{offer.pk}", {"state": "redeemed"})
    return RedeemedCode(token, TOKEN_LIFETIME, offer.type.slug, identifier)


def _count_wrong(offer: Offer) -> None:
    left = Offer.objects.values_list("tries_left", flat=True).get(pk=offer.pk)
    if left == 0:
        Offer.objects.filter(pk=offer.pk, state=Offer.State.OPEN, tries_left=0).update(state=Offer.State.LOCKED)
        live.announce(f"offer/{offer.pk}", {"state": "locked"})
        raise CertificateError("offer-locked")
    raise CertificateError("tx-code-wrong", left=left)
