"""So many tries in so long a time, counted in the database.

A try is written down before the secret is looked at and crossed out when it was right, so guesses
sent at once cannot slip past the count.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from identity.errors import IdentityError
from identity.models import Attempt
from identity.tokens import keyed_digest


@dataclass(frozen=True, slots=True)
class Limit:
    kind: str
    tries: int
    seconds: int


LOGIN = Limit("login", tries=5, seconds=15 * 60)
LOGIN_FROM = Limit("login-from", tries=60, seconds=15 * 60)
"""Whoever tries one password on many accounts, or many accounts to keep the hashing busy."""
SECOND_FACTOR = Limit("second-factor", tries=5, seconds=15 * 60)
AGAIN = Limit("again", tries=5, seconds=15 * 60)
JOIN = Limit("join", tries=20, seconds=15 * 60)
"""Guesses at invitation codes, by address."""
ACTIVATION = Limit("activation", tries=20, seconds=15 * 60)
RECOVERY = Limit("recovery", tries=20, seconds=15 * 60)


def reserve(limit: Limit, *who: str) -> bool:
    """Count one try by `who`; False when the limit is reached, and then nothing is counted."""
    key = keyed_digest(limit.kind, *who)
    now = timezone.now()
    window = dt.timedelta(seconds=limit.seconds)
    Attempt.objects.filter(kind=limit.kind, at__lt=now - window).delete()
    attempt = Attempt.objects.create(kind=limit.kind, key_digest=key, at=now)
    rank = Attempt.objects.filter(kind=limit.kind, key_digest=key, at__gte=now - window, id__lte=attempt.id).count()
    if rank > limit.tries:
        attempt.delete()
        return False
    return True


def require(limit: Limit, code: str, *who: str) -> None:
    """Count one try by `who`; raises `IdentityError(code)` when the limit is reached."""
    if not reserve(limit, *who):
        raise IdentityError(code, retry_after=limit.seconds)


def forgive(limit: Limit, *who: str) -> None:
    """The secret was right: forget what `who` tried."""
    Attempt.objects.filter(kind=limit.kind, key_digest=keyed_digest(limit.kind, *who)).delete()
