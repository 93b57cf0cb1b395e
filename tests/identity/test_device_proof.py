"""The phone's proof (RFC 9449 shape): right kind, right request, right time, once."""

from __future__ import annotations

from typing import Any

import pytest

from gov_chain import clock
from identity.core import device_proof, jose
from identity.core import jwk as jwks
from tests.identity.actors import BASE, Phone

PATH = "/agencies/data/wallets"


def verify(token: str, **changes: Any) -> device_proof.DeviceProof:
    return device_proof.verify(token, **({"method": "POST", "url": BASE + PATH, "now": clock.now()} | changes))


def test_a_phone_proves_its_key() -> None:
    phone = Phone()
    proof = verify(phone.proof(PATH))
    assert proof.jwk == phone.jwk
    assert proof.thumbprint == jwks.thumbprint(phone.jwk)


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htu": PATH},
        {"htu": "https://evil.example" + PATH},
        {"htu": BASE + PATH + "?x=1"},
        {"iat": "1"},
        {"iat": True},
        {"iat": 1.5},
        {"iat": None},
        {"iat": 10**30},
        {"jti": ""},
        {"jti": "short"},
        {"jti": "x" * 129},
        {"jti": 12345678},
    ],
)
def test_a_claim_that_does_not_fit_the_request_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(jose.JoseError):
        verify(Phone().proof(PATH, **claims))


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (120, True), (-120, True), (121, False), (-121, False)])
def test_two_minutes_of_clock_difference_are_allowed(seconds: int, accepted: bool) -> None:
    now = clock.now()
    token = Phone().proof(PATH, iat=now + seconds)
    if accepted:
        assert verify(token, now=now)
    else:
        with pytest.raises(jose.JoseError, match="too long ago"):
            verify(token, now=now)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "jwt"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"jwk": None},
        {"jwk": Phone().jwk},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},
        {"jwk": Phone().jwk | {"d": "AAAA"}},
        {"x5c": ["MII="]},
        {"jku": "https://evil.example"},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_header_of_another_shape_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(jose.JoseError):
        verify(Phone().proof(PATH, header=header))
