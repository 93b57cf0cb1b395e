"""What ecdsa-sd-2023 and bbs-2023 share: proof values as CBOR behind a three-byte header, and counting of quads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import cbor2

from certificates.formats.data_integrity import selective
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.data_integrity.selective import Grouped
from gov_chain.core.codec import b64url, b64url_decode

MAX_VALUE = 512 * 1024
BASE_PROOF_HEADERS = (b"\xd9\x5d\x00", b"\xd9\x5d\x02")
HMAC_KEY = 32


def serialize(header: bytes, components: Sequence[Any]) -> str:
    """A proof value: `u`, then header and components in base64url."""
    return "u" + b64url(header + cbor2.dumps(list(components)))


def parse(value: Any, header: bytes, count: int) -> list[Any]:
    """The components behind `header`; raises `DataIntegrityError` proof-malformed, -underived or -not-base."""
    if not isinstance(value, str) or not value.startswith("u") or len(value) > MAX_VALUE:
        raise DataIntegrityError("proof-malformed", log="proofValue is not base64url multibase")
    try:
        data = b64url_decode(value[1:])
        if data[:3] != header:
            wrong = "proof-underived" if data[:3] in BASE_PROOF_HEADERS else "proof-not-base"
            known = data[:2] == header[:2] and (header in BASE_PROOF_HEADERS or data[:3] in BASE_PROOF_HEADERS)
            raise DataIntegrityError(wrong if known else "proof-malformed", log=data[:3].hex())
        components = cbor2.loads(data[3:])
    except (ValueError, TypeError, RecursionError, cbor2.CBORDecodeError) as error:
        raise DataIntegrityError("proof-malformed", log=str(error)) from error
    if type(components) is not list or len(components) != count:
        raise DataIntegrityError("proof-malformed", log="components")
    return components


def mandatory_hash(lines: Sequence[str]) -> bytes:
    """hashMandatoryNQuads (§3.4.17 of the ECDSA cryptosuites)."""
    return hashlib.sha256("".join(lines).encode()).digest()


def mandatory_indexes(grouped: Grouped) -> list[int]:
    """Where the mandatory quads stand among those revealed."""
    mandatory = grouped.groups["mandatory"].matching
    return [at for at, index in enumerate(grouped.groups["combined"].matching) if index in mandatory]


def verifier_labels(grouped: Grouped) -> dict[str, str]:
    """Canonical label the verifier will find → the label that was signed."""
    labels = selective.canonical_labels(grouped.groups["combined"].deskolemized)
    return {canonical: grouped.labels[given] for given, canonical in labels.items()}


def split(lines: Sequence[str], mandatory: Any) -> tuple[list[str], list[str]]:
    """Mandatory and other lines by index; raises `DataIntegrityError("proof-malformed")`."""
    chosen = indexes(mandatory, len(lines))
    return (
        [line for at, line in enumerate(lines) if at in chosen],
        [line for at, line in enumerate(lines) if at not in chosen],
    )


def indexes(value: Any, limit: int) -> set[int]:
    """Distinct indexes below `limit`; raises `DataIntegrityError("proof-malformed")`."""
    if type(value) is not list or any(type(at) is not int or not 0 <= at < limit for at in value):
        raise DataIntegrityError("proof-malformed", log="indexes")
    if len(set(value)) != len(value):
        raise DataIntegrityError("proof-malformed", log="an index twice")
    return set(value)


def label_number(label: Any) -> str:
    """`_:c14n<number>`; raises `DataIntegrityError("proof-malformed")`."""
    if type(label) is not int or not 0 <= label < 2**31:
        raise DataIntegrityError("proof-malformed", log="label map")
    return f"_:c14n{label}"


def octets(value: Any, length: int | None = None) -> bytes:
    """Raises `DataIntegrityError("proof-malformed")`."""
    if type(value) is not bytes or (length is not None and len(value) != length):
        raise DataIntegrityError("proof-malformed", log="a byte string is missing or of another length")
    return value


def texts(value: Any) -> list[str]:
    """Raises `DataIntegrityError("proof-malformed")`."""
    if type(value) is not list or any(type(item) is not str for item in value):
        raise DataIntegrityError("proof-malformed", log="pointers")
    return value


def configuration(document: Mapping[str, Any], proof: Mapping[str, Any]) -> dict[str, Any]:
    """The proof without its value, under the document's contexts."""
    bare = {name: value for name, value in proof.items() if name != "proofValue"}
    return {**bare, "@context": document.get("@context")}
