"""Keep a phone's encrypted backup: opaque bytes, one backup a phone, the newest alone."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from identity.errors import IdentityError
from identity.models import MAX_TRIES, Backup, Wallet


def keep_backup(*, wallet: Wallet, locator: str, verifier: bytes, content: bytes) -> None:
    """Replaces the earlier one, code included. Raises `IdentityError` recovery-taken (another phone's locator)."""
    try:
        with transaction.atomic():
            Backup.objects.update_or_create(
                wallet=wallet,
                defaults={"locator": locator, "verifier": verifier, "content": content, "tries_left": MAX_TRIES},
            )
    except IntegrityError as error:
        raise IdentityError("recovery-taken") from error
