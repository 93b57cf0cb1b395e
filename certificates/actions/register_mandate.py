"""An officer who has checked the papers lets a guardian or a legal representative act: mandate, register row, offer.

The papers: the household register or a court's decision, or the business licence. The officer answers for having seen
them; the certificate's own checks are those of any other.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction

from certificates import mandates
from certificates.actions.make_offer import MadeOffer, make_offer
from certificates.core import identity_numbers, mandate_statement
from certificates.core.errors import CertificateError
from certificates.models import CertificateType, Mandate
from identity.models import Officer


@dataclass(frozen=True, slots=True)
class RegisteredMandate:
    mandate: Mandate
    offer: MadeOffer


def register_mandate(
    *,
    kind: CertificateType,
    principal: tuple[str, str],
    agent: tuple[str, str],
    until: dt.date,
    officer: Officer,
) -> RegisteredMandate:
    """`principal` and `agent` are (name, number). Raises `CertificateError`.

    A guardian's child and the agent have identity numbers; an enterprise a social credit code.
    """
    representation = kind.definition.get("representation")
    if kind.agency_id != officer.agency_id or representation not in ("guardian", "legal-representative"):
        raise CertificateError("type-unknown", slug=kind.slug)
    today = mandates.today()
    enterprise = representation == "legal-representative"
    represented = _enterprise(*principal) if enterprise else mandate_statement.person(*principal, today)
    acting = mandate_statement.person(*agent, today)
    if acting[1] == represented[1]:
        raise CertificateError("mandate-statement-invalid", where="agent")
    with transaction.atomic():
        mandate = mandates.add(
            kind=kind,
            represented=represented,
            agent=acting,
            matters=[],
            until=mandate_statement.last_day(until.isoformat(), today),
            mandate_id=uuid.uuid4(),
            made_by=officer,
        )
        offer = make_offer(type=kind, row=mandate.row, made_by=officer)
    return RegisteredMandate(mandate, offer)


def _enterprise(name: str, code: str) -> tuple[str, str]:
    name = name.strip()
    if not 1 <= len(name) <= mandate_statement.MOST_NAME:
        raise CertificateError("mandate-statement-invalid", where="name")
    try:
        return name, identity_numbers.credit_code(code.strip().upper())
    except identity_numbers.NumberError as error:
        raise CertificateError("mandate-statement-invalid", where="number", log=error.code) from error
