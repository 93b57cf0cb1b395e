"""What became of a transaction, read back from its leaf in the log. The same for every engine."""

from __future__ import annotations

from hashlib import sha256

from gov_chain.ledger import store
from gov_chain.ledger.core import entries, transaction
from gov_chain.ledger.core.errors import REFUSAL_CODES
from gov_chain.ledger.engines import Committed


def outcome(rows: store.Rows, parsed: transaction.Transaction) -> Committed | None:
    """None if the transaction is not in the log."""
    first = rows.transaction(sha256(parsed.header_bytes).digest())
    if first is None:
        return None
    leaf = rows.entry(first)
    assert leaf is not None
    time_, _, record = entries.unwrap(leaf)
    refused = {position: REFUSAL_CODES[number] for position, _, number in record[3]}
    positions: list[int | None] = []
    index = first
    for position in range(len(parsed.records)):
        if position in refused:
            positions.append(None)
        else:
            index += 1
            positions.append(index)
    return Committed(time_, first, tuple(positions), refused)
