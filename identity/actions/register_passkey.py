"""Add a passkey to an unlocked wallet (Web Authentication Level 3 §7.1)."""

from __future__ import annotations

from typing import Any

import webauthn
from django.db import IntegrityError

from identity import passkeys
from identity.errors import IdentityError
from identity.models import Passkey, PasskeyChallenge, Wallet


def register_passkey(*, wallet: Wallet, credential: dict[str, Any]) -> Passkey:
    """The stored passkey; raises `IdentityError("passkey-invalid")`."""
    challenge = passkeys.take_challenge(wallet, PasskeyChallenge.Purpose.REGISTER)
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=passkeys.rp_id(),
            expected_origin=passkeys.origin(),
            require_user_verification=True,
            supported_pub_key_algs=passkeys.ALGORITHMS,
        )
        return Passkey.objects.create(
            wallet=wallet,
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
        )
    except (*passkeys.UNREADABLE, IntegrityError) as error:
        raise IdentityError("passkey-invalid", log=type(error).__name__) from error
