"""Mandates as their issuer knows them: rows, names for people, and whether one still counts."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from certificates import registers
from certificates.actions.withdraw_mandate import withdraw_mandate
from certificates.core.errors import CertificateError
from certificates.core.register_rules import Row
from certificates.models import Certificate, CertificateType, Mandate
from gov_chain import clock
from gov_chain.ledger import documents, node
from identity.models import Agency, Citizen, Wallet

_LOCAL = ZoneInfo("Asia/Shanghai")
KINDS = {
    "mandate": ("委托", "Mandate"),
    "guardian": ("监护人", "Guardian"),
    "legal-representative": ("法定代表人", "Legal representative"),
}


def today() -> dt.date:
    return dt.datetime.fromtimestamp(clock.now(), _LOCAL).date()


def end_of(day: dt.date) -> int:
    """The last second of a day here."""
    return int(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), _LOCAL).timestamp()) - 1


def of_certificate(issuer: Agency, commitment: bytes) -> Mandate:
    """The mandate behind one of its certificates; raises `CertificateError` mandate-unknown, mandate-withdrawn."""
    certificate = Certificate.objects.filter(agency=issuer, commitment=commitment, ledger_index__isnull=False).first()
    mandate = (
        Mandate.objects.select_related("signed_with").filter(row_id=certificate.row_id).first() if certificate else None
    )
    if certificate is None or mandate is None:
        raise CertificateError("mandate-unknown")
    if certificate.state != Certificate.State.ACTIVE:
        # Revoked with its mandate, or by the issuer by itself: to the agent it is the same.
        raise CertificateError("mandate-withdrawn")
    return mandate


def require_live(mandate: Mandate) -> None:
    """Raises `CertificateError`: mandate-withdrawn, mandate-phone-lost, mandate-expired."""
    if mandate.state != Mandate.State.LIVE:
        raise CertificateError("mandate-withdrawn")
    if mandate.signed_with is not None and mandate.signed_with.ended_as == Wallet.Ended.LOST:
        raise CertificateError("mandate-phone-lost")
    if mandate.not_after < clock.now():
        raise CertificateError("mandate-expired")


def state_of(mandate: Mandate) -> str:
    """`live`, or the reason it is not: withdrawn, phone-lost, expired."""
    try:
        require_live(mandate)
    except CertificateError as error:
        return error.code.removeprefix("mandate-")
    return "live"


def matter_names(numbers: list[int]) -> list[dict[str, str]]:
    """What the matters are called, from their registered documents; raises `CertificateError` for an unknown one."""
    return [dict(documents.load(_matter(number).digest)["name"]) for number in numbers]


def require_admitted(number: int, kind: str) -> None:
    """The newest version of the matter is in force and admits this kind; raises `CertificateError`."""
    state = _matter(number)
    if not state.in_force or kind not in documents.load(state.digest).get("representation", []):
        raise CertificateError("mandate-not-admitted")


def add(
    *,
    kind: CertificateType,
    represented: tuple[str, str],
    agent: tuple[str, str],
    matters: list[int],
    until: dt.date,
    mandate_id: Any,
    statement: str = "",
    **known: Any,
) -> Mandate:
    """The register row and the mandate, to be called in a transaction. (name, number) each."""
    names = matter_names(matters)
    data = {
        "principal_name": represented[0],
        "principal_number": represented[1],
        "agent_name": agent[0],
        "agent_number": agent[1],
        "scope": "、".join(name["zh"] for name in names) or "所有接受此类代理的事项",
        "valid_until": until.isoformat(),
        "matters": matters,
        "statement": statement,
    }
    (row,) = registers.sealed(kind, [Row(mandate_id.hex, agent[0], data, "")])
    registers.save(kind, [row])
    return Mandate.objects.create(
        id=mandate_id,
        agency=kind.agency,
        row=row,
        kind=kind.definition["representation"],
        matters=matters,
        created_at=clock.now(),
        not_after=end_of(until),
        **known,
    )


def of_principal(citizen: Citizen) -> list[Mandate]:
    """What a citizen has given, newest first."""
    return list(
        Mandate.objects.filter(principal=citizen).select_related("row__agency", "signed_with").prefetch_related("uses")
    )


def close_all(citizen: Citizen) -> None:
    """Withdraw every mandate a citizen gave, and what is open under them. Repeatable."""
    for mandate in of_principal(citizen):
        withdraw_mandate(mandate=mandate)


def erase(citizen: Citizen) -> None:
    """Who it was between; that there was one, and which grants were made under it, stays as numbers."""
    given = Mandate.objects.filter(principal=citizen)
    registers.empty([mandate.row for mandate in given.select_related("row__agency")])
    # One given after `close_all` had looked counts for nothing either.
    given.filter(state=Mandate.State.LIVE).update(state=Mandate.State.WITHDRAWN, withdrawn_at=clock.now())
    given.update(principal=None, signed_with=None)


def _matter(number: int) -> Any:
    state = node.ledger().matter(number)
    if state is None:
        raise CertificateError("mandate-statement-invalid", where="matters")
    return state
