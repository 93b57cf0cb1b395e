"""Ledger values as JSON: byte strings in hex, field names as in the records' table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

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
