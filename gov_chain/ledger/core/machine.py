"""The replicated state machine: transactions in, entries and state changes out. Pure and deterministic.

`execute` either refuses a transaction whole (malformed, unsigned, expired, replayed: `LedgerError`, nothing
changed) or judges its records one by one: an accepted record becomes an entry, a refused one is noted with its
position, leaf hash and code in the transaction's own leaf, which comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gov_chain.core.codec import encode
from gov_chain.ledger.core import entries, genesis, governance, records, rulesets, state, transaction, validator_rules
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.errors import REFUSALS, LedgerError
from gov_chain.ledger.core.state import Value, View

WINDOW = 1024
"""Sequence numbers of one key that may be in flight: below, and beyond, it refuses."""
MAX_REFUSED = 1024
"""Refused records of one transaction: its leaf names them all, and has to fit an entry bundle (65,535 bytes)."""
MAX_PAIRINGS = 16
"""Records of one transaction that need a pairing (1.6 ms): the others of them are refused unjudged."""
_WINDOW_MASK = (1 << WINDOW) - 1


@dataclass(frozen=True, slots=True)
class Executed:
    """What one transaction adds to the log. Entry i of `entries` has index `first + i`; the first is its leaf."""

    first: int
    agency: int
    entries: list[bytes]
    kinds: list[int]
    handles: list[bytes | None]
    positions: list[int | None]
    """For each record of the transaction: the index of its entry, or None if it was refused."""
    refused: dict[int, str]
    """Position → refusal code."""
    header_bytes: bytes
    history: dict[tuple[bytes, int], Value]
    """What historic keys of the state were after each entry that wrote them."""


def found(entry: bytes) -> View:
    """The state genesis makes; raises `LedgerError` if the entry is malformed."""
    view = View(lambda key: None)
    founding = genesis.parse(entry)
    for agency in founding.agencies:
        types = sorted({type_ for number, type_ in founding.accreditations if number == agency.number})
        governance.enrol(
            view,
            agency.number,
            0,
            key_no=agency.key_no,
            keys=[agency.ledger_key, agency.issue_key, agency.request_key],
            profile=agency.profile_digest,
            types=types,
        )
    if founding.validators:
        validator_rules.found(
            view, [each.row for each in founding.validators], [each.number for each in founding.agencies]
        )
    view.put(state.RULES, [[1, 0, 0]])
    return view


def execute(view: View, parsed: transaction.Transaction, *, ledger_id: bytes, time: int, first: int) -> Executed:
    """Run a transaction at block time `time`, its leaf at index `first`; raises `LedgerError` if refused whole."""
    header = parsed.header
    block, view = view, View(view.get)
    ruleset = rulesets.in_force(view, first)
    window = admit(view, header, parsed.header_bytes, parsed.signature, ledger_id=ledger_id, time=time)
    agency = header.agency
    prefix = entries.prefix(time, agency)
    added: list[bytes] = []
    kinds: list[int] = []
    handles: list[bytes | None] = []
    positions: list[int | None] = []
    refused: dict[int, str] = {}
    pairings = 0
    index = first + 1
    judge = rulesets.judge
    for position, record in enumerate(records.decode_all(parsed.records)):
        if isinstance(record, str):
            refused[position] = record
            positions.append(None)
            continue
        pairings += records.needs_pairing(record)
        if pairings > MAX_PAIRINGS:
            refused[position] = "too-many-pairings"
            positions.append(None)
            continue
        entry = prefix + parsed.records[position]
        code = judge(view, Act(agency, record, time, index, entry, ledger_id), ruleset)
        if code is not None:
            refused[position] = code
            positions.append(None)
            continue
        added.append(entry)
        kinds.append(record[0])
        handles.append(records.handle_of(record))
        positions.append(index)
        index += 1
    if len(refused) > MAX_REFUSED:
        raise LedgerError("too-many-refused", log=f"{len(refused)} of {header.count}")
    view.put(state.sequence_key(agency, header.key_no), window)
    block.absorb(view)
    notes = [[position, parsed.leaves[position], REFUSALS[code]] for position, code in refused.items()]
    leaf = prefix + encode([records.TRANSACTION, parsed.header_bytes, parsed.signature, notes])
    return Executed(
        first=first,
        agency=agency,
        entries=[leaf, *added],
        kinds=[records.TRANSACTION, *kinds],
        handles=[None, *handles],
        positions=positions,
        refused=refused,
        header_bytes=parsed.header_bytes,
        history=view.history,
    )


def admit(
    view: View, header: transaction.Header, header_bytes: bytes, signature: bytes, *, ledger_id: bytes, time: int
) -> list[Any]:
    """The key's sequence window after this transaction; raises `LedgerError` for whatever refuses it whole.

    1. it is for this ledger; 2. the agency exists and the key is its present one; 3. the key signed it; 4. the agency
    is not suspended; 5. the sequence number is unused and within the window; 6. valid-until has not passed and is not
    far off.
    """
    if header.ledger_id != ledger_id:
        raise LedgerError("ledger-id-wrong")
    known = view.get(state.agency_key(header.agency))
    if known is None or known[0] != header.key_no:
        retired = view.get(state.key_key(header.agency, header.key_no)) is not None
        raise LedgerError("key-retired" if retired else "key-unknown", log=f"{header.agency} key {header.key_no}")
    transaction.verify_signature(header_bytes, signature, known[1])
    if known[6]:
        raise LedgerError("agency-suspended", log=str(header.agency))
    window = view.get(state.sequence_key(header.agency, header.key_no)) or [0, bytes(WINDOW // 8)]
    advanced = _advance(window, header.sequence)
    if header.valid_until < time:
        raise LedgerError("transaction-expired")
    if header.valid_until > time + transaction.MAX_VALIDITY:
        raise LedgerError("valid-until-too-far")
    return advanced


def _advance(window: list[Any], sequence: int) -> list[Any]:
    """Mark `sequence` used."""
    highest = window[0]
    used = int.from_bytes(window[1])
    ahead = sequence - highest
    if ahead > WINDOW:
        raise LedgerError("sequence-too-far", log=str(sequence))
    if ahead > 0:
        highest, used = sequence, (used << ahead | 1) & _WINDOW_MASK
    elif -ahead >= WINDOW or sequence < 1:
        raise LedgerError("sequence-too-old", log=str(sequence))
    elif used >> -ahead & 1:
        raise LedgerError("sequence-used", log=str(sequence))
    else:
        used |= 1 << -ahead
    return [highest, used.to_bytes(WINDOW // 8)]
