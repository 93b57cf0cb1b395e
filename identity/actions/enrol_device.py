"""An agency enrols a device's key for a time. The key is made on the device; only its did:key comes here."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from identity.core.dids import DidError
from identity.core.dids import key as did_key
from identity.errors import IdentityError
from identity.models import Agency, Device, Officer

KINDS = ("Ed25519", "P-256")
LONGEST = dt.timedelta(days=5 * 366)


def enrol_device(
    *, agency: Agency, label: str, did: str, valid_until: dt.datetime, officer: Officer | None = None
) -> Device:
    """Raises `IdentityError`: device-key-invalid, device-label-missing, device-validity-invalid, device-known."""
    try:
        kind = did_key.read(did).kind if did.startswith(did_key.PREFIX) else None
    except DidError as error:
        raise IdentityError("device-key-invalid", log=str(error)) from error
    if kind not in KINDS:
        raise IdentityError("device-key-invalid")
    if not 1 <= len(label.strip()) <= Device.LABEL:
        raise IdentityError("device-label-missing")
    if not timezone.now() < valid_until <= timezone.now() + LONGEST:
        raise IdentityError("device-validity-invalid")
    try:
        with transaction.atomic():
            return Device.objects.create(
                agency=agency, label=label.strip(), did=did, valid_until=valid_until, enrolled_by=officer
            )
    except IntegrityError as error:
        raise IdentityError("device-known") from error
