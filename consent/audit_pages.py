"""Screens of the auditor: every ledger record as a sentence, with a proof the browser checks itself."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from pydantic import Field, field_validator

from consent import audit
from consent.core.errors import ConsentError
from consent.models import Matter
from gov_chain.ledger import node
from gov_chain.ledger.core.records import KINDS, LOG_KINDS
from gov_chain.web.inputs import Input, read_form, read_query
from identity.actions.request_act import request_act
from identity.models import Agency
from identity.officers import officer_may, officer_of, saw


class FilterQuery(Input):
    kind: str = ""
    agency: int | None = Field(default=None, ge=0, le=65535)
    matter: int | None = Field(default=None, ge=0, le=65535)
    since: dt.date | None = None
    until: dt.date | None = None
    before: int | None = Field(default=None, ge=0, lt=2**53)

    @field_validator("agency", "matter", "since", "until", "before", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


@require_safe
@officer_may("audit.read")
def feed(request: HttpRequest) -> HttpResponse:
    context = _feed(request)
    context |= {
        "kinds": [(kind.name, {"zh": kind.zh, "en": kind.en}) for kind in KINDS.values()]
        + [("transaction", {"zh": "提交批次", "en": "batch submitted"})],
        "agencies": Agency.objects.all(),
        "matters": Matter.objects.exclude(state=Matter.State.REFUSED),
        "vkey": node.ledger().vkey,
    }
    return render(request, "consent/audit.html", context)


@require_safe
@officer_may("audit.read")
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "consent/_audit_rows.html", _feed(request))


@require_POST
@officer_may("audit.export")
def export(request: HttpRequest) -> HttpResponse:
    """Ask for the rows under a filter as a file, as of now; a second person approves."""
    query = _checked(read_form(request, FilterQuery, extra="ignore"))
    asked = query.model_dump(mode="json", exclude_none=True, exclude={"before"})
    content = {"size": node.ledger().size, **{name: value for name, value in asked.items() if value != ""}}
    pending = request_act(officer=officer_of(request), act="audit.export", content=content)
    return HttpResponseRedirect(f"/approvals/{pending.pk}")


def _checked(query: FilterQuery) -> FilterQuery:
    if query.kind and query.kind not in LOG_KINDS.values():
        raise ConsentError("filter-invalid")
    if any(day is not None and not 1970 <= day.year <= 9990 for day in (query.since, query.until)):
        raise ConsentError("filter-invalid")
    return query


def _feed(request: HttpRequest) -> dict[str, Any]:
    query = _checked(read_query(request, FilterQuery, extra="ignore"))
    wanted = audit.Filter(
        kind=audit.KIND_NUMBERS[query.kind] if query.kind else None,
        agency=query.agency,
        matter=query.matter,
        since=query.since,
        until=query.until,
    )
    given = query.model_dump(exclude_none=True, exclude={"before"})
    filters = {name: value for name, value in given.items() if value != ""}
    page = audit.page(wanted, before=query.before)
    saw(request, *(f"{name}={value}" for name, value in filters.items()))
    return {
        "page": page,
        "query": query,
        "here_query": urlencode(filters | ({"before": query.before} if query.before is not None else {})),
        "older_query": urlencode(filters | {"before": page.older}) if page.older is not None else "",
        "filtered": bool(filters),
    }
