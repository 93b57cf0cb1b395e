"""Reading an agency's officers' log: pages for its auditor, and whether the chain holds."""

from __future__ import annotations

from collections.abc import Iterator

from identity.core import officers_log as chain
from identity.models import Agency, OfficerLogEntry


def entry_of(row: OfficerLogEntry) -> chain.Entry:
    return chain.Entry(
        agency=row.agency_id,
        seq=row.seq,
        at=row.at,
        officer=row.officer_id,
        username=row.username,
        act=row.act,
        object=row.object,
        outcome=row.outcome,
        detail=row.detail,
        previous=bytes(row.previous),
        digest=bytes(row.digest),
    )


def entries(agency: Agency) -> Iterator[chain.Entry]:
    """The whole chain, first entry first."""
    return map(entry_of, OfficerLogEntry.objects.filter(agency=agency).order_by("seq").iterator(chunk_size=500))


def verify(agency: Agency) -> chain.Broken | None:
    return chain.verify(entries(agency))
