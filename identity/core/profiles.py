"""An agency's profile: the public document whose digest the ledger holds."""

from __future__ import annotations

from typing import Any

from gov_chain.core.codec import canonical_json, sha256


def document(number: int, slug: str, name_zh: str, name_en: str) -> dict[str, Any]:
    """The same on every host."""
    return {"kind": "agency", "number": number, "slug": slug, "name": {"zh": name_zh, "en": name_en}}


def digest(number: int, slug: str, name_zh: str, name_en: str) -> bytes:
    return sha256(canonical_json(document(number, slug, name_zh, name_en)))
