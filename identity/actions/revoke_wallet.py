"""A lost phone: a home officer ends its wallet for good. A new code activates another phone."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from identity.errors import IdentityError
from identity.models import Officer, Wallet, WalletSession


def revoke_wallet(*, wallet: Wallet, officer: Officer) -> None:
    """Raises `IdentityError("wallet-unknown")` for a revoked wallet or another agency's citizen."""
    with transaction.atomic():
        revoked = Wallet.objects.filter(
            pk=wallet.pk, citizen__home_id=officer.agency_id, revoked_at__isnull=True
        ).update(revoked_at=timezone.now())
        if not revoked:
            raise IdentityError("wallet-unknown")
        WalletSession.objects.filter(wallet=wallet).delete()
