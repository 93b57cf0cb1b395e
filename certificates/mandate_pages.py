"""The issuing desk for those who act for others: guardians of minors, legal representatives of enterprises."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from pydantic import Field

from certificates import mandates, queries
from certificates.actions.register_mandate import register_mandate
from certificates.actions.withdraw_mandate import withdraw_mandate
from certificates.core.errors import CertificateError
from certificates.core.identity_numbers import masked, masked_name
from certificates.models import CertificateType, Mandate
from certificates.pages import offer_context
from gov_chain.web.inputs import Input, read_form
from identity.models import Agency
from identity.officers import officer_may, officer_of, saw

AT_THE_DESK = ("guardian", "legal-representative")


class Making(Input):
    type: Annotated[str, Field(max_length=40)]
    principal_name: Annotated[str, Field(max_length=60)]
    principal_number: Annotated[str, Field(max_length=18)]
    agent_name: Annotated[str, Field(max_length=60)]
    agent_number: Annotated[str, Field(max_length=18)]
    until: dt.date
    checked: Annotated[str, Field(pattern="^on$")]


@require_safe
@officer_may("issuing.mandates")
def desk(request: HttpRequest) -> HttpResponse:
    return _desk(request, {})


@require_POST
@officer_may("issuing.mandate")
def make(request: HttpRequest) -> HttpResponse:
    """The offer, as for any certificate; what was wrong stands above the form, which keeps what was typed."""
    officer = officer_of(request)
    try:
        form = read_form(request, Making)
        made = register_mandate(
            kind=queries.type_in_force(form.type),
            principal=(form.principal_name, form.principal_number),
            agent=(form.agent_name, form.agent_number),
            until=form.until,
            officer=officer,
        )
    except CertificateError as error:
        return _desk(request, {"problem": error, "typed": request.POST}, status=error.status)
    saw(request, f"mandate={made.mandate.pk}")
    return render(request, "certificates/offer.html", offer_context(made.offer))


@require_POST
@officer_may("issuing.mandate-withdraw")
def withdraw(request: HttpRequest, mandate_id: uuid.UUID) -> HttpResponse:
    mandate = Mandate.objects.filter(pk=mandate_id, agency=officer_of(request).agency, kind__in=AT_THE_DESK).first()
    if mandate is None:
        raise CertificateError("mandate-unknown")
    withdraw_mandate(mandate=mandate)
    return redirect("issuing-mandates")


def _desk(request: HttpRequest, extra: dict[str, Any], *, status: int = 200) -> HttpResponse:
    agency = officer_of(request).agency
    context = {"types": _types(agency), "made": _made(agency), "typed": {}, **extra}
    return render(request, "certificates/mandates.html", context, status=status)


def _types(agency: Agency) -> list[CertificateType]:
    return [kind for kind in queries.types_in_force(agency) if kind.definition.get("representation") in AT_THE_DESK]


def _made(agency: Agency) -> list[dict[str, Any]]:
    found = Mandate.objects.filter(agency=agency, kind__in=AT_THE_DESK).select_related("row__agency", "signed_with")
    return [
        {
            "id": mandate.pk,
            "kind": mandates.KINDS[mandate.kind],
            "principal": masked_name(mandate.row.data.get("principal_name", "")),
            "principal_number": masked(mandate.row.data.get("principal_number", "")),
            "agent": masked_name(mandate.row.name),
            "agent_number": masked(mandate.agent_number),
            "not_after": mandate.not_after,
            "state": mandates.state_of(mandate),
        }
        for mandate in found[: queries.RECENT_LIMIT]
    ]
