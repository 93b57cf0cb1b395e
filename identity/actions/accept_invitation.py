"""Whoever holds an invitation's code chooses the password of its account, once."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from gov_chain import clock
from identity import sessions
from identity.actions.invite_officer import PURPOSE
from identity.actions.record_act import record_act
from identity.errors import IdentityError
from identity.models import Officer, OfficerInvitation, OfficerSession
from identity.tokens import keyed_digest


def accept_invitation(*, code: str, password: str) -> Officer:
    """Raises `IdentityError` invitation-wrong, or Django's `ValidationError` for a password that breaks the rules."""
    open_ones = OfficerInvitation.objects.select_related("officer__agency").filter(
        code_digest=keyed_digest(PURPOSE, code.strip()),
        closed_at__isnull=True,
        expires_at__gt=clock.now(),
        officer__is_active=True,
        officer__agency__hosted=True,
    )
    invitation = open_ones.first()
    if invitation is None:
        raise IdentityError("invitation-wrong")
    officer = invitation.officer
    validate_password(password, officer)
    with transaction.atomic():
        if not OfficerInvitation.objects.filter(pk=invitation.pk, closed_at__isnull=True).update(closed_at=clock.now()):
            raise IdentityError("invitation-wrong")
        officer.set_password(password)
        officer.save(update_fields=["password"])
        sessions.end(OfficerSession.objects.filter(officer=officer))
        record_act(agency=officer.agency, officer=officer, act="account.join")
    return officer
