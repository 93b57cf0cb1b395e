"""Genesis: entry 0, which names the founding agencies, their keys and what they may issue.

Its record is [1, format, agencies, accreditations, checkpoint key, created, parameters]. The ledger's
id is the SHA-256 of the entry's bytes: every transaction names it, so none can be moved to another ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from gov_chain.core.codec import encode
from gov_chain.ledger.core import entries, records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.shapes import DIGEST, ID, TIME, U16, Fixed, Many, Row, Uint

_P256 = Fixed(33)
_SHAPE = Row(
    (
        Uint(2, 1),
        Uint(records.FORMAT + 1, records.FORMAT),
        Many(Row((ID, ID, DIGEST, _P256, _P256, DIGEST)), 4096, 1),
        Many(Row((ID, U16)), 65536),
        DIGEST,
        TIME,
        Many(Row((ID, Uint(2**32))), 0),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundingAgency:
    """An agency as genesis names it: Ed25519 ledger key (32 bytes), P-256 issue and request keys (33, compressed)."""

    number: int
    ledger_key: bytes
    issue_key: bytes
    request_key: bytes
    profile_digest: bytes
    key_no: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """Who founds the ledger. `accreditations` are (agency, certificate type) pairs; type 0 makes it citizens' home."""

    agencies: tuple[FoundingAgency, ...]
    accreditations: tuple[tuple[int, int], ...]
    checkpoint_key: bytes
    created: int


def build(genesis: Genesis) -> bytes:
    """Entry 0's bytes; raises `LedgerError("record-malformed")`."""
    agencies = [
        [each.number, each.key_no, each.ledger_key, each.issue_key, each.request_key, each.profile_digest]
        for each in genesis.agencies
    ]
    accreditations = [list(pair) for pair in genesis.accreditations]
    record = [records.GENESIS, records.FORMAT, agencies, accreditations, genesis.checkpoint_key, genesis.created, []]
    _check(record)
    entry = entries.wrap(genesis.created, 0, encode(record))
    if len(entry) > entries.MAX_ENTRY:
        raise LedgerError("record-malformed", log=f"genesis of {len(entry)} bytes: found with fewer, enrol the others")
    return entry


def parse(entry: bytes) -> Genesis:
    """Entry 0 read; raises `LedgerError` record-malformed or entry-malformed."""
    time, agency, record = entries.unwrap(entry)
    _check(record)
    _, _, agencies, accreditations, checkpoint_key, created, _ = record
    if agency != 0 or time != created:
        raise LedgerError("entry-malformed", log="genesis time or agency")
    return Genesis(
        agencies=tuple(
            FoundingAgency(
                number=number,
                key_no=key_no,
                ledger_key=ledger_key,
                issue_key=issue_key,
                request_key=request_key,
                profile_digest=profile,
            )
            for number, key_no, ledger_key, issue_key, request_key, profile in agencies
        ),
        accreditations=tuple((number, type_) for number, type_ in accreditations),
        checkpoint_key=checkpoint_key,
        created=created,
    )


def ledger_id(entry: bytes) -> bytes:
    return sha256(entry).digest()


def _check(record: Sequence[object]) -> None:
    if not _SHAPE.fits(record):
        raise LedgerError("record-malformed", log="genesis")
    agencies = [row[0] for row in record[2]]  # type: ignore[attr-defined]
    known = set(agencies)
    if len(known) != len(agencies) or any(row[0] not in known for row in record[3]):  # type: ignore[attr-defined]
        raise LedgerError("record-malformed", log="genesis: agency repeated or unknown")
