"""JWK and thumbprints, against published examples."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from identity.core import jwk as jwks

# RFC 8037 appendix A.2 and A.3: a key and its thumbprint.
RFC8037_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

# RFC 7517 appendix A.1.
RFC7517_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "use": "enc",
    "kid": "1",
}


def test_thumbprint_of_rfc_8037() -> None:
    assert jwks.thumbprint(RFC8037_JWK) == RFC8037_THUMBPRINT


def test_a_thumbprint_covers_the_defining_members_only() -> None:
    bare = {name: RFC7517_JWK[name] for name in ("kty", "crv", "x", "y")}
    assert jwks.thumbprint(RFC7517_JWK) == jwks.thumbprint(bare)


@given(st.integers(1, 2**250))
def test_points_and_jwks_are_the_same_keys(secret: int) -> None:
    point = jwks.compressed(ec.derive_private_key(secret, ec.SECP256R1()).public_key())
    assert jwks.to_public_key(jwks.from_public_key(point)) == point


@pytest.mark.parametrize(
    "change",
    [
        {"d": "AA"},
        {"k": "AA"},
        {"crv": "P-384"},
        {"kty": "oct"},
        {"kty": "RSA"},
        {"x": RFC7517_JWK["y"]},
        {"x": "A" * 43},
        {"x": RFC7517_JWK["x"] + "="},
        {"x": RFC7517_JWK["x"][:-1]},
        {"x": 7},
        {"y": None},
    ],
)
def test_what_is_no_public_p256_key_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(jwks.JwkError):
        jwks.public(RFC7517_JWK | change)


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_a_jwk_is_an_object(value: object) -> None:
    with pytest.raises(jwks.JwkError):
        jwks.public(value)
