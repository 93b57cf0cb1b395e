"""Genesis: entry 0, which names the founding agencies, their keys and what they may issue.

Its record is [1, format, agencies, accreditations, checkpoint key, created, parameters] in format 1, and has the
founding validators as one more field, [agency, consensus key, BLS key, proof of possession, power] each, in format 2.
The checkpoint key is that of the node that founds; with validators, their certificate counts and not its signature.
The ledger's id is the SHA-256 of the entry's bytes: every transaction names it, so none can be moved to another ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gov_chain.core.codec import encode
from gov_chain.ledger.core import entries, records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.shapes import DIGEST, ID, TIME, U16, Fixed, Many, Row, Uint
from gov_chain.ledger.core.validators import BLS_KEY, CONSENSUS_KEY, MOST, POSSESSION, POWER

_P256 = Fixed(33)
_FIELDS = (
    Many(Row((ID, ID, DIGEST, _P256, _P256, DIGEST)), 4096, 1),
    Many(Row((ID, U16)), 65536),
    DIGEST,
    TIME,
    Many(Row((ID, Uint(2**32))), 0),
)
_VALIDATORS = Many(Row((ID, CONSENSUS_KEY, BLS_KEY, POSSESSION, POWER)), MOST, 1)
WITH_VALIDATORS = 2
_SHAPES = {
    records.FORMAT: Row((Uint(2, 1), Uint(records.FORMAT + 1, records.FORMAT), *_FIELDS)),
    WITH_VALIDATORS: Row((Uint(2, 1), Uint(WITH_VALIDATORS + 1, WITH_VALIDATORS), *_FIELDS, _VALIDATORS)),
}


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
class FoundingValidator:
    """A validator as genesis names it: Ed25519 consensus key (32 bytes), BLS key (48) and its proof (96)."""

    agency: int
    consensus_key: bytes
    bls_key: bytes
    possession: bytes
    power: int = 1

    @property
    def row(self) -> list[int | bytes]:
        return [self.agency, self.consensus_key, self.bls_key, self.possession, self.power]


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """Who founds the ledger. `accreditations` are (agency, certificate type) pairs; type 0 makes it citizens' home."""

    agencies: tuple[FoundingAgency, ...]
    accreditations: tuple[tuple[int, int], ...]
    checkpoint_key: bytes
    created: int
    validators: tuple[FoundingValidator, ...] = ()
    """By agency. None: a ledger under its checkpoint key alone."""


def build(genesis: Genesis) -> bytes:
    """Entry 0's bytes; raises `LedgerError("record-malformed")`."""
    agencies = [
        [each.number, each.key_no, each.ledger_key, each.issue_key, each.request_key, each.profile_digest]
        for each in genesis.agencies
    ]
    accreditations = [list(pair) for pair in genesis.accreditations]
    fields = [agencies, accreditations, genesis.checkpoint_key, genesis.created, []]
    if genesis.validators:
        rows = sorted(each.row for each in genesis.validators)
        record: list[Any] = [records.GENESIS, WITH_VALIDATORS, *fields, rows]
    else:
        record = [records.GENESIS, records.FORMAT, *fields]
    _check(record)
    entry = entries.wrap(genesis.created, 0, encode(record))
    if len(entry) > entries.MAX_ENTRY:
        raise LedgerError("record-malformed", log=f"genesis of {len(entry)} bytes: found with fewer, enrol the others")
    return entry


def parse(entry: bytes) -> Genesis:
    """Entry 0 read; raises `LedgerError` record-malformed or entry-malformed."""
    time, agency, record = entries.unwrap(entry)
    _check(record)
    _, _, agencies, accreditations, checkpoint_key, created, _, *rest = record
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
        validators=tuple(
            FoundingValidator(agency=of, consensus_key=consensus, bls_key=key, possession=proof, power=power)
            for of, consensus, key, proof, power in (rest[0] if rest else ())
        ),
    )


def ledger_id(entry: bytes) -> bytes:
    return sha256(entry).digest()


def _check(record: Sequence[Any]) -> None:
    shape = _SHAPES.get(record[1]) if len(record) > 1 and type(record[1]) is int else None
    if shape is None or not shape.fits(record):
        raise LedgerError("record-malformed", log="genesis")
    agencies = [row[0] for row in record[2]]
    known = set(agencies)
    if len(known) != len(agencies) or any(row[0] not in known for row in record[3]):
        raise LedgerError("record-malformed", log="genesis: agency repeated or unknown")
