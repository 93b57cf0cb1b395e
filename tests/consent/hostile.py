"""A phone that says anything: the demo wallet's keys and certificate, with every part of a consent replaceable."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from demo.holder import HolderKey, Request, encrypt_to, encrypt_under, key_binding
from demo.wallet import Wallet
from gov_chain.core.codec import b64url
from tests.world import PIN, Desk

NAMES = ["name", "sex", "birth_date", "id_number", "address"]
REQUIRED = 0b111011
ETHNICITY = 0b000100
VALID_FROM = 1 << 7


@dataclass(slots=True)
class Consent:
    """What a wallet posts to its home agency; `claims` and `consent` replace what an honest wallet would sign."""

    wallet: Wallet
    request: Request
    claims: dict[str, Any] = field(default_factory=dict)
    consent: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    signer: HolderKey | None = None
    names: list[str] = field(default_factory=lambda: list(NAMES))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    binding: str = ""

    @property
    def handle(self) -> bytes:
        return hashlib.sha256(self.secret).digest()

    def signed(self) -> dict[str, Any]:
        held = self.wallet._for(self.request)
        entries = self.request.claims.get("transaction_data", [])
        usual = {
            "transaction_data_hashes": [b64url(hashlib.sha256(item.encode()).digest()) for item in entries],
            "transaction_data_hashes_alg": "sha-256",
            "consent": {
                "handle": b64url(self.handle),
                "masks": [REQUIRED],
                "not_after": int(time.time()) + 3600,
                "uses": 1,
                "recorder": "data",
                **self.consent,
            },
            **self.claims,
        }
        self.binding = key_binding(self.signer or self.wallet.key_of(held), held.shown(self.names), self.request, usual)
        return {
            "issuer_jwt": held.issuer_jwt,
            "kb_jwt": self.binding,
            "request": self.request.jws,
            "one_time_key": b64url(self.key),
            "secret": b64url(self.secret),
            "holder_salt": self.wallet.salt_of(held),
            **self.body,
        }

    def record(self, body: dict[str, Any] | None = None, *, pin: str = PIN) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.wallet.unlock(pin)}"}
        return self.wallet.http.post(f"{self.wallet.home}/grants", json=body or self.signed(), headers=headers)

    def answer(self, **changes: Any) -> dict[str, str]:
        """The form for the response endpoint, under two locks."""
        shown = self.wallet._for(self.request).shown(self.names)
        payload = {"vp_token": {"resident-id": [shown + self.binding]}, "state": self.request.claims["state"]}
        jwk = self.request.claims["client_metadata"]["jwks"]["keys"][0]
        inner = encrypt_to(jwk, json.dumps(payload | changes).encode())
        outer = encrypt_under(self.key, inner.encode(), header={"kid": b64url(self.handle), "iss": "data"})
        return {"response": outer, "state": self.request.claims["state"]}

    def send(self, form: dict[str, str] | None = None) -> httpx.Response:
        return self.wallet.http.post(self.request.claims["response_uri"], data=form or self.answer())


def consent(wallet: Wallet, desk: Desk, **changes: Any) -> Consent:
    return Consent(wallet, wallet.fetch_our_request(desk.wallet_url), **changes)


def code(response: httpx.Response) -> str:
    """The refusal's stable code; fails for an answer that is none, or a 500."""
    assert 400 <= response.status_code < 500 or response.status_code == 503, response.text
    return str(response.json()["code"])
