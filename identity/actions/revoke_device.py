"""End a device's key for good. The same key may be enrolled anew; another key is better."""

from __future__ import annotations

from django.utils import timezone

from identity.errors import IdentityError
from identity.models import Agency, Device


def revoke_device(*, agency: Agency, device_id: object) -> None:
    """Raises `IdentityError("device-unknown")` for one that is not there, another agency's, or revoked."""
    living = Device.objects.filter(pk=device_id, agency=agency, revoked_at__isnull=True)
    if not living.update(revoked_at=timezone.now()):
        raise IdentityError("device-unknown")
