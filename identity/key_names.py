"""Where agencies' keys live: `<store>:<slug>/<purpose>`, after a rotation `…-<number>`."""

from __future__ import annotations

from django.conf import settings

from gov_chain import keys
from identity.core.purposes import Purpose


def uri(slug: str, purpose: Purpose, key_no: int = 1) -> str:
    return keys.numbered(f"{settings.GOVCHAIN.keys}:{slug}/{purpose}", key_no)
