"""Acts that wait for a second person: who may decide, and what there is to decide."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from gov_chain import clock
from identity import officers
from identity.errors import IdentityError
from identity.models import Agency, Officer, PendingAct

RECENT = 30


def of_agency(agency: Agency) -> QuerySet[PendingAct]:
    """Newest first, those whose time has run out marked so."""
    expire(PendingAct.objects.filter(agency=agency))
    return (
        PendingAct.objects.filter(agency=agency)
        .select_related("requested_by", "decided_by")
        .defer("file")
        .order_by("-requested_at", "-id")
    )


def one_of(agency: Agency, pending_id: uuid.UUID) -> PendingAct:
    """Raises `IdentityError` pending-unknown: no such act, or another agency's."""
    expire(PendingAct.objects.filter(pk=pending_id))
    found = PendingAct.objects.select_related("agency", "requested_by", "decided_by").filter(
        agency=agency, pk=pending_id
    )
    pending = found.first()
    if pending is None:
        raise IdentityError("pending-unknown")
    return pending


def expire(among: QuerySet[PendingAct]) -> int:
    return among.filter(state=PendingAct.State.WAITING, expires_at__lte=clock.now()).update(
        state=PendingAct.State.EXPIRED
    )


def erase_files() -> int:
    """What exports made is kept for a week."""
    due = PendingAct.objects.filter(erase_at__lte=clock.now(), file__isnull=False)
    return due.update(file=None) if due.exists() else 0


def check_decider(officer: Officer, pending: PendingAct) -> None:
    """Raises `IdentityError` unless the officer is a second person who may decide this act, now."""
    officers.authorise(officer, "approvals.decide")
    if pending.agency_id != officer.agency_id:
        raise IdentityError("pending-unknown")
    if pending.requested_by_id == officer.pk:
        raise IdentityError("pending-own")
    check_waiting(pending)


def check_waiting(pending: PendingAct) -> None:
    if pending.state == PendingAct.State.EXPIRED or pending.expires_at <= clock.now():
        raise IdentityError("pending-expired")
    if pending.state != PendingAct.State.WAITING:
        raise IdentityError("pending-decided")


def decide(officer: Officer, pending: PendingAct, state: PendingAct.State) -> None:
    """waiting → `state`, by one decider. Raises `IdentityError` pending-decided for whoever comes second."""
    now = clock.now()
    decider = None if state == PendingAct.State.CANCELLED else officer
    moved = PendingAct.objects.filter(pk=pending.pk, state=PendingAct.State.WAITING, expires_at__gt=now).update(
        state=state, decided_by=decider, decided_at=now
    )
    if not moved:
        raise IdentityError("pending-decided")
    pending.state, pending.decided_by, pending.decided_at = state, decider, now
