"""Give and take the roles that an agency's identity provider answers for, as its groups say. Other roles stay."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from django.db import transaction

from gov_chain.single_sign_on import Provider
from identity import staff
from identity.actions.record_act import record_act
from identity.models import Officer, OfficerRole


def follow_groups(*, officer: Officer, provider: Provider, groups: AbstractSet[str]) -> None:
    """The agency's last administrator keeps that role, whatever the groups say."""
    answered = {role for _, roles in provider.roles for role in roles}
    wanted = {role for group, roles in provider.roles if group in groups for role in roles}
    with transaction.atomic():
        has = set(OfficerRole.objects.filter(officer=officer).values_list("role", flat=True))
        for role in sorted(wanted - has):
            OfficerRole.objects.create(officer=officer, role=role)
            _record(officer, "staff.give-role", role, provider)
        for role in sorted((has & answered) - wanted):
            if staff.is_last_admin(officer, role):
                continue
            OfficerRole.objects.filter(officer=officer, role=role).delete()
            _record(officer, "staff.take-role", role, provider)
    officer.__dict__.pop("role_names", None)


def _record(officer: Officer, act: str, role: str, provider: Provider) -> None:
    record_act(
        agency=officer.agency,
        officer=officer,
        act=act,
        object=f"officer={officer.pk} role={role}",
        detail={"by": f"sso {provider.id}"},
    )
