"""A certificate's anchor: what the ledger keeps of it (design §7).

SHA-256 over a domain line, the certificate's own 16 random bytes (`anchor_salt`) and the issuer-signed JWT.
Whoever has the certificate can recompute it; from the ledger alone nothing can be learned or guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gov_chain.core.codec import b64url_decode, sha256

DOMAIN = b"govchain/anchor/v1\n"
SALT_BYTES = 16


def commitment(salt: bytes, issuer_jwt: str) -> bytes:
    return sha256(DOMAIN, salt, issuer_jwt.encode("ascii"))


def commitment_of(payload: Mapping[str, Any], issuer_jwt: str) -> bytes | None:
    """The commitment by the salt in the payload; None if there is no salt of the right length."""
    text = payload.get("anchor_salt")
    try:
        salt = b64url_decode(text) if isinstance(text, str) else b""
    except ValueError:
        return None
    return commitment(salt, issuer_jwt) if len(salt) == SALT_BYTES else None
