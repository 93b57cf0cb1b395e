"""Write down in the agency's officers' log that an officer did something. The log only ever grows.

Called inside the act's own database transaction where it has one: both are there or neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from gov_chain import clock
from identity.core import officers_log, permissions
from identity.models import Agency, Officer, OfficerLogEntry

COMMAND = "(command)"
"""Stands for a name where a command was run on the node's own machine: whoever may do that holds its keys."""


def record_act(
    *,
    agency: Agency,
    officer: Officer | None,
    act: str,
    object: str = "",
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> OfficerLogEntry:
    """The entry, chained to the one before. `object` and `detail` name rows by their random ids, never citizens."""
    permissions.ACTS[act]  # an act nobody knows is a mistake
    with transaction.atomic():
        # One writer a chain: SQLite's transactions are one after another anyway, PostgreSQL waits for this row.
        Agency.objects.select_for_update().get(pk=agency.pk)
        last = OfficerLogEntry.objects.filter(agency=agency).order_by("-seq").first()
        entry = officers_log.Entry(
            agency=agency.number,
            seq=1 if last is None else last.seq + 1,
            at=clock.now(),
            officer=None if officer is None else officer.pk,
            username=COMMAND if officer is None else officer.get_username(),
            act=act,
            object=object[:200],
            outcome=outcome[:40],
            detail=dict(detail or {}),
            previous=officers_log.START if last is None else bytes(last.digest),
            digest=b"",
        )
        return OfficerLogEntry.objects.create(
            agency=agency,
            seq=entry.seq,
            at=entry.at,
            officer=officer,
            username=entry.username,
            act=entry.act,
            object=entry.object,
            outcome=entry.outcome,
            detail=entry.detail,
            previous=entry.previous,
            digest=officers_log.digest(entry),
        )
