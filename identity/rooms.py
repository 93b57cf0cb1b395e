"""The rooms of the house, each with the act that opens it (`identity.core.permissions`)."""

from __future__ import annotations

from collections.abc import Iterator

from gov_chain.web.navigation import Room
from identity import officers
from identity.models import Officer

ROOMS: tuple[tuple[str, Room], ...] = (
    ("counter.work", Room("/counter/", "窗口核验", "Counter")),
    ("issuing.work", Room("/issuing/", "证照签发", "Issuing")),
    ("home.search", Room("/home/", "市民钱包", "Citizens' wallets")),
    ("governance.read", Room("/governance/", "联盟治理", "Governance")),
    ("audit.read", Room("/audit/", "审计监督", "Audit")),
    ("approvals.decide", Room("/approvals/", "待批事项", "Approvals")),
    ("officers-log.read", Room("/officers-log/", "人员日志", "Officers' log")),
    ("devices.read", Room("/devices/", "设备", "Devices")),
    ("staff.read", Room("/staff/", "机构人员", "Staff")),
    ("ledger-console.read", Room("/ledger-console/", "账本运行", "Ledger")),
)
HOMES_ONLY = frozenset({"home.search"})
"""Rooms with nothing in them where the agency looks after no citizens."""


def entries(user: Officer) -> Iterator[Room]:
    for act, room in ROOMS:
        if officers.may(user, act) and (act not in HOMES_ONLY or user.agency.home):
            yield room
