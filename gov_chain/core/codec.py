"""Canonical encodings: deterministic CBOR for the ledger, base64url for JOSE, JCS for documents.

CBOR is RFC 8949 §4.2.1 core deterministic encoding, narrowed to what ledger records may
hold: unsigned integers, byte strings and arrays. `decode` refuses every other encoding of
the same value, so one value has one byte string and one digest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from gov_chain.core import hot


class NotCanonical(ValueError):  # noqa: N818 - it reads as the finding it is
    """The bytes are not the one canonical encoding of a permitted value."""


def encode(value: Any) -> bytes:
    """Encode `value` (ints ≥ 0, bytes, lists/tuples of these) as deterministic CBOR; raises `NotCanonical`."""
    try:
        return hot.encode(value)
    except ValueError as error:
        raise NotCanonical(str(error)) from error


def decode(data: bytes) -> Any:
    """Decode deterministic CBOR; raises `NotCanonical` for anything else. Arrays come back as lists."""
    try:
        return hot.decode(data)
    except ValueError as error:
        raise NotCanonical(str(error)) from error


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """Strict inverse of `b64url`; raises ValueError for padding, foreign characters or stray bits."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
    if b64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def canonical_json(value: Any) -> bytes:
    """JSON Canonicalization Scheme (RFC 8785): the bytes a document's digest is taken over."""
    import rfc8785  # here: who only verifies receipts needs cbor2 and cryptography, and nothing else

    return rfc8785.dumps(value)


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts joined, 32 bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()
