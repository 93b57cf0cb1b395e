"""Reading an agency's officers' log: pages for its auditor, and whether chain and anchors hold."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from gov_chain.core.codec import canonical_json
from gov_chain.ledger import node
from gov_chain.ledger.core import entries as ledger_entries
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from identity.acts import Content, Executed, File
from identity.core import officers_log as chain
from identity.models import Agency, OfficerLogAnchor, OfficerLogEntry, PendingAct

PAGE = 50
_PLAIN = ("seq", "at", "officer", "username", "act", "object", "outcome")


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[OfficerLogEntry, ...]
    older: int | None
    """`before` of the next page; None at the beginning."""
    size: int


@dataclass(frozen=True, slots=True)
class Verified:
    entries: int
    anchors: int
    """How many heads the ledger was found to hold."""
    broken: chain.Broken | None
    """The first entry that does not hold, or None."""
    anchor_broken: int | None
    """The first entry whose anchor contradicts the chain, or None."""

    @property
    def holds(self) -> bool:
        return self.broken is None and self.anchor_broken is None


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


def length(agency: Agency) -> int:
    last = OfficerLogEntry.objects.filter(agency=agency).order_by("-seq").first()
    return 0 if last is None else last.seq


def page(
    agency: Agency,
    *,
    before: int | None = None,
    officer: int | None = None,
    act: str = "",
    object: str = "",
    outcome: str = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Page:
    """Newest first; `object` is looked for within the objects, `since` and `until` are days of the node's zone."""
    found = OfficerLogEntry.objects.filter(agency=agency).select_related("officer").order_by("-seq")
    for name, value in (("officer", officer), ("act", act), ("object__contains", object), ("outcome", outcome)):
        if value:
            found = found.filter(**{name: value})
    if since is not None:
        found = found.filter(at__gte=_midnight(since))
    if until is not None:
        found = found.filter(at__lt=_midnight(until + dt.timedelta(days=1)))
    if before is not None:
        found = found.filter(seq__lt=before)
    rows = tuple(found[: PAGE + 1])
    return Page(rows[:PAGE], rows[PAGE - 1].seq if len(rows) > PAGE else None, length(agency))


def _midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), timezone.get_current_timezone()).timestamp())


def verify(agency: Agency) -> chain.Broken | None:
    return chain.verify(entries(agency))


def last_anchor(agency: Agency) -> OfficerLogAnchor | None:
    return OfficerLogAnchor.objects.filter(agency=agency, index__isnull=False).order_by("-seq").first()


def check(agency: Agency) -> Verified:
    """1. the chain from its first entry; 2. each anchor's head is the entry's digest; 3. its digest stands in the
    ledger, where its index says, as evidence of this agency. An entry an anchor names and the chain lacks is a cut."""
    broken = verify(agency)
    anchors = OfficerLogAnchor.objects.filter(agency=agency).order_by("seq")
    held = 0
    for anchor in anchors:
        row = OfficerLogEntry.objects.filter(agency=agency, seq=anchor.seq).first()
        if row is None or bytes(row.digest) != bytes(anchor.head):
            return Verified(length(agency), held, broken, anchor.seq)
        if anchor.index is None:
            continue  # on its way to the ledger
        if not _on_ledger(agency, anchor):
            return Verified(length(agency), held, broken, anchor.seq)
        held += 1
    return Verified(length(agency), held, broken, None)


def _on_ledger(agency: Agency, anchor: OfficerLogAnchor) -> bool:
    digest = chain.anchor_digest(salt=bytes(anchor.salt), agency=agency.number, seq=anchor.seq, head=bytes(anchor.head))
    try:
        entry = ledger_entries.parse(node.ledger().entry(int(anchor.index or 0)))
    except LedgerError:
        return False
    return entry.kind == records.EVIDENCE and entry.agency == agency.number and bytes(entry.values["digest"]) == digest


def export(pending: PendingAct, content: Content) -> Executed:
    """The executor of `officers-log.export`: a line for each entry, so that anybody can follow the chain."""
    lines = []
    for entry in entries(pending.agency):
        if entry.seq > int(content["until"]):
            break
        fields = {name: getattr(entry, name) for name in _PLAIN}
        told = {**fields, "agency": entry.agency, "detail": dict(entry.detail)}
        told |= {"previous": entry.previous.hex(), "digest": entry.digest.hex()}
        lines.append(canonical_json(told) + b"\n")
    name = f"officers-log-{pending.agency.slug}-{content['until']}.jsonl"
    return Executed({"entries": len(lines)}, File(name, b"".join(lines)))


def describe_export(content: Content) -> tuple[str, str]:
    until = json.dumps(content["until"])
    return f"导出本机构工作人员日志第 1 至 {until} 条", f"Export entries 1 to {until} of the agency's officers' log"
