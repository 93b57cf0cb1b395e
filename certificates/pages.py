"""The issuing desk: find a person, offer the certificate, see it claimed, look at what was issued.

The search text travels in a form's body, never in an address: it is a name or an identity number. Lists show
numbers masked; nothing but the name and the number's ends is needed to tell people apart.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from pydantic import Field

from certificates import queries
from certificates.actions.make_offer import MadeOffer, make_offer
from certificates.core.errors import CertificateError
from certificates.core.identity_numbers import masked, masked_name
from certificates.models import Certificate, Offer, RegisterRow
from gov_chain.web.inputs import Input, read_form
from identity.models import Officer
from identity.officers import may, officer_may, officer_of, saw
from identity.tokens import keyed_digest


class Search(Input):
    q: Annotated[str, Field(max_length=60)] = ""


class OfferForm(Input):
    type: Annotated[str, Field(max_length=40)]
    row: Annotated[int, Field(ge=1, lt=2**63)]


@dataclass(frozen=True, slots=True)
class Found:
    pk: int
    type_slug: str
    name: str
    number: str
    sex: str
    note: str


@dataclass(frozen=True, slots=True)
class Issued:
    pk: uuid.UUID
    name: str
    number: str
    type_name: dict[str, str]
    at: int
    state: str
    refusal: str
    waiting: str
    ledger_index: int | None


@require_safe
@officer_may("issuing.work")
def desk(request: HttpRequest) -> HttpResponse:
    return render(request, "certificates/desk.html", _desk(request, None))


@require_POST
@officer_may("issuing.search")
def search(request: HttpRequest) -> HttpResponse:
    """The whole page, or the results alone when htmx asks."""
    text = read_form(request, Search).q.strip()
    context = _desk(request, text)
    saw(request, f"query={keyed_digest('query', text).hex()[:16]}", *(f"row={found.pk}" for found in context["found"]))
    return render(request, "certificates/found.html" if _htmx(request) else "certificates/desk.html", context)


@require_POST
@officer_may("issuing.offer")
def offer(request: HttpRequest) -> HttpResponse:
    """Make an offer and show it. The transaction code is on this answer only, and nowhere kept in clear."""
    form = read_form(request, OfferForm)
    officer = officer_of(request)
    kind = queries.type_in_force(form.type)
    row = RegisterRow.objects.filter(pk=form.row, agency=officer.agency, type_slug=kind.slug).first()
    if row is None or kind.agency_id != officer.agency_id:
        raise CertificateError("subject-unknown")
    made = make_offer(type=kind, row=row, made_by=officer)
    saw(request, f"row={row.pk}", f"offer={made.offer.pk}")
    return render(request, "certificates/offer.html", offer_context(made))


@require_safe
@officer_may("issuing.read")
def offer_page(request: HttpRequest, offer_id: uuid.UUID) -> HttpResponse:
    """The offer's state afterwards; the fragment alone when htmx asks."""
    found = queries.offer_of(officer_of(request).agency, offer_id)
    template = "certificates/offer_state.html" if _htmx(request) else "certificates/offer.html"
    return render(request, template, {**_offer(found), "refreshed": _htmx(request)})


@require_safe
@officer_may("issuing.list")
def issued(request: HttpRequest) -> HttpResponse:
    return render(request, "certificates/issued.html", {"issued": _issued(officer_of(request))})


def offer_context(made: MadeOffer) -> dict[str, Any]:
    """A fresh offer, with what is shown once."""
    return {**_offer(made.offer), "tx_code": made.tx_code, "uri": made.uri, "wallet_url": made.wallet_url}


def may_watch_offer(user: Any, key: str) -> bool:
    """Who may listen to `offer/<id>`: issuing officers of the agency that made it."""
    return (
        isinstance(user, Officer)
        and may(user, "issuing.read")
        and Offer.objects.filter(pk=uuid.UUID(key), type__agency_id=user.agency_id).exists()
    )


def _desk(request: HttpRequest, text: str | None) -> dict[str, Any]:
    officer = officer_of(request)
    rows = queries.search_register(officer.agency, text) if text else []
    found = [
        Found(row.pk, row.type_slug, row.name, masked(_number(row)), row.data.get("sex", ""), row.note) for row in rows
    ]
    return {
        "q": text,
        "found": found,
        "limit": queries.SEARCH_LIMIT,
        "too_short": text is not None and len(text) < 2,
        "types": queries.types_in_force(officer.agency),
        "issued": _issued(officer),
    }


def _offer(offer: Offer) -> dict[str, Any]:
    certificate = Certificate.objects.filter(offer=offer).order_by("-issued_at").first()
    return {
        "offer": offer,
        "state": queries.offer_state(offer),
        "name": offer.row.name,
        "number": masked(_number(offer.row)),
        "type_name": offer.type.definition["name"],
        "certificate": certificate,
        "topic": f"offer/{offer.pk}",
    }


def _issued(officer: Officer) -> list[Issued]:
    return [
        Issued(
            item.pk,
            masked_name(item.row.name),
            masked(_number(item.row)),
            item.type.definition["name"],
            item.issued_at,
            item.state,
            item.refusal,
            item.waiting,
            item.ledger_index,
        )
        for item in queries.recent_certificates(officer.agency)
    ]


def _number(row: RegisterRow) -> str:
    """Whose certificate it is: a mandate's row is known by the mandate, its person is the agent."""
    return str(row.data.get("agent_number", row.subject))


def _htmx(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers
