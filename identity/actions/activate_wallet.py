"""Bind a phone's key to a citizen: activation code, new PIN, proof of the key.

1. the code's first part finds the activation, and one of its five tries is spent before the rest
   is compared, by a conditional update, so that guesses sent at once are counted too
2. the PIN must not be an obvious one
3. in one transaction: the code is used up, the older phones stop working unless the code was for one
   more, the new wallet exists, at the level of the check the code stands for. A crash before the commit
   leaves everything as it was, but for the spent try.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from identity import citizens, tokens, wallets
from identity.core import codes, pins
from identity.core.device_proof import DeviceProof
from identity.errors import IdentityError
from identity.models import MAX_PHONES, Activation, Agency, Citizen, Wallet


@dataclass(frozen=True, slots=True)
class ActivatedWallet:
    wallet: Wallet
    citizen: Citizen


def activate_wallet(*, home: Agency, code: str, pin: str, proof: DeviceProof, name: str = "") -> ActivatedWallet:
    """A new wallet on the phone that made `proof`; `name` is what its owner calls it.

    Raises `IdentityError`: activation-wrong, pin-weak, device-taken, phones-too-many.
    """
    activation = _spend_try(home, code)
    if pins.is_weak(pin, citizens.birth_date(activation.citizen)):
        # The code was right: the person may choose another PIN as often as needed.
        Activation.objects.filter(pk=activation.pk).update(tries_left=F("tries_left") + 1)
        raise IdentityError("pin-weak")
    if Wallet.objects.filter(thumbprint=proof.thumbprint).exclude(citizen=activation.citizen).exists():
        raise IdentityError("device-taken")
    pin_hash = make_password(pin)
    try:
        with transaction.atomic():
            now = timezone.now()
            if not Activation.objects.filter(pk=activation.pk, closed_at__isnull=True).update(closed_at=now):
                raise IdentityError("activation-wrong")
            citizen = activation.citizen
            if not activation.adds:
                wallets.end(Wallet.objects.filter(citizen=citizen), Wallet.Ended.REPLACED)
            wallet = Wallet.objects.create(
                citizen=citizen,
                slot=_free_slot(citizen),
                device_jwk=proof.jwk,
                thumbprint=proof.thumbprint,
                pin_hash=pin_hash,
                name=name,
                assurance_level=activation.assurance_level,
                check_id=activation.check_id,
            )
    except IntegrityError as error:
        raise IdentityError("device-taken") from error
    return ActivatedWallet(wallet=wallet, citizen=citizen)


def _free_slot(citizen: Citizen) -> int:
    """A place for one more phone; of two that take it at once, the unique index lets one."""
    taken = Wallet.objects.filter(citizen=citizen, revoked_at__isnull=True).values_list("slot", flat=True)
    free = set(range(1, MAX_PHONES + 1)) - set(taken)
    if not free:
        raise IdentityError("phones-too-many", most=MAX_PHONES)
    return min(free)


def _spend_try(home: Agency, text: str) -> Activation:
    """The open activation that `text` is the code of."""
    code = codes.normalise(text)
    if code is None:
        raise IdentityError("activation-wrong")
    activation = (
        Activation.objects.select_related("citizen__home")
        .filter(
            locator=code[: codes.LOCATOR],
            citizen__home=home,
            closed_at__isnull=True,
            expires_at__gt=timezone.now(),
        )
        .first()
    )
    if activation is None:
        raise IdentityError("activation-wrong")
    spent = Activation.objects.filter(pk=activation.pk, tries_left__gt=0, closed_at__isnull=True).update(
        tries_left=F("tries_left") - 1
    )
    if not spent or not hmac.compare_digest(bytes(activation.code_digest), tokens.keyed_digest("activation", code)):
        raise IdentityError("activation-wrong")
    return activation
