"""The wallet's proof that it holds the key a certificate will be bound to (OpenID4VCI 1.0 §8.2.1.1, App. F.1, F.4).

1. `typ` is openid4vci-proof+jwt; the key is in the header's `jwk`: a public P-256 key, nothing else beside it
2. `alg` is ES256 and the signature verifies under that key
3. `aud` is this credential issuer
4. `iat` is fresh
5. there is a `nonce` (whose worth the issuer checks)
6. `holder_binding`, where our own wallet sends it, is 32 bytes (`identity.core.holder_binding`)
"""

from __future__ import annotations

from dataclasses import dataclass

from certificates.core import strict_json
from certificates.core.errors import CertificateError
from gov_chain.core.codec import b64url_decode
from identity.core import holder_binding, jose, jwk

TYPE = "openid4vci-proof+jwt"
MAX_AGE = 600
LEEWAY = 60


@dataclass(frozen=True, slots=True)
class HolderProof:
    jwk: dict[str, str]
    thumbprint: str
    nonce: str
    binding: str | None
    """What ties the key to a phone; None from a wallet of another make."""


def verify(token: str, *, expected_audience: str, now: int) -> HolderProof:
    """The proven key and its nonce; raises `CertificateError` proof-invalid or nonce-invalid."""
    try:
        peeked = jose.peek(token, allow=("jwk",))
        if "kid" in peeked.header:
            raise CertificateError("proof-invalid", where="kid")
        holder = jwk.public(peeked.header.get("jwk"))
        if jwk.algorithm(holder) != "ES256":
            raise CertificateError("proof-invalid", where="alg")
        jose.verify(token, holder, typ=TYPE, allow=("jwk",))
        claims = strict_json.loads(peeked.payload)
    except ValueError as error:
        raise CertificateError("proof-invalid", where="jwt", log=str(error)) from error
    if not isinstance(claims, dict) or claims.get("aud") != expected_audience:
        raise CertificateError("proof-invalid", where="aud")
    issued_at = claims.get("iat")
    if type(issued_at) is not int or not now - MAX_AGE <= issued_at <= now + LEEWAY:
        raise CertificateError("proof-invalid", where="iat")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str):
        # §8.3.1.2: a proof without one is an invalid proof; only a wrong one is an invalid nonce.
        raise CertificateError("proof-invalid", where="nonce")
    if not nonce.isascii() or len(nonce) > 200:
        raise CertificateError("nonce-invalid")
    binding = claims.get(holder_binding.CLAIM)
    if binding is not None and not _is_digest(binding):
        raise CertificateError("proof-invalid", where=holder_binding.CLAIM)
    return HolderProof(holder, jwk.thumbprint(holder), nonce, binding)


def _is_digest(value: object) -> bool:
    try:
        return isinstance(value, str) and len(b64url_decode(value)) == 32
    except ValueError:
        return False
