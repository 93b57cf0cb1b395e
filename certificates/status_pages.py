"""One certificate at the issuing desk: what state it is in, and what may be done to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from pydantic import Field

from certificates import queries
from certificates.actions.change_status import change_status
from certificates.core import lifecycle
from certificates.core.identity_numbers import masked
from certificates.core.lifecycle import State
from certificates.models import Certificate
from gov_chain import clock
from gov_chain.ledger import relay
from gov_chain.web.inputs import Input, read_form
from identity.models import Officer
from identity.officers import may, officer_may, officer_of

SETTLE_SECONDS = 2.0
"""How long the desk waits for the ledger before it shows the change as on its way."""

MEANINGS = {
    "suspend": (
        "暂停期间任何窗口都不会认可这张证照；可以恢复。",
        "While it is suspended no counter accepts it. It can be reinstated.",
    ),
    "reinstate": ("恢复后可以照常出示。", "It can be shown again as before."),
    "revoke": (
        "吊销后不能恢复；持有人须重新申领。",
        "It cannot be undone; the holder has to claim a new one.",
    ),
    "replace": (
        "换发新证时使用：旧证立即失效，且不能恢复。",
        "For when a new one was issued: this one ends at once, for good.",
    ),
}


class StatusForm(Input):
    act: Annotated[str, Field(max_length=16)]
    reason: Annotated[str, Field(max_length=16)] = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """An act as the page offers it."""

    id: str
    zh: str
    title_en: str
    means_zh: str
    means_en: str
    reason: bool


@require_safe
@officer_may("issuing.certificate")
def certificate(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    """The page; its changing part alone when htmx asks."""
    found = queries.certificate_of(officer_of(request).agency, certificate_id)
    htmx = "HX-Request" in request.headers
    template = "certificates/_certificate.html" if htmx else "certificates/certificate.html"
    return render(request, template, _shown(found))


@require_POST
@officer_may("issuing.status")
def change(request: HttpRequest, certificate_id: uuid.UUID) -> HttpResponse:
    form = read_form(request, StatusForm)
    agency = officer_of(request).agency
    found = queries.certificate_of(agency, certificate_id)
    done = change_status(agency=agency, certificates=[found], act=form.act, reason=form.reason)
    relay.settle(done.outbox_ids, timeout=SETTLE_SECONDS)
    return HttpResponseRedirect(reverse("issuing-certificate", args=[found.pk]))


def may_watch_certificate(user: Any, key: str) -> bool:
    """Who may listen to `certificate/<id>`: issuing officers of its agency."""
    return (
        isinstance(user, Officer)
        and may(user, "issuing.certificate")
        and Certificate.objects.filter(pk=uuid.UUID(key), agency_id=user.agency_id).exists()
    )


def _shown(found: Certificate) -> dict[str, Any]:
    expired = found.state in ("active", "suspended") and found.expires_at <= clock.now()
    state = State.EXPIRED if expired else State(found.state)
    acts = [] if found.waiting else [act for act in lifecycle.acts_from(state, "issuer") if act.record == "status"]
    names = lifecycle.REASONS.get(found.reason)
    return {
        "certificate": found,
        "state": str(state),
        "name": found.row.name,
        "number": masked(found.row.subject),
        "type_name": found.type.definition["name"],
        "reason": names and {"zh": names[0], "en": names[1]},
        "reasons": [(value, {"zh": zh, "en": en}) for value, (zh, en) in lifecycle.REASONS.items()],
        "acts": [Offered(act.id, act.zh, act.en.capitalize(), *MEANINGS[act.id], act.reason) for act in acts],
        "topic": f"certificate/{found.pk}",
    }
