"""Log entries: what a leaf of the tree is the hash of.

An accepted record is logged as [block time, agency, record], so that a receipt alone says who wrote
what and when. A transaction's signed header is logged before its records as
[block time, agency, [2, header, signature, [[position, leaf hash, refusal number]…]]]: with the
refused records' hashes anyone can rebuild the root its agency signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gov_chain.core.codec import NotCanonical, decode, encode
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.shapes import TIME, U16

MAX_ENTRY = 2**16 - 1
"""Bytes of an entry that an entry bundle (tlog-tiles) can hold. Every kind of record stays far below."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed log entry. `time` is the block's, in seconds; `agency` 0 is the founding consortium."""

    time: int
    agency: int
    kind: int
    name: str
    values: dict[str, Any]
    record: bytes
    """The record as it was submitted (for genesis and transactions: as it was logged)."""


def prefix(time: int, agency: int) -> bytes:
    """What stands before the record's own bytes in its entry."""
    return b"\x83" + encode(time) + encode(agency)


def wrap(time: int, agency: int, record: bytes) -> bytes:
    return prefix(time, agency) + record


def parse(entry: bytes) -> Entry:
    """The entry by names; raises `LedgerError("entry-malformed")`."""
    time, agency, record = unwrap(entry)
    kind = record[0]
    body = entry[len(prefix(time, agency)) :]
    if kind == records.TRANSACTION:
        return Entry(time, agency, kind, "transaction", _named(("header", "signature", "refused"), record), body)
    if kind == records.GENESIS:
        names = GENESIS_FIELDS if record[1:2] != [records.FORMAT] else GENESIS_FIELDS[:-1]
        return Entry(time, agency, kind, "genesis", _named(names, record), body)
    named = records.decode_record(body)
    if isinstance(named, str):
        raise LedgerError("entry-malformed", log=named)
    return Entry(time, agency, kind, records.KINDS[kind].name, records.named(named).values, body)


GENESIS_FIELDS = ("format", "agencies", "accreditations", "checkpoint_key", "created", "parameters", "validators")
"""The last one is not there in format 1."""


def unwrap(entry: bytes) -> tuple[int, int, list[Any]]:
    """(time, agency, record array) of an entry; raises `LedgerError("entry-malformed")`."""
    try:
        value = decode(entry)
    except NotCanonical as error:
        raise LedgerError("entry-malformed", log=str(error)) from error
    if type(value) is not list or len(value) != 3:
        raise LedgerError("entry-malformed", log="not [time, agency, record]")
    time, agency, record = value
    if not TIME.fits(time) or not U16.fits(agency) or type(record) is not list or not record:
        raise LedgerError("entry-malformed", log="time, agency or record")
    if type(record[0]) is not int or record[0] not in records.LOG_KINDS:
        raise LedgerError("entry-malformed", log="kind")
    return time, agency, record


def _named(names: tuple[str, ...], record: list[Any]) -> dict[str, Any]:
    if len(record) != len(names) + 1:
        raise LedgerError("entry-malformed", log="field count")
    return dict(zip(names, record[1:], strict=True))
