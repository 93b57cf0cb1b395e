"""Agencies and where their keys live: `<store>:<slug>/<purpose>`, the store being the node's."""

from __future__ import annotations

from typing import Literal

from django.conf import settings

from gov_chain import keys
from identity.errors import IdentityError
from identity.models import Agency

Purpose = Literal["ledger", "issue", "request", "seal"]

ALGORITHMS: dict[Purpose, keys.Algorithm] = {
    "ledger": "EdDSA",
    "issue": "ES256",
    "request": "ES256",
    "seal": "A256GCM",
}


def by_slug(slug: str, *, hosted: bool = False) -> Agency:
    """The agency called `slug`; with `hosted`, only one whose endpoints are on this node."""
    agency = Agency.objects.filter(slug=slug).first()
    if agency is None or (hosted and not agency.hosted):
        raise IdentityError("agency-unknown")
    return agency


def by_number(number: int) -> Agency:
    agency = Agency.objects.filter(number=number).first()
    if agency is None:
        raise IdentityError("agency-unknown")
    return agency


def home() -> Agency:
    """The hosted agency that looks after this node's citizens."""
    agency = Agency.objects.filter(home=True, hosted=True).first()
    if agency is None:
        raise IdentityError("agency-unknown")
    return agency


def key_uri(slug: str, purpose: Purpose) -> str:
    return f"{settings.GOVCHAIN.keys}:{slug}/{purpose}"


def signer(agency: Agency, purpose: Purpose) -> keys.Signer:
    return keys.signer(key_uri(agency.slug, purpose))


def sealer(agency: Agency) -> keys.Sealer:
    return keys.sealer(key_uri(agency.slug, "seal"))
