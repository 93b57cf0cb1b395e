"""What is done once a second person has approved: filled by each part in `AppConfig.ready()`.

    acts.register("audit.export", execute=export_audit, describe=describe_export)

`execute(pending, content)` runs once, inside the transaction that marks the act as done: it writes rows and outbox
records, and neither waits for the ledger nor calls another machine (that is for who reads those rows). A
`GovChainError` undoes what it wrote and is shown to both officers. `describe(content)` says in both languages what
exactly will be done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from identity.core.permissions import ACTS
from identity.models import PendingAct

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """What an export made, for the officer who asked for it; erased after a week."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Executed:
    result: dict[str, Any] = field(default_factory=dict)
    """Shown to both officers and written into the log: numbers and ids, nobody's data."""
    file: File | None = None


Execute = Callable[[PendingAct, Content], Executed]
Describe = Callable[[Content], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Registered:
    execute: Execute
    describe: Describe


_registered: dict[str, Registered] = {}


def register(act: str, *, execute: Execute, describe: Describe) -> None:
    if not ACTS[act].second:
        raise ValueError(f"{act} takes one person")
    _registered[act] = Registered(execute, describe)


def registered(act: str) -> Registered | None:
    return _registered.get(act)


def content_of(pending: PendingAct) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bytes(pending.content))
    return content


def description(pending: PendingAct) -> tuple[str, str]:
    """What exactly will be, or was, done."""
    found = registered(pending.act)
    row = ACTS[pending.act]
    return (row.zh, row.en) if found is None else found.describe(content_of(pending))
