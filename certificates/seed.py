"""The demonstration world's certificate type and register. Run again, it changes nothing that is there."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from certificates import demo_data, queries, registers
from certificates.actions.register_type import register_type
from certificates.core.definitions import RESIDENT_ID, SHIPPED
from certificates.core.register_rules import Row
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
    """The types of this node's agencies, on the ledger (waits until they are final); and, where the Public Security
    Bureau is, its invented register. Needs `identity.seed`.
    """
    if settings.GOVCHAIN.production:
        raise UnsafeSettings("GOVCHAIN_ENV=production refuses demonstration data; import real registers instead")
    for definition in SHIPPED:
        issuer = agencies.by_number(definition["issuer"])
        if issuer.hosted:
            registration = register_type(agency=issuer, definition=definition)
            if registration.outbox_id is not None:
                relay.settle([registration.outbox_id])
    police = agencies.by_slug("psb")
    if not police.hosted:
        return
    kind = queries.known_type(RESIDENT_ID["id"])
    held = RegisterRow.objects.filter(agency=police, type_slug=kind.slug)
    known = {bytes(index) for index in held.values_list("subject_index", flat=True)}
    missing = [
        Row(row["id_number"], row["name"], {name: row[name] for name in row if name != "note"}, row["note"])
        for row in demo_data.people(count=PEOPLE, seed=SEED)
        if registers.subject_index(police, row["id_number"]) not in known
    ]
    with transaction.atomic():
        registers.save(kind, registers.sealed(kind, missing))
