"""The auditor's reading of the ledger: filtered pages, and each record as one plain sentence.

Sentences and names are the ledger explorer's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from gov_chain.ledger import node
from gov_chain.ledger.core import entries, records
from gov_chain.ledger.explorer.names import Names
from gov_chain.ledger.explorer.sentences import sentence
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.standing import LogRow

PAGE = 50
WINDOW = 500
MAX_WINDOWS = 40
"""At most this many windows are searched for one page; the page then offers to go on."""

KIND_NUMBERS = {name: number for number, name in records.LOG_KINDS.items()}


@dataclass(frozen=True, slots=True)
class Filter:
    kind: int | None = None
    agency: int | None = None
    matter: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    index: int
    time: int
    kind: str
    agency: int
    agency_name: dict[str, str]
    sentence: dict[str, str]
    handle: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    rows: tuple[AuditRow, ...]
    older: int | None
    """`before` of the next page, None at the beginning of the ledger."""
    size: int


def page(wanted: Filter, *, before: int | None = None) -> AuditPage:
    """Newest first, entries with index < `before`."""
    ledger = node.ledger()
    size = ledger.size
    low = _first_at(ledger, size, _midnight(wanted.since)) if wanted.since else 0
    high = _first_at(ledger, size, _midnight(wanted.until + dt.timedelta(days=1))) if wanted.until else size
    top = min(high, size if before is None else before)
    names = Names(ledger)
    rows: list[AuditRow] = []
    for _ in range(MAX_WINDOWS):
        if top <= low or len(rows) >= PAGE:
            break
        start = max(low, top - WINDOW)
        found = ledger.entries(after=start - 1, limit=top - start, kind=wanted.kind, agency=wanted.agency)
        for row in reversed([row for row in found if row.index < top and _matches(row, wanted)]):
            rows.append(_row(row, names))
            if len(rows) == PAGE:
                start = row.index
                break
        top = start
    return AuditPage(rows=tuple(rows), older=top if top > low else None, size=size)


def row(index: int) -> AuditRow:
    """One entry; raises `LedgerError` entry-unknown."""
    ledger = node.ledger()
    return _row(LogRow(index, entries.parse(ledger.entry(index))), Names(ledger))


def _matches(row: LogRow, wanted: Filter) -> bool:
    if wanted.kind is None and row.entry.kind == records.TRANSACTION:
        return False
    return wanted.matter is None or row.entry.values.get("matter") == wanted.matter


def _midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), timezone.get_current_timezone()).timestamp())


def _first_at(ledger: Reader, size: int, time: int) -> int:
    """The first index whose block time is ≥ `time`; block times never go back."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if entries.unwrap(ledger.entry(middle))[0] < time:
            low = middle + 1
        else:
            high = middle
    return low


def _row(row: LogRow, names: Names) -> AuditRow:
    handle = row.entry.values.get("handle")
    return AuditRow(
        index=row.index,
        time=row.entry.time,
        kind=row.entry.name,
        agency=row.entry.agency,
        agency_name=names.agency(row.entry.agency),
        sentence=sentence(row.entry, names),
        handle=handle.hex() if isinstance(handle, bytes) else "",
    )
