"""did:jwk (quartzjer/did-jwk): the DID is a public JWK in base64url. Only the keys that `identity.core.jwk` takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gov_chain.core.codec import b64url, b64url_decode, canonical_json
from identity.core import jwk as jwks
from identity.core.dids import DidError, documents, multikey
from identity.core.dids.multikey import Key

PREFIX = "did:jwk:"
FRAGMENT = "0"


def of(jwk: Mapping[str, Any]) -> str:
    return PREFIX + b64url(canonical_json(jwks.public(jwk)))


def read(did: str) -> Key:
    """Raises `DidError("did-key-wrong")`."""
    jwk, _ = _parse(did)
    return multikey.key("Ed25519" if jwk["kty"] == "OKP" else "P-256", jwks.to_public_key(jwk))


def document(did: str) -> dict[str, Any]:
    """Its document: a key marked `sig` does not agree on keys, one marked `enc` does nothing else."""
    _, use = _parse(did)
    key = read(did)
    signing = ["authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"]
    agreement = ["keyAgreement"] if use != "sig" and key.kind != "Ed25519" else []
    relationships = agreement if use == "enc" else [*signing, *agreement]
    return documents.document(did, [documents.Method(FRAGMENT, key, relationships)])


def _parse(did: str) -> tuple[jwks.Jwk, str]:
    try:
        value = json.loads(b64url_decode(did.removeprefix(PREFIX)))
        if not isinstance(value, dict) or value.get("use", "") not in ("", "sig", "enc"):
            raise DidError("did-key-wrong", "not a public JWK")
        return jwks.public(value), str(value.get("use", ""))
    except (ValueError, RecursionError) as error:
        raise DidError("did-key-wrong", "not a public JWK in base64url") from error
