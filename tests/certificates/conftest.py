"""A police bureau that issues, and a wallet that claims: what these tests have in common."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client

import certificates.seed
import identity.seed
from certificates import queries
from certificates.actions.make_offer import MadeOffer, make_offer
from certificates.metadata import PRE_AUTHORIZED
from certificates.models import AccessToken, Certificate, Offer, RegisterRow
from gov_chain.keys.local import LocalSigner
from gov_chain.ledger import node
from gov_chain.ledger.models import OutboxRow
from identity.core import jose, jwk

BASE = "/agencies/psb/oid4vci"
ISSUER = "http://localhost:8000/agencies/psb"


@dataclasses.dataclass
class Desk:
    """The issuing side, and the HTTP client every wallet here uses."""

    client: Client = dataclasses.field(default_factory=Client)

    def offer(self) -> MadeOffer:
        kind = queries.type_in_force("resident-id")
        return make_offer(type=kind, row=queries.any_register_row(kind), made_by=None)

    def counts(self) -> tuple[int, ...]:
        """How much is written: certificates, tokens, offers, register rows, outbox rows, ledger entries."""
        tables = (Certificate, AccessToken, Offer, RegisterRow, OutboxRow)
        return (*(table.objects.count() for table in tables), node.ledger().size)

    def post(self, path: str, body: Any, token: str = "", **headers: str) -> HttpResponse:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.post(BASE + path, data, content_type="application/json", headers=headers)

    def redeem(self, code: str, tx_code: str | None, **more: str) -> HttpResponse:
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, **more}
        if tx_code is not None:
            form["tx_code"] = tx_code
        return self.client.post(f"{BASE}/token", form)

    def token(self, made: MadeOffer | None = None) -> str:
        made = made or self.offer()
        return str(self.redeem(made.offer.code, made.tx_code).json()["access_token"])

    def nonce(self) -> str:
        return str(self.client.post(f"{BASE}/nonce").json()["c_nonce"])


@dataclasses.dataclass
class Phone:
    """A holder's key and the proofs it makes."""

    desk: Desk
    key: LocalSigner = dataclasses.field(default_factory=lambda: LocalSigner(ec.generate_private_key(ec.SECP256R1())))

    @property
    def jwk(self) -> dict[str, str]:
        return jwk.from_public_key(self.key.public_key)

    def proof(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        head = {"typ": "openid4vci-proof+jwt", "jwk": self.jwk, **(header or {})}
        body = {"aud": ISSUER, "iat": int(time.time()), **claims}
        if "nonce" not in body:
            body["nonce"] = self.desk.nonce()
        return jose.sign({name: value for name, value in head.items() if value is not None}, body, self.key)

    def ask(self, token: str, **changes: Any) -> HttpResponse:
        body = {"credential_configuration_id": "resident-id", **changes}
        if "proofs" not in body:
            body["proofs"] = {"jwt": [self.proof()]}
        return self.desk.post("/credential", {k: v for k, v in body.items() if v is not None}, token)

    def claim(self, made: MadeOffer | None = None) -> str:
        """The whole flow; the certificate."""
        answer = self.ask(self.desk.token(made))
        assert answer.status_code == 200, answer.content
        return str(answer.json()["credentials"][0]["credential"])


@pytest.fixture
def desk(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Desk]:
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, data=tmp_path)
    # Four officers a test: no password is tried here, so none needs a slow hash.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    identity.seed.seed(base_url="http://localhost:8000", people=certificates.seed.people()[:1], activated=0)
    certificates.seed.seed()
    yield Desk()
    node.close()


@pytest.fixture
def phone(desk: Desk) -> Phone:
    return Phone(desk)
