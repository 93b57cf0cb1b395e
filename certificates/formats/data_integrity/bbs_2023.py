"""bbs-2023, its baseline (Data Integrity BBS Cryptosuites 1.0, §3): show what you choose, unlinkably.

The messages signed are the quads that are not mandatory; the header is H(proof configuration) ‖ H(mandatory quads).
Blank nodes are numbered in the order of their HMACs, which tells less than an HMAC would. Two proofs derived from one
base proof have nothing in common but what they show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from certificates.formats import bbs
from certificates.formats.data_integrity import disclosure, rdfc_suites, selective
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.data_integrity.selective import LabelMap
from certificates.formats.jsonld import Contexts
from certificates.formats.multikey import Multikey

NAME = "bbs-2023"
KINDS = ("BLS12-381-G2",)
BASE, DERIVED = b"\xd9\x5d\x02", b"\xd9\x5d\x03"


def base_value(
    document: Mapping[str, Any],
    proof: Mapping[str, Any],
    mandatory_pointers: Sequence[str],
    *,
    sign: Callable[[bytes, Sequence[bytes]], bytes],
    public_key: bytes,
    hmac_key: bytes,
    contexts: Contexts,
) -> str:
    """The proof value of a base proof; `sign` is BBS Sign of header and messages. Raises `DataIntegrityError`."""
    grouped = selective.group(document, contexts, shuffled_labels(hmac_key), {"mandatory": list(mandatory_pointers)})
    mandatory = grouped.groups["mandatory"]
    header = _header(document, proof, list(mandatory.matching.values()), contexts)
    signature = sign(header, [line.encode() for line in mandatory.other.values()])
    return disclosure.serialize(BASE, [signature, header, public_key, hmac_key, list(mandatory_pointers)])


def derive(
    document: Mapping[str, Any],
    proof: Mapping[str, Any],
    selective_pointers: Sequence[str],
    contexts: Contexts,
    *,
    presentation_header: bytes,
    random: bbs.Random,
) -> tuple[dict[str, Any], str]:
    """The document that shows mandatory and selected fields, and its proof value. Raises `DataIntegrityError`."""
    signature, header, public_key, hmac_key, pointers = disclosure.parse(proof.get("proofValue"), BASE, 5)
    pointers = disclosure.texts(pointers)
    combined = [*pointers, *selective_pointers]
    grouped = selective.group(
        document,
        contexts,
        shuffled_labels(disclosure.octets(hmac_key)),
        {"mandatory": pointers, "selective": list(selective_pointers), "combined": combined},
    )
    reveal = selective.select(combined, document)
    if reveal is None:
        raise DataIntegrityError("pointer-invalid", pointer="")
    other = grouped.groups["mandatory"].other
    shown = grouped.groups["combined"].matching
    chosen = [at for at, index in enumerate(other) if index in shown]
    messages = [line.encode() for line in other.values()]
    public, header = disclosure.octets(public_key, bbs.PUBLIC_KEY), disclosure.octets(header)
    base = disclosure.octets(signature, bbs.SIGNATURE)
    if not bbs.verify(public, base, header, messages):
        raise DataIntegrityError("proof-signature")
    derived = bbs.proof_generate(
        public,
        base,
        header=header,
        presentation_header=presentation_header,
        messages=messages,
        disclosed=chosen,
        random=random,
    )
    labels = {
        int(canonical.removeprefix("_:c14n")): int(label.removeprefix("_:b"))
        for canonical, label in disclosure.verifier_labels(grouped).items()
    }
    components = [derived, labels, disclosure.mandatory_indexes(grouped), chosen, presentation_header]
    return reveal, disclosure.serialize(DERIVED, components)


def verify(document: Mapping[str, Any], proof: Mapping[str, Any], key: Multikey, contexts: Contexts) -> bool:
    """Whether a derived proof holds; raises `DataIntegrityError`, for a base proof too."""
    derived, compressed, mandatory, chosen, presentation_header = disclosure.parse(proof.get("proofValue"), DERIVED, 5)
    if type(compressed) is not dict:
        raise DataIntegrityError("proof-malformed", log="label map")
    labels = {disclosure.label_number(number): f"_:b{_number(label)}" for number, label in compressed.items()}
    lines, _ = selective.relabelled(selective.quads_of(document, contexts), selective.replaced(labels))
    shown, others = disclosure.split(lines, mandatory)
    positions = sorted(disclosure.indexes(chosen, bbs.MAX_MESSAGES))
    if len(positions) != len(others):
        return False
    header = _header(document, proof, shown, contexts)
    disclosed = {at: line.encode() for at, line in zip(positions, others, strict=True)}
    return bbs.proof_verify(
        key.public_key,
        disclosure.octets(derived),
        header=header,
        presentation_header=disclosure.octets(presentation_header),
        disclosed=disclosed,
    )


def presentation_header(proof: Mapping[str, Any]) -> bytes:
    """What a derived proof was bound to by its holder; raises `DataIntegrityError`."""
    return disclosure.octets(disclosure.parse(proof.get("proofValue"), DERIVED, 5)[4])


def shuffled_labels(hmac_key: bytes) -> LabelMap:
    """createShuffledIdLabelMapFunction (§3.3.1): `_:b0`, `_:b1` … in the order of the HMACs."""

    def label_map(canonical: Mapping[str, str]) -> dict[str, str]:
        keyed = {given: selective.hmac_id(hmac_key, label) for given, label in canonical.items()}
        order = {value: at for at, value in enumerate(sorted(keyed.values()))}
        return {given: f"_:b{order[value]}" for given, value in keyed.items()}

    return label_map


def _header(
    document: Mapping[str, Any], proof: Mapping[str, Any], mandatory: Sequence[str], contexts: Contexts
) -> bytes:
    proof_hash = rdfc_suites.proof_hash(disclosure.configuration(document, proof), "sha256", contexts)
    return proof_hash + disclosure.mandatory_hash(mandatory)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise DataIntegrityError("proof-malformed", log="label map")
    return value
