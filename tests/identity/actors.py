"""Who takes part in identity's tests: phones with keys of their own, and requests as they make them."""

from __future__ import annotations

import json
import secrets
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from gov_chain import clock
from gov_chain.keys.local import LocalSigner
from identity.core import jose
from identity.core import jwk as jwks

BASE = "http://localhost:8000"
PIN = "730159"


class CountingHasher(MD5PasswordHasher):
    """Remembers which secrets were looked at."""

    algorithm = "counting"
    looked_at: ClassVar[list[str]] = []

    def verify(self, password: str, encoded: str) -> bool:
        self.looked_at.append(password)
        return super().verify(password, encoded)


class Phone:
    """A device key and the HTTP client beside it; after `activate`, a wallet."""

    def __init__(self) -> None:
        self.signer = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
        self.jwk = jwks.from_public_key(self.signer.public_key)
        self.client = Client(headers={"accept": "application/json"})
        self.wallet_id = ""

    def proof(self, path: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A device proof for a POST to `path`; `header` and `claims` replace what is usual."""
        usual = {"htm": "POST", "htu": BASE + path, "iat": clock.now(), "jti": secrets.token_hex(16)}
        return jose.sign({"typ": "dpop+jwt", "jwk": self.jwk} | (header or {}), usual | claims, self.signer)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(path, data=json.dumps(body), content_type="application/json", headers=headers)

    def activate(self, code: str, pin: str = PIN, **changes: Any) -> Any:
        path = "/agencies/data/wallets"
        body = {"activation_code": code, "pin": pin, "device_proof": self.proof(path)} | changes
        answer = self.post(path, body)
        if answer.status_code == 201:
            self.wallet_id = answer.json()["wallet_id"]
        return answer

    def wallet_path(self, tail: str = "") -> str:
        return f"/agencies/data/wallets/{self.wallet_id}{tail}"

    def unlock(self, pin: str = PIN, *, proof: str | None = None) -> Any:
        path = self.wallet_path("/unlock")
        return self.post(path, {"pin": pin}, DPoP=proof or self.proof(path))
