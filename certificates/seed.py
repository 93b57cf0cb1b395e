"""The demonstration world's certificate type and register. Run again, it changes nothing that is there."""

from __future__ import annotations

from django.conf import settings

from certificates import demo_data
from certificates.actions.register_type import register_type
from certificates.core.definitions import RESIDENT_ID
from certificates.models import RegisterRow
from gov_chain.environment import UnsafeSettings
from gov_chain.ledger import relay
from identity import agencies

PEOPLE = 1000
SEED = 7


def people() -> list[tuple[str, str]]:
    """Name and identity number of everybody in the demonstration register: `identity.seed` makes them citizens."""
    return [(row["name"], row["id_number"]) for row in demo_data.people(count=PEOPLE, seed=SEED)]


def seed() -> None:
    """The issuer's invented register, and type 1 on the ledger (waits until it is final). Needs `identity.seed`.

    On the issuer's node; others have nothing to seed here.
    """
    if settings.GOVCHAIN.production:
        raise UnsafeSettings("GOVCHAIN_ENV=production refuses demonstration data; import real registers instead")
    police = agencies.by_slug("psb")
    if not police.hosted:
        return
    registration = register_type(agency=police, definition=RESIDENT_ID)
    if registration.outbox_id is not None:
        relay.settle([registration.outbox_id])
    known = set(RegisterRow.objects.filter(agency=police).values_list("subject", flat=True))
    missing = [
        RegisterRow(
            type_slug=registration.type.slug,
            agency=police,
            subject=row["id_number"],
            name=row["name"],
            note=row.pop("note"),
            data=row,
        )
        for row in demo_data.people(count=PEOPLE, seed=SEED)
        if row["id_number"] not in known
    ]
    RegisterRow.objects.bulk_create(missing, batch_size=500)
