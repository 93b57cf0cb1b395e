"""What a citizen is shown of their own phones."""

from __future__ import annotations

from typing import Any

from identity import assurance, wallets
from identity.core.assurance import WORDS, Level
from identity.errors import IdentityError
from identity.models import Wallet


def listed(wallet: Wallet) -> list[dict[str, Any]]:
    """Every phone of `wallet`'s citizen, as JSON; the living ones first."""
    return [
        {
            "id": str(each.id),
            "name": each.name,
            "this": each.pk == wallet.pk,
            "state": each.state,
            "ended_as": each.ended_as,
            "activated": int(each.created_at.timestamp()),
            "last_seen": int(each.last_seen_at.timestamp()) if each.last_seen_at else None,
            "ended": int(each.revoked_at.timestamp()) if each.revoked_at else None,
            "assurance": assurance_of(each),
        }
        for each in wallets.of_citizen(wallet.citizen)
    ]


def another(wallet: Wallet, phone_id: object) -> Wallet:
    """A living phone of the same citizen, not the one in hand.

    Raises `IdentityError`: phone-unknown, phone-in-hand.
    """
    phone = Wallet.objects.filter(pk=phone_id, citizen=wallet.citizen, revoked_at__isnull=True).first()
    if phone is None:
        raise IdentityError("phone-unknown")
    if phone.pk == wallet.pk:
        raise IdentityError("phone-in-hand")
    return phone


def assurance_of(wallet: Wallet) -> dict[str, Any]:
    """The level of a binding and the check behind it, in words."""
    level_zh, level_en = WORDS[Level(wallet.assurance_level)]
    check_zh, check_en = assurance.words(wallet.check_id)
    return {
        "level": wallet.assurance_level,
        "words": {"zh": level_zh, "en": level_en},
        "check": {"zh": check_zh, "en": check_en},
    }
