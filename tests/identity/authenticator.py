"""A software passkey: answers WebAuthn options the way a browser and an authenticator do together."""

from __future__ import annotations

import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gov_chain.core.codec import b64url, sha256
from tests.identity.actors import BASE

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(16)
        self.count = 0

    def register(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        usual = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        cose = cbor2.dumps(changes.get("cose", usual))
        credential = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cose
        data = self._data(ATTESTED, changes) + credential
        attestation = cbor2.dumps(
            {"fmt": changes.get("fmt", "none"), "attStmt": changes.get("statement", {}), "authData": data}
        )
        client_data = self._client_data("webauthn.create", options, changes)
        return self._credential({"attestationObject": b64url(attestation), "clientDataJSON": b64url(client_data)})

    def answer(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        self.count = changes.get("count", self.count + 1)
        data = self._data(0, changes)
        client_data = self._client_data("webauthn.get", options, changes)
        signature = self.key.sign(data + sha256(client_data), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "authenticatorData": b64url(data),
                "clientDataJSON": b64url(client_data),
                "signature": b64url(signature),
            }
        )

    def _data(self, flags: int, changes: dict[str, Any]) -> bytes:
        flags |= PRESENT | (VERIFIED if changes.get("verified", True) else 0)
        return sha256(changes.get("rp_id", "localhost").encode()) + bytes([flags]) + self.count.to_bytes(4)

    def _client_data(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        challenge = changes.get("challenge", options["challenge"])
        return json.dumps({"type": kind, "challenge": challenge, "origin": changes.get("origin", BASE)}).encode()

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        identifier = b64url(self.credential_id)
        return {"id": identifier, "rawId": identifier, "type": "public-key", "response": response}
