"""The auditor's screen of the officers' log: search, whether the chain holds, and an export that takes two persons."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from pydantic import Field, field_validator

from gov_chain.web.inputs import Input, read_query
from identity import officers_log
from identity.actions.request_act import request_act
from identity.core.permissions import ACTS
from identity.models import Officer
from identity.officers import officer_may, officer_of, saw

FIRST, LAST = dt.date(1970, 1, 2), dt.date(9990, 1, 1)
"""Days whose midnight is a number of seconds in every zone."""


class LogQuery(Input):
    officer: int | None = Field(default=None, ge=1, lt=2**31)
    act: str = Field(default="", max_length=40)
    object: str = Field(default="", max_length=80)
    outcome: str = Field(default="", max_length=40)
    since: dt.date | None = Field(default=None, ge=FIRST, le=LAST)
    until: dt.date | None = Field(default=None, ge=FIRST, le=LAST)
    before: int | None = Field(default=None, ge=1, lt=2**53)

    @field_validator("officer", "since", "until", "before", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


@require_safe
@officer_may("officers-log.read")
def log(request: HttpRequest) -> HttpResponse:
    return render(request, "identity/officers_log.html", _page(request))


@require_POST
@officer_may("officers-log.verify")
def verify(request: HttpRequest) -> HttpResponse:
    """Every entry of the chain again, and every anchor against the ledger."""
    verified = officers_log.check(officer_of(request).agency)
    saw(request, f"entries={verified.entries}")
    return render(request, "identity/officers_log.html", {**_page(request), "verified": verified})


@require_POST
@officer_may("officers-log.export")
def export(request: HttpRequest) -> HttpResponse:
    agency = officer_of(request).agency
    content = {"agency": agency.number, "until": officers_log.length(agency)}
    pending = request_act(officer=officer_of(request), act="officers-log.export", content=content)
    return HttpResponseRedirect(f"/approvals/{pending.pk}")


def _page(request: HttpRequest) -> dict[str, Any]:
    agency = officer_of(request).agency
    query = read_query(request, LogQuery, extra="ignore")
    given = query.model_dump(exclude_none=True, exclude={"before"})
    filters = {name: value for name, value in given.items() if value != ""}
    page = officers_log.page(agency, before=query.before, **filters)
    saw(request, *(f"{name}={value}" for name, value in filters.items()))
    return {
        "page": page,
        "query": query,
        "officers": Officer.objects.filter(agency=agency).order_by("username"),
        "acts": sorted(ACTS),
        "older_query": urlencode(filters | {"before": page.older}) if page.older else "",
        "anchor": officers_log.last_anchor(agency),
        "filtered": bool(filters),
    }
