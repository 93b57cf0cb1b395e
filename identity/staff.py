"""An agency's officers, as its administrator sees them."""

from __future__ import annotations

from django.db.models import QuerySet

from identity.core.permissions import AGENCY_ADMIN, POWERS
from identity.errors import IdentityError
from identity.models import Agency, Officer, OfficerInvitation


def of_agency(agency: Agency) -> QuerySet[Officer]:
    return Officer.objects.filter(agency=agency).prefetch_related("roles").order_by("-is_active", "username")


def one_of(agency: Agency, pk: int) -> Officer:
    """Raises `IdentityError` officer-unknown: no such officer, or another agency's."""
    officer = Officer.objects.select_related("agency").filter(agency=agency, pk=pk).first()
    if officer is None:
        raise IdentityError("officer-unknown")
    return officer


def is_last_admin(officer: Officer, role: str = AGENCY_ADMIN) -> bool:
    """Whether taking `role` from the officer, or the officer away, would leave the agency without an administrator."""
    if role != AGENCY_ADMIN:
        return False
    admins = Officer.objects.filter(agency=officer.agency_id, is_active=True, roles__role=AGENCY_ADMIN)
    return admins.filter(pk=officer.pk).exists() and not admins.exclude(pk=officer.pk).exists()


def check_no_powers(officer: Officer) -> None:
    """Raises `IdentityError` officer-powerful. Inside a transaction: no role comes in between.

    Whoever can let themselves into an account is its holder: into an approver's, and one person is both persons.
    """
    Agency.objects.select_for_update().get(pk=officer.agency_id)
    if officer.roles.filter(role__in=POWERS).exists():
        raise IdentityError("officer-powerful")


def check_joined(officer: Officer) -> None:
    """Raises `IdentityError` invitation-open: whoever holds the code may still become this officer. As above."""
    Agency.objects.select_for_update().get(pk=officer.agency_id)
    if OfficerInvitation.objects.filter(officer=officer, closed_at__isnull=True).exists():
        raise IdentityError("invitation-open")
