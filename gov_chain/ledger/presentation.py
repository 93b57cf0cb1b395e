"""Ledger values as JSON: byte strings in hex, field names as in the records' table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gov_chain.ledger.core import proposals, records
from gov_chain.ledger.core.entries import Entry


def row(index: int, entry: Entry) -> dict[str, Any]:
    """A log entry."""
    return {
        "index": index,
        "time": entry.time,
        "agency": entry.agency,
        "kind": entry.kind,
        "name": entry.name,
        "values": plain(entry.values),
    }


def sentence(entry: Entry) -> tuple[str, str]:
    """What an entry says, in Chinese and English, with numbers where a name would need documents."""
    if entry.kind not in records.KINDS:
        return _FRAME[entry.kind]
    kind = records.KINDS[entry.kind]
    zh, en = kind.zh, kind.en
    values = entry.values
    if entry.kind == records.PROPOSE:
        action_zh, action_en = proposals.sentence(
            values["action"],
            agency=lambda number: (f"机关 {number}", f"agency {number}"),
            type_=lambda number: (f"证照类型 {number}", f"type {number}"),
        )
        return f"{zh} {values['proposal']}：{action_zh}", f"{en} {values['proposal']}: {action_en}"
    if entry.kind == records.VOTE:
        return f"{zh} {values['proposal']}：{'赞成' if values['yes'] else '反对'}", (
            f"{en} {values['proposal']}: {'yes' if values['yes'] else 'no'}"
        )
    if entry.kind == records.STATUTORY and values["concealed_until"]:
        return f"{zh}（限期保密）", f"{en}, concealed for a time"
    if entry.kind == records.EVIDENCE:
        what_zh, what_en = records.EVIDENCE_KINDS[values["evidence"]]
        return f"{zh}：{what_zh}", f"{en}: {what_en}"
    return zh, en


_FRAME = {
    records.GENESIS: ("账本创立", "ledger founded"),
    records.TRANSACTION: ("提交一批记录", "batch submitted"),
}


def state(value: Any) -> dict[str, Any]:
    """A state dataclass of `reader`."""
    return {name: plain(item) for name, item in asdict(value).items()}


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value
