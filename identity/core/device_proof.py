"""The proof that a request comes from a wallet's phone: a DPoP-shaped JWS (RFC 9449 §4.2, §4.3).

Checks, in this order:

1. `typ` is `dpop+jwt`; the header's `jwk` is a public P-256 key; no other key-bearing member
2. the signature verifies under that very key (ES256)
3. `htm` is the request's method, `htu` its absolute URL without query and fragment
4. `iat` is within 120 s of now
5. `jti` is a string of 8–128 characters

The caller compares the key with the one it knows, and lets each `jti` pass once.
"""

from __future__ import annotations

from dataclasses import dataclass

from identity.core import jose
from identity.core import jwk as jwks

TYP = "dpop+jwt"
WINDOW = 120
"""Seconds a phone's clock may differ, either way."""


@dataclass(frozen=True, slots=True)
class DeviceProof:
    jwk: jwks.Jwk
    thumbprint: str
    jti: str
    expires: int
    """From then on the same proof would fail check 4."""


def verify(token: str, *, method: str, url: str, now: int) -> DeviceProof:
    """The proven key and `jti`; raises `jose.JoseError`."""
    header = jose.peek(token, allow=("jwk",)).header
    try:
        jwk = jwks.public(header.get("jwk"))
    except jwks.JwkError as error:
        raise jose.JoseError(str(error)) from error
    if jwk["kty"] != "EC":
        raise jose.JoseError("a phone's key is P-256")
    claims = jose.verify(token, jwk, typ=TYP, allow=("jwk",)).claims
    if claims.get("htm") != method or claims.get("htu") != url:
        raise jose.JoseError("made for another request")
    issued = claims.get("iat")
    if type(issued) is not int or abs(now - issued) > WINDOW:
        raise jose.JoseError("made too long ago, or in the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 128:
        raise jose.JoseError("jti must be 8 to 128 characters")
    return DeviceProof(jwk=jwk, thumbprint=jwks.thumbprint(jwk), jti=jti, expires=issued + WINDOW + 1)
