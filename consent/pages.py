"""Screens of the counter, and the citizen's guide to a matter."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from consent import live, matters, queries, registry, requests
from consent.actions.create_request import CreatedRequest, create_request
from consent.actions.erase_expired import erase_expired
from consent.actions.forward_presentation import forward_presentation
from consent.actions.look_again import look_again
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import Matter
from gov_chain.core.codec import sha256
from gov_chain.ledger.core import receipt as receipts
from identity import throttle
from identity.officers import officer_may, saw

BROWSER = "presentation-browser"
PRESENT = throttle.Limit("present", tries=30, seconds=5 * 60)
"""Requests that one address may begin, without login: each makes a key and a row."""


# Counter


@require_safe
@officer_may("counter.work")
def counter(request: HttpRequest) -> HttpResponse:
    erase_expired()
    agency = request.user.agency
    return render(
        request,
        "consent/counter.html",
        {"matters": matters.of_agency(agency), "recent": queries.recent(agency)},
    )


@require_POST
@officer_may("counter.ask")
def ask(request: HttpRequest) -> HttpResponse:
    created = create_request(matter=_matter(request.POST.get("matter", ""), agency=request.user.agency))
    saw(request, f"request_id={created.request.id}")
    return HttpResponseRedirect(f"/counter/requests/{created.request.id}")


@require_safe
@officer_may("counter.read")
def presentation(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    return render(request, "consent/presentation.html", _presentation(request, request_id))


@require_safe
@officer_may("counter.read")
def presentation_state(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    return render(request, "consent/_presentation.html", _presentation(request, request_id))


@require_POST
@officer_may("counter.look-again")
def again(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Look again (a new use), or ask the issuer again where that has not worked yet."""
    view = queries.of_agency(request_id, agency=request.user.agency)
    if view.response is None:
        raise ConsentError("presentation-busy")
    if view.state == "received":
        forward_presentation(response=view.response)
    else:
        look_again(response=view.response, officer=request.user)
    return HttpResponseRedirect(f"/counter/requests/{request_id}")


@require_safe
@officer_may("counter.receipt")
def receipt(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    usage = queries.of_agency(request_id, agency=request.user.agency).receipt
    if usage is None:
        raise ConsentError("presentation-unknown")
    answer = HttpResponse(usage.receipt, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="usage-{usage.index}{receipts.SUFFIX}"'
    return answer


def _presentation(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    view = queries.of_agency(request_id, agency=request.user.agency)
    context: dict[str, Any] = {"view": view, "topic": f"{live.TOPIC}/{request_id}"}
    if view.state == "waiting":
        context |= {
            "wallet_url": requests.wallet_url(view.request),
            "standard_uri": requests.standard_uri(view.request),
            "expires_iso": dt.datetime.fromtimestamp(view.request.expires_at, dt.UTC).isoformat(),
        }
    return context


def _matter(slug: str, *, agency: Any = None) -> Matter:
    found = matters.latest(slug, agency=agency)
    if found is None:
        raise ConsentError("matter-unknown")
    return found


# The citizen's guide


@require_safe
def guides(request: HttpRequest) -> HttpResponse:
    found = Matter.objects.filter(state=Matter.State.IN_FORCE).select_related("agency")
    return render(request, "consent/matters.html", {"matters": found})


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    matter = _matter(slug)
    terms = registry.terms_of(matter)
    return render(request, "consent/matter.html", {"matter": matter, "terms": terms, "asked": _asked(terms)})


def _asked(terms: MatterTerms) -> list[dict[str, Any]]:
    """Per type: its fields in registered order, and whether each is required."""
    return [
        {
            "name": requested.name,
            "rows": [
                {"field": field, "required": bool(requested.mask([field.id]) & requested.required)}
                for field in requested.named(requested.whole)
            ],
        }
        for requested in terms.types
    ]


@require_POST
def present(request: HttpRequest, slug: str) -> HttpResponse:
    """Same-device: a request bound to this browser, and on to our wallet."""
    return HttpResponseRedirect(_same_device(request, slug).wallet_url)


@require_POST
def present_other(request: HttpRequest, slug: str) -> HttpResponse:
    """The same, and on to the link that any wallet understands."""
    return HttpResponseRedirect(f"/matters/{slug}/requests/{_same_device(request, slug).request.id}")


def _same_device(request: HttpRequest, slug: str) -> CreatedRequest:
    matter = _matter(slug)
    if not throttle.reserve(PRESENT, str(request.META.get("REMOTE_ADDR", ""))):
        raise ConsentError("present-throttled", retry_after=PRESENT.seconds)
    secret = request.session.get(BROWSER)
    if not isinstance(secret, str):
        secret = request.session[BROWSER] = secrets.token_urlsafe(32)
    return create_request(matter=matter, browser_digest=sha256(secret.encode()))


@require_safe
def other_wallet(request: HttpRequest, slug: str, request_id: uuid.UUID) -> HttpResponse:
    """The link that opens any wallet; once it has answered, the way to the outcome. For the browser that started.

    A page and no redirect: a browser follows a form to this site alone (CSP `form-action`), and where no wallet
    is installed the link says so by doing nothing.
    """
    view = queries.of_browser(slug=slug, browser_digest=_browser(request), id=request_id)
    context = {"view": view, "standard_uri": requests.standard_uri(view.request)}
    answer = render(request, "consent/other_wallet.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
def done(request: HttpRequest, slug: str) -> HttpResponse:
    """Where the wallet sends the citizen back to. Only the browser that started sees the outcome."""
    code = request.GET.get("response_code", "")[:64]
    view = queries.of_browser(slug=slug, browser_digest=_browser(request), response_code=code)
    template = "consent/_done.html" if request.htmx else "consent/done.html"
    answer = render(request, template, {"view": view, "code": code})
    answer["Cache-Control"] = "no-store"
    return answer


def _browser(request: HttpRequest) -> bytes:
    """Digest of this browser's secret; raises `ConsentError` request-unknown where it has none."""
    secret = request.session.get(BROWSER)
    if not isinstance(secret, str):
        raise ConsentError("request-unknown")
    return sha256(secret.encode())
