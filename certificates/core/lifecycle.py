"""The life of a certificate, as one table: which act leads from which state to which, who may do it, what it needs.

    python -m certificates.core.lifecycle      the diagram in docs/architecture.md (a test compares them)

An act takes effect when its ledger record is final; until then the certificate keeps its former state and shows what
it is waiting for. Expiry is no act: it is read off the certificate's own end.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class State(StrEnum):
    APPLIED = "applied"
    APPROVED = "approved"
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REPLACED = "replaced"
    EXPIRED = "expired"
    DECLINED = "declined"
    REFUSED = "refused"


NAMES: Mapping[State, tuple[str, str]] = {
    State.APPLIED: ("已申请", "Applied"),
    State.APPROVED: ("已核准", "Approved"),
    State.PENDING: ("待上链", "Waiting for the ledger"),
    State.ACTIVE: ("有效", "Active"),
    State.SUSPENDED: ("已暂停", "Suspended"),
    State.REVOKED: ("已吊销", "Revoked"),
    State.REPLACED: ("已换发", "Replaced"),
    State.EXPIRED: ("已过期", "Expired"),
    State.DECLINED: ("不予核准", "Declined"),
    State.REFUSED: ("被账本拒绝", "Refused by the ledger"),
}

Record = Literal["", "issue", "status"]


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the table."""

    id: str
    zh: str
    en: str
    sources: frozenset[State]
    target: State
    roles: frozenset[str]
    """Officers' roles that may do it; `holder` is the citizen, `system` nobody in person."""
    record: Record = ""
    """What has to be final on the ledger before it takes effect."""
    reason: bool = False
    """Whether a reason has to be given."""


def _act(id: str, names: tuple[str, str], sources: tuple[State, ...], target: State, **more: Any) -> Act:
    roles = frozenset(more.pop("by"))
    return Act(id, *names, frozenset(sources), target, roles, **more)


_LIVING = (State.ACTIVE, State.SUSPENDED)

ACTS: Mapping[str, Act] = {
    act.id: act
    for act in (
        _act("apply", ("申请", "apply"), (), State.APPLIED, by=("holder", "issuer")),
        _act("approve", ("核准", "approve"), (State.APPLIED,), State.APPROVED, by=("approver",)),
        _act("decline", ("不予核准", "decline"), (State.APPLIED,), State.DECLINED, by=("approver",), reason=True),
        _act("issue", ("签发", "issue"), (State.APPROVED,), State.PENDING, by=("holder",)),
        _act("anchor", ("上链", "anchor"), (State.PENDING,), State.ACTIVE, by=("system",), record="issue"),
        _act("refuse", ("被拒", "refuse"), (State.PENDING,), State.REFUSED, by=("system",)),
        _act(
            "suspend",
            ("暂停", "suspend"),
            (State.ACTIVE,),
            State.SUSPENDED,
            by=("issuer",),
            record="status",
            reason=True,
        ),
        _act("reinstate", ("恢复", "reinstate"), (State.SUSPENDED,), State.ACTIVE, by=("issuer",), record="status"),
        _act("revoke", ("吊销", "revoke"), _LIVING, State.REVOKED, by=("issuer",), record="status", reason=True),
        _act("replace", ("换发", "replace"), _LIVING, State.REPLACED, by=("issuer",), record="status"),
        _act("expire", ("到期", "expire"), _LIVING, State.EXPIRED, by=("system",)),
    )
}

REASONS: Mapping[str, tuple[str, str]] = {
    "lost": ("遗失或被盗", "Lost or stolen"),
    "changed": ("登记内容变更", "What the register says has changed"),
    "mistaken": ("签发有误", "Issued by mistake"),
    "deceased": ("持有人死亡", "The holder has died"),
    "dissolved": ("主体注销", "The body was dissolved"),
    "court": ("法院或行政决定", "By order of a court or authority"),
    "misuse": ("冒用或滥用", "Misused"),
    "withdrawn": ("委托已撤回", "The mandate was withdrawn"),
}
"""Why a certificate was suspended or revoked: a choice, so that no free text about a person is kept."""


def permitted(act: str, state: State) -> bool:
    return state in ACTS[act].sources


def acts_from(state: State, role: str) -> list[Act]:
    """What somebody of `role` may do to a certificate in `state`."""
    return [act for act in ACTS.values() if state in act.sources and role in act.roles]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for act in ACTS.values():
        for source in [str(state) for state in sorted(act.sources)] or ["[*]"]:
            lines.append(f"    {source} --> {act.target}: {act.id}")
    ends = [state for state in State if not any(state in act.sources for act in ACTS.values())]
    lines += [f"    {state} --> [*]" for state in ends]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(diagram())
