"""What a principal signs: every part is looked at."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.core import mandate_statement
from certificates.core.errors import CertificateError
from gov_chain.keys.local import LocalSigner
from identity.core import jose
from identity.core import jwk as jwks

NOW = 1_795_000_000
TODAY = dt.date(2026, 11, 18)
PRINCIPAL, AGENT = "110101198511232856", "110101199003074477"
SIGNER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
JWK = jwks.from_public_key(SIGNER.public_key)
THUMBPRINT = jwks.thumbprint(JWK)
SAID: dict[str, Any] = {
    "iss": THUMBPRINT,
    "aud": "did:web:home",
    "iat": NOW,
    "jti": "12345678",
    "agent": {"name": " 安若素 ", "number": AGENT},
    "matters": [1, 2],
    "until": "2027-11-18",
}


def read(claims: dict[str, Any], *, typ: str = mandate_statement.TYP, signer: Any = SIGNER) -> Any:
    return mandate_statement.read(
        jose.sign({"typ": typ}, claims, signer),
        device_jwk=JWK,
        thumbprint=THUMBPRINT,
        audience="did:web:home",
        principal=PRINCIPAL,
        now=NOW,
        today=TODAY,
    )


def test_a_statement_in_order_is_read() -> None:
    said = read(SAID)
    assert (said.agent_name, said.agent_number, said.matters) == ("安若素", AGENT, (1, 2))
    assert said.until == dt.date(2027, 11, 18)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "x"),
        ("aud", "did:web:elsewhere"),
        ("iat", NOW - 301),
        ("iat", NOW + 301),
        ("iat", True),
        ("jti", "short"),
        ("jti", 12345678),
        ("until", "2026-11-17"),
        ("until", "2027-11-20"),
        ("until", "tomorrow"),
        ("until", None),
        ("matters", []),
        ("matters", [1, 1]),
        ("matters", [0]),
        ("matters", [65536]),
        ("matters", ["1"]),
        ("matters", [True]),
        ("matters", list(range(1, 22))),
        ("matters", None),
        ("agent", "安若素"),
        ("agent", {"name": "安若素"}),
        ("agent", {"name": "", "number": AGENT}),
        ("agent", {"name": "长" * 41, "number": AGENT}),
        ("agent", {"name": "安若素", "number": "110101199003074478"}),
        ("agent", {"name": "安若素", "number": 1}),
        ("agent", {"name": "自己", "number": PRINCIPAL}),
    ],
)
def test_a_part_that_is_not_in_order_is_refused(name: str, value: Any) -> None:
    with pytest.raises(CertificateError, match="mandate-statement-invalid"):
        read(SAID | {name: value})


def test_another_key_and_another_kind_of_token_are_refused() -> None:
    for change in ({"signer": LocalSigner(ec.generate_private_key(ec.SECP256R1()))}, {"typ": "dpop+jwt"}):
        with pytest.raises(CertificateError, match="mandate-statement-invalid"):
            read(SAID, **change)
