"""Open a wallet with its PIN: five tries, then only the home officer can unlock it.

A try is spent before the PIN is looked at, by one conditional update. However many guesses arrive
at once, the database lets five through. A crash after that costs the try, nothing more. The right
PIN gives all five back.
"""

from __future__ import annotations

from django.contrib.auth.hashers import check_password
from django.db.models import F
from django.utils import timezone

from identity import wallets
from identity.errors import IdentityError
from identity.models import MAX_TRIES, Wallet


def unlock_wallet(*, wallet: Wallet, pin: str) -> wallets.Session:
    """A session for `wallet`; the caller has checked the phone's proof.

    Raises `IdentityError`: pin-wrong (with `tries_left`), wallet-locked.
    """
    living = Wallet.objects.filter(pk=wallet.pk, revoked_at__isnull=True)
    if not living.filter(tries_left__gt=0).update(tries_left=F("tries_left") - 1):
        raise IdentityError("wallet-locked")
    if check_password(pin, wallet.pin_hash):
        living.update(tries_left=MAX_TRIES)
        return wallets.open_session(wallet)
    if living.filter(tries_left=0).update(locked_at=timezone.now()):
        raise IdentityError("wallet-locked")
    wallet.refresh_from_db(fields=["tries_left"])
    raise IdentityError("pin-wrong", tries_left=wallet.tries_left)
