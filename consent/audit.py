"""The auditor's reading of the ledger: filtered pages, and each record as one plain sentence.

Names come from this node's own documents and rows; what is not known here is shown by its number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from gov_chain.ledger import documents, node
from gov_chain.ledger.core import entries, proposals, records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import LogRow, Reader
from identity.models import Agency

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
    names = Names()
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
    return _row(LogRow(index, entries.parse(node.ledger().entry(index))), Names())


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


class Names:
    """Names of agencies, types and matters, each looked up once."""

    def __init__(self) -> None:
        self._agencies = {
            agency.number: {"zh": agency.name_zh, "en": agency.name_en} for agency in Agency.objects.all()
        }
        self._documents: dict[tuple[str, int, int | None], dict[str, Any] | None] = {}

    def agency(self, number: int) -> dict[str, str]:
        if number == 0:
            return {"zh": "联盟", "en": "The consortium"}
        return self._agencies.get(number, {"zh": f"机构 {number}", "en": f"Agency {number}"})

    def type(self, number: int, version: int | None = None) -> dict[str, str]:
        return self._name("type", number, version) or {"zh": f"证照类型 {number}", "en": f"type {number}"}

    def matter(self, number: int, version: int | None = None) -> dict[str, str]:
        return self._name("matter", number, version) or {"zh": f"事项 {number}", "en": f"matter {number}"}

    def fields(self, matter: int, version: int, masks: list[int]) -> dict[str, str]:
        """The fields that masks of a matter stand for."""
        document = self._document("matter", matter, version)
        if document is None or len(masks) != len(document["types"]):
            return {"zh": "若干字段", "en": "some fields"}
        named = []
        for item, mask in zip(document["types"], masks, strict=True):
            kind = self._document("type", item["type"], item["version"])
            named += [field for bit, field in enumerate(kind["fields"] if kind else ()) if mask >> bit & 1]
        return {"zh": "、".join(f["zh"] for f in named), "en": ", ".join(f["en"].lower() for f in named)}

    def _name(self, kind: str, number: int, version: int | None) -> dict[str, str] | None:
        document = self._document(kind, number, version)
        return document["name"] if document else None

    def _document(self, kind: str, number: int, version: int | None) -> dict[str, Any] | None:
        key = (kind, number, version)
        if key not in self._documents:
            ledger = node.ledger()
            state = ledger.type(number, version) if kind == "type" else ledger.matter(number, version)
            try:
                self._documents[key] = documents.load(state.digest) if state else None
            except LedgerError:
                self._documents[key] = None
        return self._documents[key]


Sentence = Callable[[entries.Entry, Names], tuple[str, str]]


def _genesis(entry: entries.Entry, names: Names) -> tuple[str, str]:
    count = len(entry.values["agencies"])
    return f"账本创立，共 {count} 个机构。", f"The ledger was founded by {count} agencies."


def _transaction(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, refused = names.agency(entry.agency), len(entry.values["refused"])
    return (
        f"{who['zh']}提交了一批记录" + (f"，其中 {refused} 条被拒绝。" if refused else "。"),
        f"{who['en']} submitted a batch of records" + (f"; {refused} refused." if refused else "."),
    )


def _type(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.type(entry.values["type"], entry.values["version"])
    version = entry.values["version"]
    return f"{who['zh']}登记了证照类型“{what['zh']}”第 {version} 版。", (
        f"{who['en']} registered the certificate type “{what['en']}”, version {version}."
    )


def _matter(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.matter(entry.values["matter"], entry.values["version"])
    version = entry.values["version"]
    return f"{who['zh']}登记了事项“{what['zh']}”第 {version} 版。", (
        f"{who['en']} registered the matter “{what['en']}”, version {version}."
    )


def _approve(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.matter(entry.values["matter"], entry.values["version"])
    kind = names.type(entry.values["type"])
    return f"{who['zh']}同意事项“{what['zh']}”使用{kind['zh']}。", (
        f"{who['en']} approved the use of “{kind['en']}” for “{what['en']}”."
    )


def _issue(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.type(entry.values["type"], entry.values["type_version"])
    return f"{who['zh']}签发了一张{what['zh']}。", f"{who['en']} issued one “{what['en']}”."


def _grant(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what = names.matter(values["matter"], values["version"])
    shown = names.fields(values["matter"], values["version"], values["masks"])
    return f"{who['zh']}记录了一位市民的同意：“{what['zh']}”可用 {values['uses']} 次，字段：{shown['zh']}。", (
        f"{who['en']} recorded a citizen's consent: “{what['en']}”, up to {values['uses']} uses of {shown['en']}."
    )


def _withdraw(entry: entries.Entry, names: Names) -> tuple[str, str]:
    return "一位市民撤回了同意。", "A citizen withdrew a consent."


def _usage(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what = names.matter(values["matter"], values["version"])
    shown = names.fields(values["matter"], values["version"], values["masks"])
    return f"{who['zh']}为“{what['zh']}”使用了证照，字段：{shown['zh']}。", (
        f"{who['en']} used a certificate for “{what['en']}”: {shown['en']}."
    )


def _status(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what = names.type(values["type"])
    return f"{who['zh']}更新了{what['zh']}的第 {values['list']} 张状态表，第 {values['version']} 版。", (
        f"{who['en']} updated status list {values['list']} of “{what['en']}”, version {values['version']}."
    )


def _propose(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, number = names.agency(entry.agency), entry.values["proposal"]
    zh, en = proposals.sentence(
        entry.values["action"],
        agency=lambda each: (names.agency(each)["zh"], names.agency(each)["en"]),
        type_=lambda each: (names.type(each)["zh"], names.type(each)["en"]),
    )
    return f"{who['zh']}提出第 {number} 号提案：{zh}。", f"{who['en']} made proposal {number}: {en}."


def _vote(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, number, yes = names.agency(entry.agency), entry.values["proposal"], entry.values["yes"]
    return f"{who['zh']}对第 {number} 号提案投了{'赞成' if yes else '反对'}票。", (
        f"{who['en']} voted {'for' if yes else 'against'} proposal {number}."
    )


def _statutory(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what, count = names.type(values["type"]), values["mask"].bit_count()
    concealed = values["concealed_until"] != 0
    return (
        f"{who['zh']}依第 {values['power']} 项法定职权查询了一张{what['zh']}的 {count} 个字段"
        + ("，限期保密。" if concealed else "。"),
        f"{who['en']} looked at {count} fields of a “{what['en']}” under statutory power {values['power']}"
        + (", concealed for a time." if concealed else "."),
    )


def _reveal(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, index = names.agency(entry.agency), entry.values["index"]
    return (
        f"{who['zh']}公开了第 {index} 条记录的保密查询。",
        f"{who['en']} revealed the concealed use of entry {index}.",
    )


def _evidence(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, (zh, en) = names.agency(entry.agency), records.EVIDENCE_KINDS[entry.values["evidence"]]
    return f"{who['zh']}存证了一份材料：{zh}。", f"{who['en']} lodged evidence: {en}."


SENTENCES: dict[str, Sentence] = {
    "genesis": _genesis,
    "transaction": _transaction,
    "type": _type,
    "matter": _matter,
    "matter-approve": _approve,
    "issue": _issue,
    "grant": _grant,
    "withdraw": _withdraw,
    "usage": _usage,
    "status": _status,
    "propose": _propose,
    "vote": _vote,
    "statutory": _statutory,
    "reveal": _reveal,
    "evidence": _evidence,
}


def _row(row: LogRow, names: Names) -> AuditRow:
    zh, en = SENTENCES[row.entry.name](row.entry, names)
    handle = row.entry.values.get("handle")
    return AuditRow(
        index=row.index,
        time=row.entry.time,
        kind=row.entry.name,
        agency=row.entry.agency,
        agency_name=names.agency(row.entry.agency),
        sentence={"zh": zh, "en": en},
        handle=handle.hex() if isinstance(handle, bytes) else "",
    )
