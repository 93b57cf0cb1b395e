"""The wallet's proof that it holds the key a certificate will be bound to (OpenID4VCI 1.0 §8.2.1.1, App. F.1, F.4).

1. `typ` is openid4vci-proof+jwt; the key is in the header's `jwk`: a public P-256 key, nothing else beside it
2. `alg` is ES256 and the signature verifies under that key
3. `aud` is this credential issuer
4. `iat` is fresh
5. there is a `nonce` (whose worth the issuer checks)
6. a `key_attestation` in the header, where there is one, holds and attests this very key (App. D)
7. `holder_binding`, where our own wallet sends it, is 32 bytes (`identity.core.holder_binding`)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from certificates.core import key_attestation, strict_json
from certificates.core.errors import CertificateError
from certificates.core.key_attestation import Attestation
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
    attestation: Attestation | None = None
    """What a trusted wallet provider says of the key."""


def verify(
    token: str, *, expected_audience: str, now: int, providers: Collection[Mapping[str, Any]] = ()
) -> HolderProof:
    """The proven key and its nonce; raises `CertificateError` proof-invalid or nonce-invalid.

    `providers` are the keys of trusted wallet providers (`key_attestation`).
    """
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
    thumbprint = jwk.thumbprint(holder)
    attestation = None
    if "key_attestation" in peeked.header:
        given = peeked.header["key_attestation"]
        attestation = key_attestation.verify(given, providers=providers, now=now, must_expire=True)
        if not attestation.attests(thumbprint) or attestation.nonce not in (None, nonce):
            raise CertificateError("proof-invalid", where="key_attestation")
    return HolderProof(holder, thumbprint, nonce, binding, attestation)


def verify_attested(token: str, *, now: int, providers: Collection[Mapping[str, Any]]) -> HolderProof:
    """The `attestation` proof type (App. F.3): the provider vouches for the one key, nothing is signed with it.

    Raises `CertificateError` proof-invalid or nonce-invalid.
    """
    attestation = key_attestation.verify(token, providers=providers, now=now, must_expire=False)
    if attestation.nonce is None or len(attestation.keys) != 1 or jwk.algorithm(attestation.keys[0]) != "ES256":
        raise CertificateError("proof-invalid", where="attestation")
    if not attestation.nonce.isascii() or len(attestation.nonce) > 200:
        raise CertificateError("nonce-invalid")
    (holder,) = attestation.keys
    return HolderProof(holder, jwk.thumbprint(holder), attestation.nonce, None, attestation)


def _is_digest(value: object) -> bool:
    try:
        return isinstance(value, str) and len(b64url_decode(value)) == 32
    except ValueError:
        return False
