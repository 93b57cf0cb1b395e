"""Rows of a source register, as they are kept: sealed, each under a data key of its own, found by keyed digests.

A name is found by its first two characters, three, and so on. The price: whoever steals the database learns how many
rows begin alike, though not how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from certificates.core.register_rules import Row
from certificates.models import CertificateType, RegisterName, RegisterRow
from identity import personal
from identity.models import Agency

SUBJECT, NAME = "register/subject", "register/name"
LEAST, MOST = 2, 8
"""Characters of a name's beginnings that are indexed; the whole name always is."""


def subject_index(agency: Agency, subject: str) -> bytes:
    return personal.index(agency, SUBJECT, subject.strip().upper())


def name_index(agency: Agency, text: str) -> bytes:
    return personal.index(agency, NAME, text)


def sealed(kind: CertificateType, rows: Sequence[Row]) -> list[RegisterRow]:
    """Rows not yet saved; one call to the key store for all. `save` them."""
    made = [
        (
            RegisterRow(type_slug=kind.slug, agency=kind.agency, subject_index=subject_index(kind.agency, row.subject)),
            {"subject": row.subject, "name": row.name, "data": row.data, "note": row.note},
        )
        for row in rows
    ]
    personal.seal_rows(made)
    return [row for row, _ in made]


def save(kind: CertificateType, rows: Iterable[RegisterRow]) -> None:
    """Insert, or replace the rows of the same subjects: with a new data key, the old one is gone. In a transaction."""
    saved = RegisterRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["type_slug", "agency", "subject_index"],
        update_fields=["personal", "data_key_sealed", "updated_at"],
        batch_size=500,
    )
    RegisterName.objects.filter(row__in=[row.pk for row in saved]).delete()
    RegisterName.objects.bulk_create(
        (
            RegisterName(row=row, digest=name_index(kind.agency, text))
            for row in saved
            for text in _beginnings(row.name)
        ),
        batch_size=500,
    )


def empty(rows: Sequence[RegisterRow]) -> None:
    """What they said is gone with the keys it was sealed under; the rows stay, saying nothing. In a transaction."""
    formerly = [row.wrapped for row in rows]
    personal.seal_rows([(row, {"subject": row.subject, "name": "", "data": {}, "note": ""}) for row in rows])
    RegisterRow.objects.bulk_update(rows, ["personal", "data_key_sealed"])
    RegisterName.objects.filter(row__in=rows).delete()
    for each in formerly:
        personal.forget(each)


def by_subject(kind: CertificateType, subjects: Iterable[str]) -> dict[str, RegisterRow]:
    """The rows of these subjects, opened in one call."""
    wanted = [subject_index(kind.agency, subject) for subject in subjects]
    rows = list(
        RegisterRow.objects.select_related("agency").filter(
            type_slug=kind.slug, agency_id=kind.agency_id, subject_index__in=wanted
        )
    )
    personal.open_rows(rows)
    return {row.subject: row for row in rows}


def _beginnings(name: str) -> set[str]:
    return {name[:length] for length in range(LEAST, min(len(name), MOST) + 1)} | {name}
