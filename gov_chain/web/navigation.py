"""The top navigation: the rooms of the house, shown to those whose roles open them.

Roles are read from the account's `roles` relation, so this module needs to know no app.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from gov_chain.web.language import pick


@dataclass(frozen=True, slots=True)
class Room:
    path: str
    zh: str
    en: str
    roles: frozenset[str]


ROOMS = (
    Room("/counter/", "窗口核验", "Counter", frozenset({"counter"})),
    Room("/issuing/", "证照签发", "Issuing", frozenset({"issuer"})),
    Room("/home/", "市民钱包", "Citizens' wallets", frozenset({"agency-admin"})),
    Room("/ledger-console/", "账本运行", "Ledger", frozenset({"agency-admin"})),
    Room("/audit/", "审计监督", "Audit", frozenset({"auditor"})),
)


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    text: str
    current: bool


def entries(request: HttpRequest) -> list[Entry]:
    """The rooms this person may enter; nothing for visitors."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    roles = frozenset(user.roles.values_list("role", flat=True))
    return [
        Entry(room.path, pick(room.zh, room.en), request.path.startswith(room.path))
        for room in ROOMS
        if room.roles & roles
    ]
