"""Open a wallet with a passkey instead of the PIN (Web Authentication Level 3 §7.2).

A locked wallet stays locked: the passkey is no way around the home officer.
"""

from __future__ import annotations

from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes

from identity import passkeys, wallets
from identity.errors import IdentityError
from identity.models import Passkey, PasskeyChallenge, Wallet


def unlock_with_passkey(*, wallet: Wallet, assertion: dict[str, Any]) -> wallets.Session:
    """A session for `wallet`; raises `IdentityError`: passkey-invalid, wallet-locked."""
    if wallet.tries_left == 0:
        raise IdentityError("wallet-locked")
    challenge = passkeys.take_challenge(wallet, PasskeyChallenge.Purpose.UNLOCK)
    passkey = _passkey(wallet, assertion)
    try:
        verified = webauthn.verify_authentication_response(
            credential=assertion,
            expected_challenge=challenge,
            expected_rp_id=passkeys.rp_id(),
            expected_origin=passkeys.origin(),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except passkeys.UNREADABLE as error:
        raise IdentityError("passkey-invalid", log=type(error).__name__) from error
    # A copied authenticator shows an old count; of two uses with one count, one is refused.
    advanced = Passkey.objects.filter(pk=passkey.pk, sign_count=passkey.sign_count).update(
        sign_count=verified.new_sign_count
    )
    if not advanced:
        raise IdentityError("passkey-invalid", log="sign count")
    return wallets.open_session(wallet)


def _passkey(wallet: Wallet, assertion: dict[str, Any]) -> Passkey:
    raw_id = assertion.get("rawId")
    try:
        credential_id = base64url_to_bytes(raw_id) if isinstance(raw_id, str) else b""
    except ValueError as error:
        raise IdentityError("passkey-invalid", log="rawId") from error
    passkey = wallet.passkeys.filter(credential_id=credential_id).first()
    if passkey is None:
        raise IdentityError("passkey-invalid", log="credential of no passkey here")
    return passkey
