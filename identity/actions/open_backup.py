"""Give a backup to whoever shows the asking key of its recovery code: five wrong ones lock it.

A try is spent before the key is looked at, by one conditional update; the right key gives all back. It needs no
session, because the phone may be gone. It binds no phone: that takes a real-name check. With `lost` the backed-up phone
ends at once: the code proves enough to make things safer.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F

from identity import wallets
from identity.core import recovery
from identity.errors import IdentityError
from identity.models import MAX_TRIES, Agency, Backup, Wallet


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    content: bytes
    """Ciphertext."""
    ended: bool
    """The phone lived until now."""


def open_backup(*, home: Agency, locator: str, asking_key: bytes, lost: bool) -> OpenedBackup:
    """Raises `IdentityError`: recovery-wrong (also for a code nobody has), recovery-locked."""
    backup = Backup.objects.filter(locator=locator, wallet__citizen__home=home).first()
    if backup is None:
        raise IdentityError("recovery-wrong")
    same = Backup.objects.filter(pk=backup.pk)
    if not same.filter(tries_left__gt=0).update(tries_left=F("tries_left") - 1):
        raise IdentityError("recovery-locked")
    if not recovery.opens(asking_key, bytes(backup.verifier)):
        raise IdentityError("recovery-wrong")
    same.update(tries_left=MAX_TRIES)
    ended = lost and wallets.end(Wallet.objects.filter(pk=backup.wallet_id), Wallet.Ended.LOST) > 0
    return OpenedBackup(content=bytes(backup.content), ended=ended)
