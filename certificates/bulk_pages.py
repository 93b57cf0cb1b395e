"""The page on which many revocations are checked, and then requested."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from pydantic import Field

from certificates import bulk_revocation, queries
from certificates.core import lifecycle
from certificates.core.errors import CertificateError
from gov_chain.web.inputs import Input, read_form
from identity.actions.request_act import request_act
from identity.officers import officer_may, officer_of


class BulkForm(Input):
    type: Annotated[str, Field(max_length=40)] = ""
    reason: Annotated[str, Field(max_length=16)] = ""
    numbers: Annotated[str, Field(max_length=40_000)] = ""
    certificates: Annotated[int, Field(ge=1)] | None = None
    """How many the officer was shown. Absent: only check."""


@require_http_methods(["GET", "POST"])
@officer_may(bulk_revocation.ACT)
def revoke_many(request: HttpRequest) -> HttpResponse:
    """GET: the form. POST: what would be revoked; POST with the count shown: request exactly that."""
    agency = officer_of(request).agency
    form, chosen = BulkForm(), None
    if request.method == "POST":
        form = read_form(request, BulkForm)
        kind = queries.type_in_force(form.type)
        numbers = [line.strip().upper() for line in form.numbers.splitlines() if line.strip()]
        if kind.agency_id != agency.pk or not 0 < len(numbers) <= bulk_revocation.MAX_NUMBERS:
            raise CertificateError("numbers-invalid")
        if form.reason not in lifecycle.REASONS:
            raise CertificateError("reason-unknown")
        chosen = bulk_revocation.choose(kind, numbers)
        if form.certificates is not None:
            if form.certificates != len(chosen.certificates):
                raise CertificateError("chosen-changed")
            content = {"certificates": [str(pk) for pk in chosen.certificates], "reason": form.reason}
            pending = request_act(officer=officer_of(request), act=bulk_revocation.ACT, content=content)
            return HttpResponseRedirect(f"/approvals/{pending.pk}")
    context = {
        "form": form,
        "chosen": chosen,
        "count": 0 if chosen is None else len(chosen.certificates),
        "types": queries.types_in_force(agency),
        "reasons": [(value, {"zh": zh, "en": en}) for value, (zh, en) in lifecycle.REASONS.items()],
    }
    return render(request, "certificates/revoke_many.html", context)
