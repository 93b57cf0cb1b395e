"""Wallets and their sessions: opaque bearer tokens of ten minutes, known here by digest only."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from gov_chain.core.codec import b64url, sha256
from identity import agencies, tokens
from identity.errors import IdentityError
from identity.models import Agency, Citizen, Wallet, WalletSession

SESSION_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Session:
    token: str
    expires_in: int
    """Seconds."""


def living(home: Agency, wallet_id: uuid.UUID) -> Wallet:
    """The wallet of a citizen of `home`, unless revoked; raises `IdentityError("wallet-unknown")`."""
    wallet = (
        Wallet.objects.select_related("citizen__home")
        .filter(id=wallet_id, citizen__home=home, revoked_at__isnull=True)
        .first()
    )
    if wallet is None:
        raise IdentityError("wallet-unknown")
    return wallet


def of_citizen(citizen: Citizen) -> list[Wallet]:
    """The citizen's phones, the living ones first."""
    return list(Wallet.objects.filter(citizen=citizen).order_by(F("revoked_at").desc(nulls_first=True), "created_at"))


def end(which: QuerySet[Wallet], ended_as: Wallet.Ended) -> int:
    """End those of `which` that live, sessions included, all together; how many there were."""
    with transaction.atomic():
        WalletSession.objects.filter(wallet__in=which).delete()
        return which.filter(revoked_at__isnull=True).update(revoked_at=timezone.now(), ended_as=ended_as)


def open_session(wallet: Wallet) -> Session:
    """A new session; the token is not kept."""
    WalletSession.objects.filter(expires_at__lt=timezone.now()).delete()
    Wallet.objects.filter(pk=wallet.pk).update(last_seen_at=timezone.now())
    token = b64url(secrets.token_bytes(32))
    WalletSession.objects.create(
        wallet=wallet, token_digest=sha256(token.encode()), expires_at=tokens.after(SESSION_SECONDS)
    )
    return Session(token=token, expires_in=SESSION_SECONDS)


def wallet_of(request: HttpRequest, *, home: Agency | None = None) -> Wallet:
    """The unlocked wallet behind `Authorization: Bearer …`, of `home` when given.

    Raises `IdentityError`: session-missing, wallet-locked.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise IdentityError("session-missing")
    session = (
        WalletSession.objects.select_related("wallet__citizen__home")
        .filter(
            Q(token_digest=sha256(token.encode())),
            Q(expires_at__gt=timezone.now()),
            Q(wallet__revoked_at__isnull=True),
        )
        .first()
    )
    if session is None or (home is not None and session.wallet.citizen.home_id != home.number):
        raise IdentityError("session-missing")
    if session.wallet.tries_left == 0:
        raise IdentityError("wallet-locked")
    return session.wallet


def opened(request: HttpRequest, *, slug: str, wallet_id: uuid.UUID) -> Wallet:
    """The wallet of the bearer's session, which must be the one in the address; raises `IdentityError`."""
    wallet = wallet_of(request, home=agencies.home_by_slug(slug))
    if wallet.id != wallet_id:
        raise IdentityError("session-missing")
    return wallet
