"""This node learns who an agency is: its name and address, beside the keys the ledger has."""

from __future__ import annotations

from django.db import transaction

from gov_chain import keys
from gov_chain.ledger import documents, node
from identity import agencies
from identity.applications import Application
from identity.errors import IdentityError
from identity.models import Agency


def admit_agency(application: Application) -> Agency:
    """Publish the profile and keep the agency's row; host it if its keys are here. Idempotent.

    Done when its enrolment is proposed, and by `govchain agency admit` on the others' nodes. The row gives no power:
    every check asks the ledger. Raises `IdentityError("agency-taken")` if number or name are another member's.
    """
    profile = application.profile
    if profile is None:
        raise IdentityError("application-malformed", log="a rotation admits nobody")
    members = {each.number: each.ledger_key for each in node.ledger().agencies()}
    if members.get(profile.number, application.ledger_key) != application.ledger_key:
        raise IdentityError("agency-taken")
    if Agency.objects.filter(slug=profile.slug, number__in=members).exclude(number=profile.number).exists():
        raise IdentityError("agency-taken")
    with transaction.atomic():
        documents.publish(profile.model_dump())
        Agency.objects.filter(slug=profile.slug).exclude(number=profile.number).delete()
        Agency.objects.filter(number=profile.number).exclude(slug=profile.slug).delete()
        hosted = _holds(profile.slug, application.ledger_key)
        agency, _ = Agency.objects.update_or_create(
            number=profile.number,
            defaults={
                "slug": profile.slug,
                "name_zh": profile.name.zh,
                "name_en": profile.name.en,
                "base_url": application.base_url,
                "hosted": hosted,
            },
        )
        if hosted:
            node.host(agency.number, signer=agencies.key_uri(profile.slug, "ledger"))
    return agency


def _holds(slug: str, ledger_key: bytes) -> bool:
    try:
        return keys.signer(agencies.key_uri(slug, "ledger")).public_key == ledger_key
    except keys.KeyStoreError as error:
        if error.code != "key-missing":
            raise
        return False
