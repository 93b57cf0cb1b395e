"""DID documents: written for our own agencies, read from others (DID Core 1.1 §5, Controlled Identifiers 1.0 §2).

P-256 and Ed25519 keys are written as `JsonWebKey`, the others as `Multikey`. Both are read, as are the older names
`JsonWebKey2020`, `Ed25519VerificationKey2020`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from identity.core import jwk as jwks
from identity.core.dids import DidError, multikey
from identity.core.dids.multikey import Key

RELATIONSHIPS = (
    "authentication",
    "assertionMethod",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
)
MOST_METHODS = 64
_CONTEXTS = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"]
_MULTIKEY_CONTEXTS = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]


@dataclass(frozen=True, slots=True)
class Method:
    """A key of a DID's subject, and what it is for."""

    fragment: str
    key: Key
    relationships: Sequence[str]
    expires: int | None = None
    """When it was replaced, in seconds: what it signed before may still be good."""
    revoked: int | None = None
    """From when on nothing it signed is good."""


def document(did: str, methods: Sequence[Method]) -> dict[str, Any]:
    """The DID document of `did`."""
    relationships: dict[str, list[str]] = {}
    for method in methods:
        for relationship in method.relationships:
            relationships.setdefault(relationship, []).append(f"{did}#{method.fragment}")
    plain = all(method.key.kind in ("Ed25519", "P-256") for method in methods)
    return {
        "@context": _CONTEXTS if plain else _MULTIKEY_CONTEXTS,
        "id": did,
        "verificationMethod": [_written(did, method, plain) for method in methods],
        **relationships,
    }


def _written(did: str, method: Method, plain: bool) -> dict[str, Any]:
    head = {"id": f"{did}#{method.fragment}", "type": "JsonWebKey" if plain else "Multikey", "controller": did}
    key: dict[str, Any] = {"publicKeyMultibase": method.key.multibase}
    if plain:
        key = {"publicKeyJwk": jwks.from_public_key(method.key.public_key) | {"kid": method.fragment}}
    times = {"expires": method.expires, "revoked": method.revoked}
    return head | key | {name: _moment(time) for name, time in times.items() if time is not None}


def _moment(time: int) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def keys(document: Mapping[str, Any], did: str, relationship: str) -> dict[str, Key]:
    """The keys a document names for a purpose, by their full id; methods of other kinds are passed over.

    Raises `DidError("did-document-wrong")` if it is not a document of `did`, or a key in it is not one.
    """
    methods = document.get("verificationMethod", [])
    if document.get("id") != did or not isinstance(methods, list) or len(methods) > MOST_METHODS:
        raise DidError("did-document-wrong", "another DID's, or too many methods")
    if relationship not in RELATIONSHIPS:
        raise DidError("did-document-wrong", "no such relationship")
    known: dict[str, Key | None] = {}
    for method in methods:
        name, key = _read(method, did)
        if name in known:
            raise DidError("did-document-wrong", "a method twice")
        known[name] = key
    found: dict[str, Key] = {}
    named = document.get(relationship, [])
    if not isinstance(named, list) or len(named) > MOST_METHODS:
        raise DidError("did-document-wrong", f"{relationship} is no list")
    for item in named:
        if isinstance(item, dict):
            name, key = _read(item, did)
        else:
            name = _full(item, did)
            key = known.get(name)
        if key is not None:
            found[name] = key
    return found


def _read(method: object, did: str) -> tuple[str, Key | None]:
    if not isinstance(method, dict) or method.get("controller") != did:
        raise DidError("did-document-wrong", "a method without this DID as its controller")
    name = _full(method.get("id"), did)
    if "revoked" in method:
        return name, None
    jwk, multibase = method.get("publicKeyJwk"), method.get("publicKeyMultibase")
    if isinstance(jwk, dict) and jwk.get("crv") in ("Ed25519", "P-256"):
        try:
            public = jwks.to_public_key(jwks.public({k: v for k, v in jwk.items() if k != "kid"}))
        except jwks.JwkError as error:
            raise DidError("did-document-wrong", str(error)) from error
        return name, multikey.key("Ed25519" if len(public) == 32 else "P-256", public)
    if isinstance(multibase, str):
        return name, multikey.read(multibase)
    return name, None


def _full(name: object, did: str) -> str:
    if not isinstance(name, str) or len(name) > 2000:
        raise DidError("did-document-wrong", "a method without a name")
    full = did + name if name.startswith("#") else name
    if not full.startswith(f"{did}#"):
        raise DidError("did-document-wrong", "a method of another DID")
    return full
