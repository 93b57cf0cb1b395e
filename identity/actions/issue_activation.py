"""Hand a citizen a one-time code to activate a phone with, after a real-name check."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from identity import tokens
from identity.core import codes
from identity.core.assurance import Verified
from identity.errors import IdentityError
from identity.models import Activation, Citizen, Officer

LIFE_SECONDS = 7 * 24 * 3600
OWN_PHONE_SECONDS = 15 * 60
"""The life of a code that one phone shows to another."""


@dataclass(frozen=True, slots=True)
class IssuedActivation:
    code: str
    """As shown to the person; it is not kept."""
    expires_at: dt.datetime


def issue_activation(
    *,
    citizen: Citizen,
    verified: Verified,
    officer: Officer | None,
    adds: bool = False,
    life_seconds: int = LIFE_SECONDS,
) -> IssuedActivation:
    """A fresh code for `citizen`; an earlier one stops working. `verified` says how the person was checked.

    With `adds` the phone it activates joins the others; otherwise it replaces them. Raises
    `IdentityError` citizen-unknown (of another agency than the officer's).
    """
    if officer is not None and officer.agency_id != citizen.home_id:
        raise IdentityError("citizen-unknown")
    with transaction.atomic():
        # One open code a citizen: closing the old one first is what the unique index asks for.
        Activation.objects.filter(citizen=citizen, closed_at__isnull=True).update(closed_at=timezone.now())
        code = codes.from_random(secrets.token_bytes(codes.BYTES))
        while Activation.objects.filter(locator=code[: codes.LOCATOR]).exists():
            code = codes.from_random(secrets.token_bytes(codes.BYTES))
        activation = Activation.objects.create(
            citizen=citizen,
            locator=code[: codes.LOCATOR],
            code_digest=tokens.keyed_digest("activation", code),
            assurance_level=verified.level,
            check_id=verified.check,
            adds=adds,
            issued_by=officer,
            expires_at=tokens.after(life_seconds),
        )
    return IssuedActivation(code=codes.show(code), expires_at=activation.expires_at)
