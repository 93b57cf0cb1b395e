"""Hand a citizen a one-time code to activate a phone with, after a real-name check."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from identity import tokens
from identity.core import codes
from identity.errors import IdentityError
from identity.models import Activation, Assurance, Citizen, Officer

LIFE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class IssuedActivation:
    code: str
    """As shown to the person; it is not kept."""
    expires_at: dt.datetime


def issue_activation(
    *, citizen: Citizen, assurance_level: int, officer: Officer | None, life_seconds: int = LIFE_SECONDS
) -> IssuedActivation:
    """A fresh code for `citizen`; an earlier one stops working. `officer` vouches for the real-name check.

    Raises `IdentityError`: assurance-missing, citizen-unknown (of another agency).
    """
    if assurance_level not in Assurance.values:
        raise IdentityError("assurance-missing")
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
            assurance_level=assurance_level,
            issued_by=officer,
            expires_at=tokens.after(life_seconds),
        )
    return IssuedActivation(code=codes.show(code), expires_at=activation.expires_at)
