"""Disable an officer's account, which ends their sessions at once, or enable it again."""

from __future__ import annotations

from django.db import transaction

from identity import sessions, staff
from identity.actions.record_act import record_act
from identity.errors import IdentityError
from identity.models import Agency, Officer, OfficerSession


def set_active(*, officer: Officer, active: bool, by: Officer) -> None:
    """Raises `IdentityError`: officer-unknown (another agency's), officer-self, last-admin."""
    if officer.agency_id != by.agency_id:
        raise IdentityError("officer-unknown")
    if officer.pk == by.pk:
        raise IdentityError("officer-self")
    with transaction.atomic():
        # One change of staff at a time: two administrators cannot put each other out.
        Agency.objects.select_for_update().get(pk=officer.agency_id)
        if not active and staff.is_last_admin(officer):
            raise IdentityError("last-admin")
        Officer.objects.filter(pk=officer.pk).update(is_active=active)
        if not active:
            sessions.end(OfficerSession.objects.filter(officer=officer))
        record_act(
            agency=by.agency,
            officer=by,
            act="staff.enable" if active else "staff.disable",
            object=f"officer={officer.pk}",
        )
