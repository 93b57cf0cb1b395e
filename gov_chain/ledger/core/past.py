"""A grant as it was, folded from the entries about its handle that were in the log by then."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from gov_chain.ledger.core import entries, records, state
from gov_chain.ledger.core.state import Value


def grant(about: Iterable[tuple[int, bytes]]) -> Value | None:
    """State value `g` after these (index, entry), which are all about one handle, oldest first."""
    value: Value | None = None
    for index, entry in about:
        _, agency, record = entries.unwrap(entry)
        if record[0] == records.GRANT:
            _, _, matter, version, masks, not_after, uses, _ = record
            value = [agency, matter, version, masks, not_after, uses, 0, index, state.NO_CHAIN]
        assert value is not None
        *rest, uses, withdrawn, first, chain = value
        value = [
            *rest,
            uses - (record[0] == records.USAGE),
            index if record[0] == records.WITHDRAW else withdrawn,
            first,
            sha256(chain + entry).digest(),
        ]
    return value
