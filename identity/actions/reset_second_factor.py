"""Remove an officer's second factors, who lost them, and end their sessions. Where one is mandatory they set up
another."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from identity import sessions, staff
from identity.actions.record_act import record_act
from identity.errors import IdentityError
from identity.models import Officer, OfficerSession


def reset_second_factor(*, officer: Officer, by: Officer) -> None:
    """Raises `IdentityError`: officer-unknown (another agency's), officer-self, officer-powerful."""
    if officer.agency_id != by.agency_id:
        raise IdentityError("officer-unknown")
    if officer.pk == by.pk:
        raise IdentityError("officer-self")
    with transaction.atomic():
        staff.check_no_powers(officer)
        removed, _ = Authenticator.objects.filter(user=officer).delete()
        sessions.end(OfficerSession.objects.filter(officer=officer))
        record_act(
            agency=by.agency,
            officer=by,
            act="staff.reset",
            object=f"officer={officer.pk}",
            detail={"removed": removed},
        )
