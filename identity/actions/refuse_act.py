"""A second officer refuses a waiting act, or its requester takes it back. Nothing is done."""

from __future__ import annotations

from django.db import transaction

from identity import approvals
from identity.actions.record_act import record_act
from identity.errors import IdentityError
from identity.models import Officer, PendingAct


def refuse_act(*, officer: Officer, pending: PendingAct) -> PendingAct:
    """Raises `IdentityError` as `approve_act` does."""
    approvals.check_decider(officer, pending)
    return _settle(officer, pending, PendingAct.State.REFUSED, "approvals.decide")


def cancel_act(*, officer: Officer, pending: PendingAct) -> PendingAct:
    """Raises `IdentityError` pending-unknown for somebody else's, pending-decided, pending-expired."""
    if pending.requested_by_id != officer.pk:
        raise IdentityError("pending-unknown")
    approvals.check_waiting(pending)
    return _settle(officer, pending, PendingAct.State.CANCELLED, "approvals.cancel")


def _settle(officer: Officer, pending: PendingAct, state: PendingAct.State, act: str) -> PendingAct:
    with transaction.atomic():
        approvals.decide(officer, pending, state)
        record_act(agency=pending.agency, officer=officer, act=act, object=f"pending={pending.pk}", outcome=state.value)
    return pending
