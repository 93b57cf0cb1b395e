"""A wallet provider's word on where a holder key lies and how it is opened (OpenID4VCI 1.0 Appendix D).

Looked at wherever one is given, and believed only under the key of a provider this node was told to trust
(`GOVCHAIN_WALLET_PROVIDERS`); none is by default, and then every attestation is refused. In this order:

1. `typ` is key-attestation+jwt, and the signature verifies under a trusted provider's key (ES256 or EdDSA, by that key)
2. `iat` is not in the future; `exp`, which must be there beside a jwt proof, is not past
3. `attested_keys` is a non-empty array of public keys, 20 at most
4. `nonce`, where there is one, is the issuer's; with the attestation proof type (Appendix F.3) there must be one
5. `key_storage` and `user_authentication` are arrays of short strings; the first of each is kept with the certificate

A bad one is refused as an invalid proof (§8.3.1.2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from certificates.core.errors import CertificateError
from identity.core import jose, jwk

TYPE = "key-attestation+jwt"
LEEWAY = 60
MOST_KEYS = 20


@dataclass(frozen=True, slots=True)
class Attestation:
    keys: tuple[dict[str, str], ...]
    nonce: str | None
    key_storage: str
    """The attack potential it resists, as the provider says (Appendix D.2, e.g. iso_18045_high); empty: not said."""
    user_authentication: str

    def attests(self, thumbprint: str) -> bool:
        return any(jwk.thumbprint(key) == thumbprint for key in self.keys)


def verify(token: object, *, providers: Collection[Mapping[str, Any]], now: int, must_expire: bool) -> Attestation:
    """Raises `CertificateError` proof-invalid; `providers` are public JWKs."""
    if not isinstance(token, str):
        raise _invalid("not a JWT")
    claims = _signed(token, providers)
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or issued > now + LEEWAY:
        raise _invalid("iat")
    if (expires is None and must_expire) or (expires is not None and (type(expires) is not int or expires <= now)):
        raise _invalid("exp")
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise _invalid("nonce")
    return Attestation(
        keys=_keys(claims.get("attested_keys")),
        nonce=nonce,
        key_storage=_level(claims.get("key_storage")),
        user_authentication=_level(claims.get("user_authentication")),
    )


def _signed(token: str, providers: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    for provider in providers:
        try:
            return jose.verify(token, provider, typ=TYPE, allow=("x5c",)).claims
        except jose.JoseError:
            continue
    raise _invalid("signed by no trusted wallet provider")


def _keys(value: object) -> tuple[dict[str, str], ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_KEYS:
        raise _invalid("attested_keys")
    try:
        return tuple(jwk.public(key) for key in value)
    except jwk.JwkError as error:
        raise _invalid("attested_keys") from error


def _level(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, list) or not value or any(not isinstance(each, str) or len(each) > 40 for each in value):
        raise _invalid("levels")
    return str(value[0])


def _invalid(log: str) -> CertificateError:
    return CertificateError("proof-invalid", where="key_attestation", log=log)
