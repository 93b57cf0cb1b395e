"""eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites 1.0 §3.2) and ecdsa-rdfc-2019 (ECDSA Cryptosuites 1.0 §3.2).

What is signed is H(canonical proof configuration) ‖ H(canonical document); H is SHA-256, for P-384 keys SHA-384. The
proof configuration is the proof without its value, under the document's `@context`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from certificates.formats import jsonld, multikey, rdfc
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.jsonld import Contexts
from certificates.formats.multikey import Multikey
from identity.core.dids.multikey import unbase58

KINDS: Mapping[str, tuple[str, ...]] = {
    "eddsa-rdfc-2022": ("Ed25519",),
    "ecdsa-rdfc-2019": ("P-256", "P-384"),
}
_PROTECTING = ("https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/data-integrity/v2")


def hash_data(document: Mapping[str, Any], proof: Mapping[str, Any], key: Multikey, contexts: Contexts) -> bytes:
    """The bytes signed; raises `DataIntegrityError`."""
    configuration = {name: value for name, value in proof.items() if name != "proofValue"}
    configuration["@context"] = document.get("@context")
    return proof_hash(configuration, key.hash, contexts) + digest(document, key.hash, contexts)


def verify(document: Mapping[str, Any], proof: Mapping[str, Any], key: Multikey, contexts: Contexts) -> bool:
    """Whether the proof's value is a signature by `key` over document and proof; raises `DataIntegrityError`."""
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > multikey.MAX_TEXT:
        raise DataIntegrityError("proof-malformed", log="proofValue")
    try:
        signature = unbase58(value[1:])
    except ValueError as error:
        raise DataIntegrityError("proof-malformed", log=str(error)) from error
    return multikey.verifies(key, signature, hash_data(document, proof, key, contexts))


def proof_hash(configuration: Mapping[str, Any], algorithm: rdfc.Algorithm, contexts: Contexts) -> bytes:
    """Digest of a canonical proof configuration.

    Two contexts protect a proof's terms, and say the same of them: under either, the configuration is read by the
    smaller one alone, whatever other contexts the document has.
    """
    named = configuration.get("@context")
    if isinstance(named, list) and any(each in _PROTECTING for each in named) and configuration.keys() <= _TERMS:
        configuration = {**configuration, "@context": _PROTECTING[1]}
    return digest(configuration, algorithm, contexts)


_TERMS = {
    "@context",
    "type",
    "id",
    "cryptosuite",
    "created",
    "expires",
    "verificationMethod",
    "proofPurpose",
    "challenge",
    "domain",
    "nonce",
    "previousProof",
}


def digest(document: Mapping[str, Any], algorithm: rdfc.Algorithm, contexts: Contexts) -> bytes:
    return hashlib.new(algorithm, canonical(document, contexts, algorithm).text.encode()).digest()


def canonical(document: Mapping[str, Any], contexts: Contexts, algorithm: rdfc.Algorithm = "sha256") -> rdfc.Canonical:
    """The document as canonical N-Quads; raises `DataIntegrityError("document-unreadable")`."""
    try:
        return rdfc.canonicalize(jsonld.quads(document, contexts), algorithm=algorithm)
    except (jsonld.JsonLdError, rdfc.RdfcWorkError) as error:
        raise DataIntegrityError("document-unreadable", log=str(error)) from error
