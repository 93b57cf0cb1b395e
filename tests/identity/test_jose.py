"""The JWT algorithm matrix: what is refused, whoever sends it, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gov_chain.core.codec import b64url
from gov_chain.keys.local import LocalSigner
from identity.core import jose
from identity.core import jwk as jwks

SIGNER = LocalSigner(ec.derive_private_key(7, ec.SECP256R1()))
OTHER = LocalSigner(ec.derive_private_key(8, ec.SECP256R1()))
EDWARDS = LocalSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
JWK = jwks.from_public_key(SIGNER.public_key)


def forge(header: dict[str, Any] | str, signature: bytes | None = None, payload: bytes = b"{}") -> str:
    """A token whose signature is right for its bytes, whatever its header says."""
    text = header if isinstance(header, str) else json.dumps(header)
    signing_input = f"{b64url(text.encode())}.{b64url(payload)}"
    return f"{signing_input}.{b64url(SIGNER.sign(signing_input.encode()) if signature is None else signature)}"


@pytest.mark.parametrize("signer", [SIGNER, EDWARDS])
def test_what_is_signed_verifies_under_its_key(signer: LocalSigner) -> None:
    token = jose.sign({"typ": "t+jwt", "kid": signer.key_id}, {"iss": "市"}, signer)
    verified = jose.verify(token, jwks.from_public_key(signer.public_key), typ="t+jwt")
    assert (verified.header["alg"], verified.claims) == (signer.algorithm, {"iss": "市"})


def test_another_key_does_not_verify_it() -> None:
    with pytest.raises(jose.JoseError, match="does not verify"):
        jose.verify(jose.sign({"typ": "t"}, {}, OTHER), JWK, typ="t")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "EdDSA"},
        {"alg": "ES384"},
        {"alg": "ES256K"},
        {"alg": "RS256"},
        {"alg": ["ES256"]},
        {"alg": None},
        {},
    ],
)
def test_the_token_does_not_choose_the_algorithm(header: dict[str, Any]) -> None:
    with pytest.raises(jose.JoseError, match="algorithm"):
        jose.verify(forge({"typ": "t"} | header), JWK, typ="t")


def test_an_unsigned_token_is_refused() -> None:
    for algorithm in ("none", "ES256"):
        with pytest.raises(jose.JoseError):
            jose.verify(forge({"alg": algorithm, "typ": "t"}, signature=b""), JWK, typ="t")


@pytest.mark.parametrize("secret", [SIGNER.public_key, json.dumps(JWK).encode(), JWK["x"].encode()])
def test_the_public_key_is_no_hmac_secret(secret: bytes) -> None:
    signing_input = f"{b64url(json.dumps({'alg': 'HS256', 'typ': 't'}).encode())}.{b64url(b'{}')}"
    mac = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
    with pytest.raises(jose.JoseError, match="algorithm"):
        jose.verify(f"{signing_input}.{b64url(mac)}", JWK, typ="t")


@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": JWK},
        {"x5c": ["MII="]},
    ],
)
def test_a_header_that_brings_a_key_or_an_extension_is_refused(member: dict[str, Any]) -> None:
    with pytest.raises(jose.JoseError, match="not accepted"):
        jose.verify(forge({"alg": "ES256", "typ": "t"} | member), JWK, typ="t")


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1 --", "local:psb/issue", "\u0000", "x" * 9000])
def test_kid_chooses_nothing(kid: str) -> None:
    token = forge({"alg": "ES256", "typ": "t", "kid": kid})
    assert jose.verify(token, JWK, typ="t").header["kid"] == kid
    with pytest.raises(jose.JoseError, match="does not verify"):
        jose.verify(token, jwks.from_public_key(OTHER.public_key), typ="t")


@pytest.mark.parametrize("kid", [7, None, {"a": 1}, ["k"]])
def test_kid_is_a_text(kid: object) -> None:
    with pytest.raises(jose.JoseError):
        jose.verify(forge({"alg": "ES256", "typ": "t", "kid": kid}), JWK, typ="t")


def test_a_certificate_in_the_header_passes_only_where_it_is_expected() -> None:
    token = forge({"alg": "ES256", "typ": "t", "x5c": ["M" * 3000]})
    assert jose.verify(token, JWK, typ="t", allow=("x5c",)).header["x5c"] == ["M" * 3000]


@pytest.mark.parametrize("typ", ["T", "jwt", "", None, 1, ["t"]])
def test_a_token_of_another_kind_is_refused(typ: object) -> None:
    with pytest.raises(jose.JoseError, match="typ"):
        jose.verify(forge({"alg": "ES256", "typ": typ}), JWK, typ="t")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "e30.e30.é",
        "e30=.e30.e30",
        "e30.e31.e30",
        "W10.e30.",
        "bnVsbA.e30.",
        "x" * 70000,
        "\ud800..",
    ],
)
def test_what_is_no_jws_is_refused(token: str) -> None:
    with pytest.raises(jose.JoseError):
        jose.verify(token, JWK, typ="t")


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"ES256","typ":"t","alg":"none"}',
        '{"alg":"ES256","typ":"t","x":NaN}',
        '{"alg":"ES256","typ":"t","x":"\\ud800"}',
        '{"alg":"ES256","typ":"t","x":' + "[" * 60000,
        '{"alg":"ES256","typ":"t"} ' + "x",
        '{"alg":"ES256","typ":"t","x":' + "9" * 5000 + "}",
    ],
)
def test_a_header_that_is_no_plain_json_object_is_refused(header: str) -> None:
    with pytest.raises(jose.JoseError):
        jose.verify(forge(header), JWK, typ="t")


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), bytes(65), b"\xff" * 64])
def test_a_broken_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(jose.JoseError, match="does not verify"):
        jose.verify(forge({"alg": "ES256", "typ": "t"}, signature=signature), JWK, typ="t")


@pytest.mark.parametrize("payload", [b"[]", b"1", b"\xff", b'{"a":1,"a":2}', b'{"jti":"\\udfff"}', b""])
def test_claims_are_a_plain_json_object(payload: bytes) -> None:
    verified = jose.verify(forge({"alg": "ES256", "typ": "t"}, payload=payload), JWK, typ="t")
    with pytest.raises(jose.JoseError):
        _ = verified.claims
