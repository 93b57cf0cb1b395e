"""Transactions: a batch of records that one agency signs once.

Header: the canonical array [1, ledger id, agency, key number, sequence, valid-until, count, root], where
root is the RFC 9162 root over the submitted records. The agency's Ed25519 key signs `DOMAIN` ‖ header.
On the wire: canonical [header, signature, [record…]].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gov_chain.core.codec import NotCanonical, decode, encode
from gov_chain.ledger.core import tree
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.shapes import DIGEST, ID, SEQUENCE, TIME, Row, Uint

DOMAIN = b"govchain/transaction/v1\n"
MAX_RECORDS = 4096
MAX_BYTES = 1 << 20
MAX_VALIDITY = 86400
"""Seconds ahead of block time that valid-until may lie."""

_HEADER = Row((Uint(2, 1), DIGEST, ID, ID, SEQUENCE, TIME, Uint(MAX_RECORDS + 1, 1), DIGEST))


@dataclass(frozen=True, slots=True)
class Header:
    ledger_id: bytes
    agency: int
    key_no: int
    sequence: int
    valid_until: int
    count: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    header: Header
    header_bytes: bytes
    signature: bytes
    records: tuple[bytes, ...]
    leaves: tuple[bytes, ...]
    """Leaf hashes of the records, in order."""


def build(
    *,
    ledger_id: bytes,
    agency: int,
    key_no: int,
    sequence: int,
    valid_until: int,
    records: Sequence[bytes],
    sign: Callable[[bytes], bytes],
) -> bytes:
    """The signed transaction's bytes."""
    root = tree.root(tree.leaf_hashes(records))
    header = encode([1, ledger_id, agency, key_no, sequence, valid_until, len(records), root])
    return encode([header, sign(DOMAIN + header), list(records)])


def parse(data: bytes) -> Transaction:
    """A transaction whose records are those its header names; the signature is not checked here.

    Raises `LedgerError`: transaction-too-large, transaction-malformed, root-wrong.
    """
    if len(data) > MAX_BYTES:
        raise LedgerError("transaction-too-large", log=f"{len(data)} bytes")
    try:
        value = decode(data)
    except NotCanonical as error:
        raise LedgerError("transaction-malformed", log=str(error)) from error
    if type(value) is not list or len(value) != 3:
        raise LedgerError("transaction-malformed", log="not [header, signature, records]")
    header_bytes, signature, items = value
    if (
        type(header_bytes) is not bytes
        or type(signature) is not bytes
        or len(signature) != 64
        or type(items) is not list
        or not all(type(item) is bytes for item in items)
    ):
        raise LedgerError("transaction-malformed", log="parts")
    if len(items) > MAX_RECORDS:
        raise LedgerError("transaction-too-large", log=f"{len(items)} records")
    header = parse_header(header_bytes)
    leaves = tuple(tree.leaf_hashes(items))
    if header.count != len(items) or header.root != tree.root(leaves):
        raise LedgerError("root-wrong")
    return Transaction(header, header_bytes, signature, tuple(items), leaves)


def parse_header(data: bytes) -> Header:
    """Raises `LedgerError("transaction-malformed")`."""
    try:
        value = decode(data)
    except NotCanonical as error:
        raise LedgerError("transaction-malformed", log=str(error)) from error
    if not _HEADER.fits(value):
        raise LedgerError("transaction-malformed", log="header")
    return Header(*value[1:])


def verify_signature(header_bytes: bytes, signature: bytes, public_key: bytes) -> None:
    """Raises `LedgerError("signature-wrong")`."""
    try:
        _verified(header_bytes, signature, public_key)
    except InvalidSignature as error:
        raise LedgerError("signature-wrong") from error


@lru_cache(maxsize=8192)
def _verified(header_bytes: bytes, signature: bytes, public_key: bytes) -> None:
    """Remembers what was right: under an engine of several nodes one transaction is looked at three times."""
    _key(public_key).verify(signature, DOMAIN + header_bytes)


@lru_cache(maxsize=1024)
def _key(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)
