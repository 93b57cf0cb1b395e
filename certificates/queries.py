"""Reads: types in force, register rows, offers, certificates."""

from __future__ import annotations

import uuid

from django.db.models import Q

from certificates import registers
from certificates.core.errors import CertificateError
from certificates.models import AccessToken, Certificate, CertificateType, Offer, RegisterName, RegisterRow
from gov_chain import clock
from identity import personal
from identity.models import Agency

SEARCH_LIMIT = 20
RECENT_LIMIT = 20


def hosted_issuer(slug: str) -> Agency:
    """The issuing agency whose endpoints are on this node; raises `CertificateError("issuer-unknown")`."""
    agency = Agency.objects.filter(slug=slug, hosted=True, certificate_types__isnull=False).distinct().first()
    if agency is None:
        raise CertificateError("issuer-unknown")
    return agency


def known_type(slug: str) -> CertificateType:
    """The newest version of a type registered from this node; raises `CertificateError("type-unknown")`."""
    found = CertificateType.objects.select_related("agency").filter(slug=slug).order_by("-version").first()
    if found is None:
        raise CertificateError("type-unknown", slug=slug[:40])
    return found


def type_in_force(slug: str) -> CertificateType:
    """The newest version the ledger has accepted."""
    known_type(slug)
    active = CertificateType.objects.select_related("agency").filter(slug=slug, state="active")
    found = active.order_by("-version").first()
    if found is None:
        raise CertificateError("type-not-in-force")
    return found


def types_in_force(agency: Agency) -> list[CertificateType]:
    """The newest accepted version of each of the agency's types, by number."""
    newest = {kind.number: kind for kind in agency.certificate_types.filter(state="active").order_by("version")}
    return [newest[number] for number in sorted(newest)]


def search_register(agency: Agency, text: str) -> list[RegisterRow]:
    """Rows whose number is `text`, or whose name is or begins with it (`registers`); at most `SEARCH_LIMIT`."""
    text = text.strip()
    if len(text) < 2:
        return []
    by_number = Q(subject_index=registers.subject_index(agency, text))
    by_name = Q(pk__in=RegisterName.objects.filter(digest=registers.name_index(agency, text)).values("row"))
    rows = list(RegisterRow.objects.select_related("agency").filter(by_number | by_name, agency=agency)[:SEARCH_LIMIT])
    personal.open_rows(rows)
    return sorted(rows, key=lambda row: (row.name, row.subject))


def register_row(kind: CertificateType, subject: str) -> RegisterRow:
    row = RegisterRow.objects.filter(
        type_slug=kind.slug, agency_id=kind.agency_id, subject_index=registers.subject_index(kind.agency, subject)
    ).first()
    if row is None:
        raise CertificateError("subject-unknown")
    return row


def any_register_row(kind: CertificateType) -> RegisterRow:
    """The first subject, for demonstrations where any will do."""
    row = RegisterRow.objects.filter(type_slug=kind.slug, agency_id=kind.agency_id).order_by("pk").first()
    if row is None:
        raise CertificateError("subject-unknown")
    return row


def offer_of(agency: Agency, offer_id: uuid.UUID) -> Offer:
    """An offer of this agency, whatever its state; raises `CertificateError("offer-unknown")`."""
    offer = Offer.objects.select_related("type__agency", "row__agency").filter(pk=offer_id, type__agency=agency).first()
    if offer is None:
        raise CertificateError("offer-unknown")
    return offer


def offer_state(offer: Offer) -> str:
    """open, redeemed, claimed, locked or expired."""
    now = clock.now()
    if offer.state == Offer.State.OPEN and offer.expires_at <= now:
        return "expired"
    if offer.state == Offer.State.REDEEMED:
        # The wallet took its token and never came for the certificate.
        came = Certificate.objects.filter(offer=offer).exclude(state=Certificate.State.REFUSED).exists()
        if not came and AccessToken.objects.filter(offer=offer, expires_at__lte=now).exists():
            return "expired"
    return str(offer.state)


def certificate_of(agency: Agency, certificate_id: uuid.UUID) -> Certificate:
    """A certificate of this agency; raises `CertificateError("certificate-foreign")`."""
    found = Certificate.objects.filter(agency=agency, pk=certificate_id).select_related("type", "row__agency").first()
    if found is None:
        raise CertificateError("certificate-foreign")
    return found


def recent_certificates(agency: Agency) -> list[Certificate]:
    """With their rows opened, in one call."""
    found = list(Certificate.objects.filter(agency=agency).select_related("type", "row__agency")[:RECENT_LIMIT])
    personal.open_rows([certificate.row for certificate in found])
    return found
