"""Revoke many certificates at once: asked for by one issuing officer, done when a second person has approved.

What is frozen is the list of certificates itself: one issued afterwards to the same person is not touched, and one
that may no longer be revoked when approval comes stops the whole act.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from certificates import registers
from certificates.actions.change_status import change_status
from certificates.core import lifecycle
from certificates.models import Certificate, CertificateType
from identity.acts import Content, Executed
from identity.models import PendingAct

ACT = "issuing.revoke-many"
MAX_NUMBERS = 1000


@dataclass(frozen=True, slots=True)
class Chosen:
    certificates: tuple[uuid.UUID, ...]
    without: tuple[int, ...]
    """Lines (from 1) whose subject holds nothing that can be revoked."""


def choose(kind: CertificateType, numbers: list[str]) -> Chosen:
    """The living certificates of these subjects, by line."""
    rows = registers.by_subject(kind, numbers)
    of_row: dict[int, list[uuid.UUID]] = {row.pk: [] for row in rows.values()}
    living = Certificate.objects.filter(row__in=of_row, type__number=kind.number, state__in=("active", "suspended"))
    for row, pk in living.filter(waiting="").values_list("row_id", "pk"):
        of_row[row].append(pk)
    lines = [of_row[rows[number].pk] if number in rows else [] for number in numbers]
    return Chosen(
        tuple(dict.fromkeys(pk for found in lines for pk in found)),
        tuple(line for line, found in enumerate(lines, start=1) if not found),
    )


def revoke_many(pending: PendingAct, content: Content) -> Executed:
    """The executor. Raises `CertificateError` as `change_status` does; then nothing is revoked."""
    certificates = list(Certificate.objects.filter(pk__in=[uuid.UUID(pk) for pk in content["certificates"]]))
    done = change_status(agency=pending.agency, certificates=certificates, act="revoke", reason=str(content["reason"]))
    return Executed({"certificates": done.count})


def describe(content: Content) -> tuple[str, str]:
    count = len(content["certificates"])
    zh, en = lifecycle.REASONS[str(content["reason"])]
    return f"吊销 {count} 张证照（{zh}），不可恢复", f"Revoke {count} certificates ({en.lower()}), for good"
