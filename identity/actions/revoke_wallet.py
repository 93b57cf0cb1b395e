"""End one phone for good: lost, or no longer wanted. A new code activates another phone.

Three may: a home officer after a real-name check, the citizen from another phone of theirs, and whoever
holds the phone's recovery code. Each of them has been established by the caller.
"""

from __future__ import annotations

from identity import wallets
from identity.errors import IdentityError
from identity.models import Agency, Wallet


def revoke_wallet(*, wallet: Wallet, home: Agency, ended_as: Wallet.Ended) -> None:
    """Raises `IdentityError("wallet-unknown")` for a phone that has ended, or of another agency's citizen."""
    if not wallets.end(Wallet.objects.filter(pk=wallet.pk, citizen__home=home), ended_as):
        raise IdentityError("wallet-unknown")
