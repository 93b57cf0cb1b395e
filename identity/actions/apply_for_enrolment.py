"""An agency that is not in the consortium yet makes its keys and writes its application."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from gov_chain import keys
from gov_chain.ledger import node
from identity import agencies, applications
from identity.errors import IdentityError
from identity.models import Agency


@dataclass(frozen=True, slots=True)
class Applied:
    agency: Agency
    application: str


def apply_for_enrolment(*, slug: str, name_zh: str, name_en: str) -> Applied:
    """Keys for `slug` in this node's store, a row for the agency, and the application's text. Idempotent.

    The row says nothing about membership: the ledger does. Its number is the next the ledger would give; should
    another be enrolled first, apply again. Raises `IdentityError("agency-taken")` if the name is a member's.
    """
    number = max(each.number for each in node.ledger().agencies()) + 1
    known = Agency.objects.filter(slug=slug).first()
    if known is not None and known.number < number:
        raise IdentityError("agency-taken")
    for purpose, algorithm in agencies.ALGORITHMS.items():
        keys.create(agencies.key_uri(slug, purpose), algorithm)
    with transaction.atomic():
        # Rows of applicants that were never enrolled give way.
        Agency.objects.filter(number=number).exclude(slug=slug).delete()
        Agency.objects.filter(slug=slug).exclude(number=number).delete()
        agency, _ = Agency.objects.update_or_create(
            number=number,
            defaults={
                "slug": slug,
                "name_zh": name_zh,
                "name_en": name_en,
                "base_url": settings.GOVCHAIN.base_url,
                "hosted": True,
            },
        )
        node.host(number, signer=agencies.key_uri(slug, "ledger"))
    text = applications.write(
        slug=slug, agency=number, key_no=1, profile=agency.profile, base_url=settings.GOVCHAIN.base_url
    )
    return Applied(agency, text)
