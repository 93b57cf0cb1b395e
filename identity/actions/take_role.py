"""Take a role from an officer of one's agency. It counts at their next request."""

from __future__ import annotations

from django.db import transaction

from identity import staff
from identity.actions.record_act import record_act
from identity.errors import IdentityError
from identity.models import Agency, Officer, OfficerRole


def take_role(*, officer: Officer, role: str, by: Officer) -> None:
    """Raises `IdentityError`: officer-unknown (another agency's), last-admin."""
    if officer.agency_id != by.agency_id:
        raise IdentityError("officer-unknown")
    with transaction.atomic():
        Agency.objects.select_for_update().get(pk=officer.agency_id)
        if staff.is_last_admin(officer, role):
            raise IdentityError("last-admin")
        OfficerRole.objects.filter(officer=officer, role=role).delete()
        record_act(agency=by.agency, officer=by, act="staff.take-role", object=f"officer={officer.pk} role={role}")
