"""WebAuthn options for one wallet (Web Authentication Level 3 §5.4, §5.5).

The relying party is the base URL's host; a passkey cannot be bound to an IP address. User
verification is required: the phone's owner, not whoever holds it, opens the wallet.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.utils import timezone
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from identity import tokens
from identity.errors import IdentityError
from identity.models import PasskeyChallenge, Wallet

CHALLENGE_SECONDS = 300
UNREADABLE = (WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError)
"""What the library raises for what it does not accept: it takes CBOR and keys apart without looking at their shape."""
ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]


def origin() -> str:
    return settings.GOVCHAIN.base_url


def rp_id() -> str:
    """Raises `IdentityError("passkey-unavailable")` when the node is reached by an IP address."""
    host = str(urlsplit(origin()).hostname)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    raise IdentityError("passkey-unavailable")


def registration_options(wallet: Wallet) -> dict[str, Any]:
    """`PublicKeyCredentialCreationOptionsJSON`. It names no person: passkeys may be synced elsewhere."""
    options = webauthn.generate_registration_options(
        rp_id=rp_id(),
        rp_name="云州证照钱包",
        user_id=wallet.id.bytes,
        user_name="证照钱包",
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(wallet),
        supported_pub_key_algs=ALGORITHMS,
    )
    _remember(wallet, PasskeyChallenge.Purpose.REGISTER, options.challenge)
    return dict(json.loads(webauthn.options_to_json(options)))


def unlock_options(wallet: Wallet) -> dict[str, Any]:
    """`PublicKeyCredentialRequestOptionsJSON`; raises `IdentityError("passkey-invalid")` if there is no passkey."""
    descriptors = _descriptors(wallet)
    if not descriptors:
        raise IdentityError("passkey-invalid")
    options = webauthn.generate_authentication_options(
        rp_id=rp_id(),
        allow_credentials=descriptors,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _remember(wallet, PasskeyChallenge.Purpose.UNLOCK, options.challenge)
    return dict(json.loads(webauthn.options_to_json(options)))


def take_challenge(wallet: Wallet, purpose: str) -> bytes:
    """The open challenge, which is then gone; raises `IdentityError("passkey-invalid")`."""
    row = PasskeyChallenge.objects.filter(wallet=wallet, purpose=purpose, expires_at__gt=timezone.now()).first()
    # Of two that read it, one deletes it.
    if row is None or not PasskeyChallenge.objects.filter(pk=row.pk).delete()[0]:
        raise IdentityError("passkey-invalid", log="no open challenge")
    return bytes(row.challenge)


def _remember(wallet: Wallet, purpose: str, challenge: bytes) -> None:
    PasskeyChallenge.objects.update_or_create(
        wallet=wallet,
        purpose=purpose,
        defaults={"challenge": challenge, "expires_at": tokens.after(CHALLENGE_SECONDS)},
    )


def _descriptors(wallet: Wallet) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes(passkey.credential_id)) for passkey in wallet.passkeys.all()]
