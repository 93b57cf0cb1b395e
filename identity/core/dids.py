"""DIDs of keys and agencies: did:jwk, did:key (multicodec, base58btc) and the did:web document.

A DID document here only repeats what the ledger holds; the ledger decides whether a key counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gov_chain.core.codec import b64url, canonical_json
from identity.core import jwk as jwks

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# Multicodec prefixes as unsigned varints: ed25519-pub 0xed, p256-pub 0x1200.
MULTICODEC = {32: b"\xed\x01", 33: b"\x80\x24"}


@dataclass(frozen=True, slots=True)
class Method:
    """A key of a DID's subject, and what it is for (`assertionMethod`, `authentication` …)."""

    key_id: str
    public_key: bytes
    relationships: Sequence[str]


def did_jwk(jwk: Mapping[str, Any]) -> str:
    return "did:jwk:" + b64url(canonical_json(jwks.public(jwk)))


def did_key(public_key: bytes) -> str:
    """did:key of 32 bytes (Ed25519) or 33 bytes (compressed P-256)."""
    return "did:key:z" + base58(MULTICODEC[len(public_key)] + public_key)


def document(did: str, methods: Sequence[Method]) -> dict[str, Any]:
    """The DID document of `did` (DID Core §5), its keys as `JsonWebKey`."""
    relationships: dict[str, list[str]] = {}
    for method in methods:
        for relationship in method.relationships:
            relationships.setdefault(relationship, []).append(f"{did}#{method.key_id}")
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": did,
        "verificationMethod": [
            {
                "id": f"{did}#{method.key_id}",
                "type": "JsonWebKey",
                "controller": did,
                "publicKeyJwk": jwks.from_public_key(method.public_key) | {"kid": method.key_id},
            }
            for method in methods
        ],
        **relationships,
    }


def base58(data: bytes) -> str:
    """Base58btc; each leading zero byte is a leading `1`."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text
