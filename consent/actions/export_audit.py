"""The executor of `audit.export`: the ledger's rows under a filter, as of a fixed size, as a CSV file for a
spreadsheet.

Asked for by an auditor, approved by a second person (`identity.acts`). No row names a citizen: the ledger knows none.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

from certificates.core.register_rules import spreadsheet_safe
from consent import audit
from consent.core.errors import ConsentError
from identity.acts import Content, Executed, File
from identity.models import PendingAct

MAX_ROWS = 10_000
COLUMNS = ("index", "time", "kind", "agency", "agency_zh", "agency_en", "zh", "en", "handle")


def export_audit(pending: PendingAct, content: Content) -> Executed:
    """Raises `ConsentError` export-too-large: a narrower filter is needed."""
    wanted = _filter(content)
    before: int | None = int(content["size"])
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    while before:
        page = audit.page(wanted, before=before)
        for row in page.rows:
            when = dt.datetime.fromtimestamp(row.time, dt.UTC).isoformat()
            names, words = row.agency_name, row.sentence
            texts = (names["zh"], names["en"], words["zh"], words["en"], row.handle)
            writer.writerow([row.index, when, row.kind, row.agency, *map(spreadsheet_safe, texts)])
        count += len(page.rows)
        if count > MAX_ROWS:
            raise ConsentError("export-too-large", limit=MAX_ROWS)
        before = page.older
    # With a mark, so that spreadsheets read it as UTF-8.
    body = out.getvalue().encode("utf-8-sig")
    return Executed({"rows": count}, File(f"audit-{content['size']}.csv", body))


def describe_export(content: Content) -> tuple[str, str]:
    kept = {name: value for name, value in content.items() if name != "size"}
    filters = "，".join(f"{name}={value}" for name, value in sorted(kept.items()))
    size = content["size"]
    return (
        f"导出使用记录（账本前 {size} 条{'，' + filters if filters else ''}）",
        f"Export the record of uses (the first {size} entries{', ' + filters if filters else ''})",
    )


def _filter(content: Content) -> audit.Filter:
    kind = str(content.get("kind", ""))
    return audit.Filter(
        kind=audit.KIND_NUMBERS[kind] if kind else None,
        agency=content.get("agency"),
        matter=content.get("matter"),
        since=_day(content.get("since")),
        until=_day(content.get("until")),
    )


def _day(text: object) -> dt.date | None:
    return dt.date.fromisoformat(text) if isinstance(text, str) else None
