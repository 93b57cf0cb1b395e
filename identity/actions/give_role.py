"""Give an officer of one's agency a role. Roles that could undo the rule of two take two persons themselves."""

from __future__ import annotations

from django.db import transaction

from identity.actions.record_act import record_act
from identity.acts import Content, Executed
from identity.core.permissions import POWERS
from identity.errors import IdentityError
from identity.models import Officer, OfficerRole, PendingAct
from identity.staff import check_joined, one_of


def give_role(*, officer: Officer, role: str, by: Officer) -> None:
    """Raises `IdentityError`: officer-unknown (another agency's), role-own, second-person-needed."""
    _check(officer, by)
    if role in POWERS:
        raise IdentityError("second-person-needed")
    with transaction.atomic():
        OfficerRole.objects.get_or_create(officer=officer, role=role)
        record_act(agency=by.agency, officer=by, act="staff.give-role", object=f"officer={officer.pk} role={role}")


def give_power(pending: PendingAct, content: Content) -> Executed:
    """The executor of `staff.give-power`: neither who asked nor who approved is the one who gets the role."""
    officer = one_of(pending.agency, int(content["officer"]))
    _check(officer, pending.requested_by)
    if pending.decided_by is not None:
        _check(officer, pending.decided_by)
    check_joined(officer)
    OfficerRole.objects.get_or_create(officer=officer, role=str(content["role"]))
    return Executed({"officer": officer.pk, "role": str(content["role"])})


def describe_power(content: Content) -> tuple[str, str]:
    from identity.templatetags.staff import ROLES

    officer = Officer.objects.filter(pk=int(content["officer"])).first()
    name = "?" if officer is None else f"{officer.display_name}（{officer.username}）"
    zh, en = ROLES[str(content["role"])]
    return f"授予 {name} “{zh}”角色", f"Give {name} the role: {en}"


def _check(officer: Officer, by: Officer) -> None:
    if officer.agency_id != by.agency_id:
        raise IdentityError("officer-unknown")
    if officer.pk == by.pk:
        raise IdentityError("role-own")
