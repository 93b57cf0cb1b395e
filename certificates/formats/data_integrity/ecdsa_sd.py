"""ecdsa-sd-2023 (Data Integrity ECDSA Cryptosuites 1.0, §3.5 and §3.6): P-256, show what you choose.

The issuer signs every quad that is not mandatory with a key made for this document alone, and signs that key, the
mandatory quads and the proof's configuration with its own. A holder drops quads with their signatures. Presentations
of one document can be linked to each other (the same signatures appear); bbs-2023 is for where they must not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from certificates.formats import multikey
from certificates.formats.data_integrity import disclosure, rdfc_suites, selective
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.jsonld import Contexts
from certificates.formats.multikey import Multikey
from gov_chain.core.codec import b64url, b64url_decode

NAME = "ecdsa-sd-2023"
KINDS = ("P-256",)
BASE, DERIVED = b"\xd9\x5d\x00", b"\xd9\x5d\x01"
SIGNATURE = 64
KEY = 35
"""Bytes of a P-256 Multikey."""
HMAC_LABEL = 32


class QuadSigner(Protocol):
    """A P-256 key for one document: used, then forgotten."""

    @property
    def public_key(self) -> bytes: ...

    def sign_many(self, items: Sequence[bytes]) -> list[bytes]: ...


def base_value(
    document: Mapping[str, Any],
    proof: Mapping[str, Any],
    mandatory_pointers: Sequence[str],
    *,
    sign: Callable[[bytes], bytes],
    quad_signer: QuadSigner,
    hmac_key: bytes,
    contexts: Contexts,
) -> str:
    """The proof value of a base proof; `sign` is ECDSA P-256 with SHA-256 as r‖s. Raises `DataIntegrityError`."""
    grouped = selective.group(
        document, contexts, selective.hmac_labels(hmac_key), {"mandatory": list(mandatory_pointers)}
    )
    mandatory = grouped.groups["mandatory"]
    key = Multikey("P-256", quad_signer.public_key).bytes
    signature = sign(_signed(document, proof, key, list(mandatory.matching.values()), contexts))
    signatures = quad_signer.sign_many([line.encode() for line in mandatory.other.values()])
    return disclosure.serialize(BASE, [signature, key, hmac_key, signatures, list(mandatory_pointers)])


def derive(
    document: Mapping[str, Any], proof: Mapping[str, Any], selective_pointers: Sequence[str], contexts: Contexts
) -> tuple[dict[str, Any], str]:
    """The document that shows mandatory and selected fields, and its proof value. Raises `DataIntegrityError`."""
    signature, key, hmac_key, signatures, pointers = disclosure.parse(proof.get("proofValue"), BASE, 5)
    pointers, hmac_key = disclosure.texts(pointers), disclosure.octets(hmac_key)
    combined = [*pointers, *selective_pointers]
    grouped = selective.group(
        document,
        contexts,
        selective.hmac_labels(hmac_key),
        {"mandatory": pointers, "selective": list(selective_pointers), "combined": combined},
    )
    reveal = selective.select(combined, document)
    if reveal is None:
        raise DataIntegrityError("pointer-invalid", pointer="")
    other = grouped.groups["mandatory"].other
    if type(signatures) is not list or len(signatures) != len(other):
        raise DataIntegrityError("proof-malformed", log="signatures")
    shown = grouped.groups["combined"].matching
    kept = [each for index, each in zip(other, signatures, strict=True) if index in shown]
    labels = {
        int(canonical.removeprefix("_:c14n")): b64url_decode(label.removeprefix("_:u"))
        for canonical, label in disclosure.verifier_labels(grouped).items()
    }
    components = [signature, key, kept, labels, disclosure.mandatory_indexes(grouped)]
    return reveal, disclosure.serialize(DERIVED, components)


def verify(document: Mapping[str, Any], proof: Mapping[str, Any], key: Multikey, contexts: Contexts) -> bool:
    """Whether a derived proof holds; raises `DataIntegrityError`, for a base proof too."""
    signature, quad_key, signatures, compressed, mandatory = disclosure.parse(proof.get("proofValue"), DERIVED, 5)
    if type(compressed) is not dict or type(signatures) is not list:
        raise DataIntegrityError("proof-malformed", log="components")
    labels = {
        disclosure.label_number(number): "_:u" + b64url(disclosure.octets(label, HMAC_LABEL))
        for number, label in compressed.items()
    }
    lines, _ = selective.relabelled(selective.quads_of(document, contexts), selective.replaced(labels))
    shown, others = disclosure.split(lines, mandatory)
    if len(signatures) != len(others):
        return False
    try:
        one_off = multikey.from_bytes(disclosure.octets(quad_key, KEY))
    except ValueError as error:
        raise DataIntegrityError("proof-malformed", log=str(error)) from error
    signed = _signed(document, proof, one_off.bytes, shown, contexts)
    return multikey.verifies(key, disclosure.octets(signature, SIGNATURE), signed) and all(
        multikey.verifies(one_off, disclosure.octets(each, SIGNATURE), line.encode())
        for each, line in zip(signatures, others, strict=True)
    )


def _signed(
    document: Mapping[str, Any], proof: Mapping[str, Any], key: bytes, mandatory: Sequence[str], contexts: Contexts
) -> bytes:
    """serializeSignData (§3.5.1)."""
    proof_hash = rdfc_suites.proof_hash(disclosure.configuration(document, proof), "sha256", contexts)
    return proof_hash + key + disclosure.mandatory_hash(mandatory)
