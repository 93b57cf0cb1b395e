"""A request signed by a device (a sensor, a scanner), as an agency takes it.

`Authorization: GovChain-Device <JWS>` on a POST, EdDSA or ES256 by the device's key, `typ` `govchain-device+jwt`, `kid`
the device's did:key; claims aud (the agency's slug), iat, jti, htu (the path) and body_sha256 (base64url). Checked in
this order:

1. `kid` is a did:key of a P-256 or Ed25519 key; the signature verifies under that very key
2. `aud`, `htu` and `body_sha256` are this request's
3. `iat` is within 60 s of now; `jti` has 8 to 128 characters

Whether the device is enrolled, and the `jti` new, is the caller's to know.
"""

from __future__ import annotations

from dataclasses import dataclass

from gov_chain.core.codec import b64url, sha256
from identity.core import jose
from identity.core import jwk as jwks
from identity.core.dids import DidError
from identity.core.dids import key as did_key

TYP = "govchain-device+jwt"
WINDOW = 60


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    did: str
    jti: str
    expires: int


def verify(token: str, *, audience: str, path: str, body: bytes, now: int) -> DeviceRequest:
    """Raises `jose.JoseError`."""
    did = jose.peek(token).header.get("kid")
    if not isinstance(did, str) or not did.startswith(did_key.PREFIX):
        raise jose.JoseError("kid is not a did:key")
    try:
        found = did_key.read(did)
    except DidError as error:
        raise jose.JoseError(str(error)) from error
    if found.kind not in ("Ed25519", "P-256"):
        raise jose.JoseError("a device's key is Ed25519 or P-256")
    key = jwks.from_public_key(found.public_key)
    claims = jose.verify(token, key, typ=TYP).claims
    expected = {"aud": audience, "htu": path, "body_sha256": b64url(sha256(body))}
    if any(claims.get(name) != value for name, value in expected.items()):
        raise jose.JoseError("signed for another request")
    issued, jti = claims.get("iat"), claims.get("jti")
    if type(issued) is not int or abs(now - issued) > WINDOW:
        raise jose.JoseError("signed too long ago, or in the future")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 128:
        raise jose.JoseError("jti must be 8 to 128 characters")
    return DeviceRequest(did, jti, issued + WINDOW + 1)
