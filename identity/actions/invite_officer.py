"""An administrator invites somebody to work for the agency: an account without a password, and a code that is shown
once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from gov_chain import clock
from identity import staff
from identity.actions.record_act import record_act
from identity.core.permissions import POWERS
from identity.errors import IdentityError
from identity.models import Agency, Officer, OfficerInvitation, OfficerRole
from identity.tokens import keyed_digest

LIFE = 3 * 86400
PURPOSE = "officer-invitation"


@dataclass(frozen=True, slots=True)
class Invited:
    officer: Officer
    code: str
    """Kept nowhere: only its keyed digest is."""
    expires_at: int


def invite_officer(
    *,
    agency: Agency,
    by: Officer | None,
    username: str,
    display_name: str,
    email: str = "",
    roles: Iterable[str] = (),
) -> Invited:
    """Raises `IdentityError`: username-taken, second-person-needed (roles that take two persons are asked for later).

    `by` is None for a command on the node's own machine; it alone can make a first administrator.
    """
    wanted = sorted(set(roles))
    if by is not None and POWERS.intersection(wanted):
        raise IdentityError("second-person-needed")
    with transaction.atomic():
        try:
            with transaction.atomic():
                officer = Officer(username=username, agency=agency, display_name=display_name, email=email)
                officer.set_unusable_password()
                officer.save()
        except IntegrityError as error:
            raise IdentityError("username-taken") from error
        OfficerRole.objects.bulk_create(OfficerRole(officer=officer, role=role) for role in wanted)
        return renew_invitation(officer=officer, by=by, roles=wanted)


def renew_invitation(*, officer: Officer, by: Officer | None, roles: Iterable[str] = ()) -> Invited:
    """A new code for an officer who lost theirs, or forgot the password; any earlier code stops working.

    Raises `IdentityError`: officer-self, officer-powerful (an approver's account would be the administrator's).
    """
    if by is not None and by.pk == officer.pk:
        raise IdentityError("officer-self")
    code = secrets.token_urlsafe(18)
    now = clock.now()
    with transaction.atomic():
        if by is not None:
            staff.check_no_powers(officer)
        OfficerInvitation.objects.filter(officer=officer, closed_at__isnull=True).update(closed_at=now)
        OfficerInvitation.objects.create(
            officer=officer, code_digest=keyed_digest(PURPOSE, code), invited_by=by, expires_at=now + LIFE
        )
        record_act(
            agency=officer.agency,
            officer=by,
            act="staff.invite",
            object=f"officer={officer.pk}",
            detail={"roles": list(roles)},
        )
    return Invited(officer, code, now + LIFE)
