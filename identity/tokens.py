"""Signed tokens that count once, and keyed digests of short secrets."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gov_chain import clock
from gov_chain.core.codec import sha256
from identity.models import UsedToken


def take_once(scope: str, jti: str, *, expires: int) -> bool:
    """Whether `jti` is new in `scope`; it is remembered until `expires` (epoch seconds).

    The unique index decides, so of two that race one wins.
    """
    UsedToken.objects.filter(expires_at__lt=timezone.now()).delete()
    try:
        with transaction.atomic():
            UsedToken.objects.create(scope=scope, jti_digest=sha256(jti.encode()), expires_at=at(expires))
    except IntegrityError:
        return False
    return True


def keyed_digest(purpose: str, *parts: str) -> bytes:
    """32 bytes that only this node can compute: a short secret cannot be guessed from a stolen database."""
    text = "\x1f".join(parts)
    return salted_hmac(f"identity.{purpose}", text, algorithm="sha256").digest()


def at(epoch: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(epoch, tz=dt.UTC)


def after(seconds: int) -> dt.datetime:
    """The moment `seconds` from now."""
    return at(clock.now() + seconds)
