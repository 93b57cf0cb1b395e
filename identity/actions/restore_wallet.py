"""A home officer gives a locked wallet, and its recovery code, their tries back, after a real-name check."""

from __future__ import annotations

from identity.errors import IdentityError
from identity.models import MAX_TRIES, Backup, Officer, Wallet


def restore_wallet(*, wallet: Wallet, officer: Officer) -> None:
    """Raises `IdentityError("wallet-unknown")` for a revoked wallet or another agency's citizen."""
    restored = Wallet.objects.filter(pk=wallet.pk, citizen__home_id=officer.agency_id, revoked_at__isnull=True).update(
        tries_left=MAX_TRIES, locked_at=None
    )
    if not restored:
        raise IdentityError("wallet-unknown")
    Backup.objects.filter(wallet=wallet).update(tries_left=MAX_TRIES)
