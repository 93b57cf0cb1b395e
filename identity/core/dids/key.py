"""did:key (W3C CCG, v0.9): the DID is the key. Test vectors: w3c-ccg/did-method-key."""

from __future__ import annotations

from typing import Any

from identity.core.dids import documents, multikey
from identity.core.dids.multikey import Key

PREFIX = "did:key:"


def of(key: Key) -> str:
    return PREFIX + key.multibase


def read(did: str) -> Key:
    """Raises `DidError("did-key-wrong")`."""
    return multikey.read(did.removeprefix(PREFIX))


def document(did: str) -> dict[str, Any]:
    """Its document: one method, good for everything its kind can do. X25519 is not derived from an Ed25519 key."""
    key = read(did)
    relationships = ["authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"]
    if key.kind in multikey.CURVES:
        relationships.append("keyAgreement")
    return documents.document(did, [documents.Method(key.multibase, key, relationships)])
