"""The rooms of the house, each with the act that opens it (`identity.core.permissions`)."""

from __future__ import annotations

from collections.abc import Iterator

from gov_chain.web.navigation import Room
from identity import officers
from identity.core import permissions
from identity.models import Officer

ROOMS: tuple[tuple[str, Room], ...] = (
    ("counter.work", Room("/counter/", "窗口核验", "Counter")),
    ("issuing.work", Room("/issuing/", "证照签发", "Issuing")),
    ("home.search", Room("/home/", "市民钱包", "Citizens' wallets")),
    ("governance.read", Room("/governance/", "联盟治理", "Governance")),
    ("audit.read", Room("/audit/", "审计监督", "Audit")),
    ("approvals.read", Room("/approvals/", "待批事项", "Approvals")),
    ("officers-log.read", Room("/officers-log/", "人员日志", "Officers' log")),
    ("devices.read", Room("/devices/", "设备", "Devices")),
    ("staff.read", Room("/staff/", "机构人员", "Staff")),
    ("ledger-console.read", Room("/ledger-console/", "账本运行", "Ledger")),
)
HOMES_ONLY = frozenset({"home.search"})
"""Rooms with nothing in them where the agency looks after no citizens."""
SECOND_PERSON = ("approvals.decide", *(act.name for act in permissions.ACTS.values() if act.second))
"""Whoever decides, or may ask for what another decides, comes back to see it: an approved export waits there."""


def entries(user: Officer) -> Iterator[Room]:
    for act, room in ROOMS:
        if not officers.may(user, act) or (act in HOMES_ONLY and not user.agency.home):
            continue
        if act != "approvals.read" or any(officers.may(user, each) for each in SECOND_PERSON):
            yield room
