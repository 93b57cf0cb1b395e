"""The outbox: an action's record is written in the same database transaction as the action's rows.

After the commit the relay is woken; if the process dies in between, the relay finds the row at its next start.
"""

from __future__ import annotations

import threading

from django.db import transaction

from gov_chain.ledger.core import records
from gov_chain.ledger.models import OutboxRow

committed = threading.Event()
"""Set whenever this process commits an outbox row; the relay's thread waits on it."""


def enqueue(*, agency: int, record: bytes, subject: str) -> int:
    """Put a record (built by `core.records`) in the outbox; the row's id, for `relay.settle`.

    Call it inside `transaction.atomic`, with the rows it belongs to. `subject` is "<app>.<topic>:<key>"; the part
    before the colon picks the listener (`relay.on_outcome`). Raises `LedgerError` if the record is malformed.
    """
    records.parse(record)
    row = OutboxRow.objects.create(agency=agency, record=record, subject=subject)
    transaction.on_commit(committed.set)
    return row.pk
