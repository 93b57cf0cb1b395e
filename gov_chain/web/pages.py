"""The node's own pages: landing, health, the wallet's shell, and in development the style guide."""

from __future__ import annotations

from pathlib import Path

from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gov_chain.web import navigation
from gov_chain.web.errors import WebError

WALLET = Path(settings.ROOT) / "wallet" / "dist"
_WALLET_FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "sw.js": ("sw.js", "text/javascript; charset=utf-8"),
    "manifest.webmanifest": ("manifest.webmanifest", "application/manifest+json"),
}


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """For everybody; a logged-in officer sees the doors that open to them."""
    return render(request, "web/landing.html", {"rooms": [entry.path for entry in navigation.entries(request)]})


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 when this process answers and its database reads; anything else is not 200."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    response = JsonResponse({"ok": True})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@csp_update({"connect-src": [base_url for _, base_url in settings.GOVCHAIN.peers]})
def wallet(request: HttpRequest, name: str = "") -> HttpResponse:
    """The three files whose address and freshness matter to a service worker; the rest is /static/wallet/.

    The shell is never cached by HTTP: the service worker holds it for offline use, and a new
    release reaches phones at their next visit. The wallet also talks to the consortium's agencies on other nodes.
    """
    file, kind = _WALLET_FILES[name]
    try:
        body = (WALLET / file).read_bytes()
    except FileNotFoundError as error:
        raise WebError("wallet-not-built") from error
    response = HttpResponse(body, content_type=kind)
    response["Cache-Control"] = "no-cache"
    if name == "sw.js":
        response["Service-Worker-Allowed"] = "/wallet/"
    return response


class _Example(forms.Form):
    name = forms.CharField(label="姓名", help_text="与身份证一致")
    matter = forms.ChoiceField(label="事项", choices=[("residence-permit", "居住证办理")])
    note = forms.CharField(label="备注", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    agree = forms.BooleanField(label="我已核对原件")


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    if settings.GOVCHAIN.production:
        raise Http404
    form = _Example({"name": "", "matter": "residence-permit"})
    return render(request, "web/styleguide.html", {"form": form})
