"""From a matter's definition to a matter in force: registered by its agency, approved by each issuer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from consent.core import matter as matter_core
from consent.models import Matter
from gov_chain.ledger import documents, node, outbox, relay
from gov_chain.ledger.core import records
from gov_chain.ledger.standing import LogRow
from identity.models import Agency

SUBJECT = "consent.matter"


def latest(slug: str, *, agency: Agency | None = None) -> Matter | None:
    """The newest version of the matter called `slug` on this node that is in force."""
    found = Matter.objects.select_related("agency").filter(slug=slug, state=Matter.State.IN_FORCE)
    if agency is not None:
        found = found.filter(agency=agency)
    return found.order_by("-version").first()


def of_agency(agency: Agency) -> list[Matter]:
    """The matters an agency may ask for."""
    return list(Matter.objects.filter(agency=agency, state=Matter.State.IN_FORCE).select_related("agency"))


def register(document: Mapping[str, Any], *, agency: Agency, types: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """Publish the definition and put it in the outbox; outbox ids, none when it was done before.

    `types` maps a type's number to its definition document.
    """
    with transaction.atomic():
        digest = documents.publish(document)
        terms = matter_core.read(
            document, digest=digest, types={(n, value["version"]): value for n, value in types.items()}
        )
        row, created = Matter.objects.get_or_create(
            number=terms.number,
            version=terms.version,
            defaults={
                "slug": terms.slug,
                "agency": agency,
                "digest": digest,
                "name_zh": terms.name.zh,
                "name_en": terms.name.en,
            },
        )
        if node.ledger().matter(terms.number, terms.version) is not None:
            # From before this database began.
            follow(terms.number, terms.version)
            return []
        if not created and row.state != Matter.State.REFUSED:
            return []
        record = records.matter(
            matter=terms.number,
            version=terms.version,
            digest=digest,
            types=[(t.number, t.version, t.required, t.optional) for t in terms.types],
            max_life=terms.max_life_s,
            max_uses=terms.max_uses,
            retention_days=terms.retention_days,
        )
        return [outbox.enqueue(agency=agency.number, record=record, subject=_subject(terms.number, terms.version))]


def approve(number: int, version: int, *, issuer: Agency, type_number: int) -> int:
    """The issuer of one of a matter's types approves its fields; the outbox id. The matter may be another node's."""
    with transaction.atomic():
        record = records.matter_approve(matter=number, version=version, type=type_number)
        return outbox.enqueue(agency=issuer.number, record=record, subject=_subject(number, version))


def on_outcome(outcome: relay.Outcome) -> None:
    """A registration or an approval was decided: the row follows what the ledger now says. Repeatable."""
    number, _, version = outcome.subject.partition(":")[2].partition("/")
    follow(int(number), int(version))
    if outcome.state == "refused":
        # A refused registration has nothing on the ledger to follow; a refused approval leaves the matter as it was.
        Matter.objects.filter(number=int(number), version=int(version), state=Matter.State.PENDING).update(
            state=Matter.State.REFUSED
        )


def follow(number: int, version: int) -> None:
    """This node's row of a matter, if it has one, says what the ledger says; approvals come from other nodes too."""
    state = node.ledger().matter(number, version)
    if state is not None:
        now = Matter.State.IN_FORCE if state.in_force else Matter.State.REGISTERED
        Matter.objects.filter(number=number, version=version).update(state=now)


def on_entry(row: LogRow) -> None:
    """A matter, or an approval of one, came onto the ledger."""
    follow(row.entry.values["matter"], row.entry.values["version"])


def _subject(number: int, version: int) -> str:
    return f"{SUBJECT}:{number}/{version}"
