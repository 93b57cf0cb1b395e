"""A logged transaction executed again from its entries.

A refused record is not in the log, only its position, hash and code. So what can be judged again is everything
accepted; that nothing else was signed follows from the root in the header.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gov_chain.ledger.core import entries, machine, records, transaction, tree
from gov_chain.ledger.core.errors import REFUSAL_CODES, LedgerError
from gov_chain.ledger.core.machine import Executed
from gov_chain.ledger.core.shapes import DIGEST, Row, Uint
from gov_chain.ledger.core.state import View
from gov_chain.ledger.core.transaction import Transaction

_NOTE = Row((Uint(transaction.MAX_RECORDS), DIGEST, Uint(2**16)))
_GONE = b""
"""Stands for a refused record: it is malformed, and so refused again."""


def transactions(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The entries after genesis, transaction by transaction: each one's leaf, then its records."""
    logged: list[bytes] = []
    for body in bodies:
        _, _, record = entries.unwrap(body)
        if record[0] == records.TRANSACTION and logged:
            yield logged
            logged = []
        logged.append(body)
    if logged:
        yield logged


def replay(view: View, logged: Sequence[bytes], *, ledger_id: bytes, first: int) -> Executed:
    """Execute the transaction whose leaf and records are the entries `logged`, the leaf at index `first`.

    Raises `LedgerError`: whatever the machine refuses it for, or ledger-damaged if the entries are not what it made.
    """
    leaf, *bodies = logged
    time, agency, record = entries.unwrap(leaf)
    if record[0] != records.TRANSACTION or len(record) != 4:
        raise LedgerError("ledger-damaged", log=f"entry {first} is no transaction's leaf")
    _, header_bytes, signature, notes = record
    header = transaction.parse_header(header_bytes)
    refused = {position: (digest, number) for position, digest, number in _notes(notes, first)}
    accepted = iter(body.removeprefix(entries.prefix(time, agency)) for body in bodies)
    given = [_GONE if at in refused else next(accepted, _GONE) for at in range(header.count)]
    leaves = [refused[at][0] if at in refused else tree.leaf_hash(data) for at, data in enumerate(given)]
    if tree.root(leaves) != header.root:
        raise LedgerError("root-wrong", log=f"transaction {first}")
    parsed = Transaction(header, header_bytes, signature, tuple(given), tuple(leaves))
    done = machine.execute(view, parsed, ledger_id=ledger_id, time=time, first=first)
    if done.refused.keys() != refused.keys() or done.entries[1:] != bodies or header.agency != agency:
        raise LedgerError("ledger-damaged", log=f"transaction {first} is not what its entries say")
    codes = {position: REFUSAL_CODES[number] for position, (_, number) in refused.items()}
    return dataclasses.replace(done, entries=[leaf, *bodies], refused=codes)


def _notes(notes: object, first: int) -> list[list[Any]]:
    """What a leaf says of refused records: [position, leaf hash, code's number] each."""
    if type(notes) is not list or not all(_NOTE.fits(each) and each[2] in REFUSAL_CODES for each in notes):
        raise LedgerError("ledger-damaged", log=f"transaction {first}: its refusals are malformed")
    return notes
