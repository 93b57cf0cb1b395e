"""Public keys as JWK (RFC 7517, 7518 §6.2, 8037) and as the bytes the ledger and `keys.Signer` use.

Only P-256 and Ed25519 exist here. A JWK from outside is taken apart strictly: public members
alone, canonical base64url of full length, a point on the curve. What comes back holds exactly the
members a thumbprint covers (RFC 7638), so equal keys are equal values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gov_chain.core.codec import b64url, b64url_decode, canonical_json, sha256

Jwk = dict[str, str]

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class JwkError(ValueError):
    """Not a public P-256 or Ed25519 key."""


def from_public_key(public_key: bytes) -> Jwk:
    """The JWK of 33 bytes (P-256, SEC 1 compressed) or 32 bytes (Ed25519)."""
    if len(public_key) == 32:
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(public_key)}
    numbers = p256(public_key).public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64url(numbers.x.to_bytes(32)), "y": b64url(numbers.y.to_bytes(32))}


def to_public_key(jwk: Mapping[str, Any]) -> bytes:
    """Inverse of `from_public_key`; raises `JwkError`."""
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
        data = _coordinate(jwk, "x")
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(data)
        except ValueError as error:
            raise JwkError("not an Ed25519 key") from error
        return data
    if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
        x, y = _coordinate(jwk, "x"), _coordinate(jwk, "y")
        try:
            # The library refuses a point that is not on the curve.
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
        except ValueError as error:
            raise JwkError("not a point of P-256") from error
        return compressed(key)
    raise JwkError("only P-256 and Ed25519 keys are known here")


def public(jwk: object) -> Jwk:
    """A JWK from outside, checked and stripped to its defining members; raises `JwkError`."""
    if not isinstance(jwk, Mapping):
        raise JwkError("a JWK is an object")
    if PRIVATE_MEMBERS & jwk.keys():
        raise JwkError("a private key was sent")
    return from_public_key(to_public_key(jwk))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638 SHA-256 thumbprint, base64url, of a checked key."""
    return b64url(sha256(canonical_json(public(jwk))))


def algorithm(jwk: Mapping[str, Any]) -> str:
    """The one JWS algorithm this key may be used with."""
    return "EdDSA" if jwk.get("kty") == "OKP" else "ES256"


def p256(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 key of 33 compressed bytes; raises `JwkError`."""
    try:
        if len(public_key) != 33:
            raise JwkError("a compressed P-256 point has 33 bytes")
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    except ValueError as error:
        raise JwkError("not a point of P-256") from error


def compressed(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def _coordinate(jwk: Mapping[str, Any], member: str) -> bytes:
    value = jwk.get(member)
    if not isinstance(value, str) or len(value) != 43:
        raise JwkError(f"{member} must be 32 bytes in base64url")
    try:
        return b64url_decode(value)
    except ValueError as error:
        raise JwkError(f"{member} must be 32 bytes in base64url") from error
