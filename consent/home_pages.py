"""At the home officer's desk: the grants of a citizen who was checked, and their withdrawal. Dates, agencies, matters;
never what was shown."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from certificates import mandates
from certificates.actions import withdraw_mandate as withdraw_mandate_action
from consent import citizen_grants
from consent.actions.withdraw_for_citizen import withdraw_for_citizen
from consent.core.errors import ConsentError
from identity import statements
from identity.home_pages import citizen_of
from identity.models import Citizen
from identity.officers import officer_may, officer_of


@officer_may("home.grants")
@require_POST
def listed(request: HttpRequest, citizen_id: uuid.UUID) -> HttpResponse:
    """`/home/<citizen>/grants/`, with the statement of a real-name check."""
    return _show(request, _checked(request, citizen_id))


@officer_may("home.withdraw")
@require_POST
def withdraw(request: HttpRequest, citizen_id: uuid.UUID) -> HttpResponse:
    """`/home/<citizen>/grants/withdraw`: one, by its key, or `all`."""
    citizen = _checked(request, citizen_id)
    chosen = request.POST.get("grant", "")
    if chosen != "all" and not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 19):
        raise ConsentError("grant-not-theirs")
    done = withdraw_for_citizen(citizen=citizen, which=None if chosen == "all" else [int(chosen)])
    return _show(request, citizen, done=done, was_asked=True)


@officer_may("home.withdraw")
@require_POST
def withdraw_mandate(request: HttpRequest, citizen_id: uuid.UUID) -> HttpResponse:
    """`/home/<citizen>/grants/mandate`: a mandate the citizen gave, and what is open under it."""
    citizen = _checked(request, citizen_id)
    given = {str(each.pk): each for each in mandates.of_principal(citizen)}
    mandate = given.get(request.POST.get("mandate", ""))
    if mandate is None:
        raise ConsentError("mandate-unknown")
    done = withdraw_mandate_action.withdraw_mandate(mandate=mandate)
    return _show(request, citizen, done=done, was_asked=True)


def _checked(request: HttpRequest, citizen_id: uuid.UUID) -> Citizen:
    officer = officer_of(request)
    citizen = citizen_of(officer, citizen_id)
    statements.read(request.POST.get("statement", ""), officer=officer, citizen=citizen)
    return citizen


def _show(request: HttpRequest, citizen: Citizen, **extra: Any) -> HttpResponse:
    grants = citizen_grants.of_citizen(citizen)
    context = {
        "citizen": citizen,
        "grants": grants,
        "mandates": [{"row": each, "state": mandates.state_of(each)} for each in mandates.of_principal(citizen)],
        "any_withdrawable": any(grant.withdrawable for grant in grants),
        "statement": request.POST.get("statement", ""),
    }
    return render(request, "consent/home_grants.html", context | extra)
