"""The page that installs the development CA."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from identity.errors import IdentityError


@require_GET
def install_ca(request: HttpRequest) -> HttpResponse:
    """`/install-ca`: how a phone comes to trust this development node. Only there with TLS=1."""
    _development_ca()
    return render(request, "identity/install_ca.html")


@require_GET
def install_ca_file(request: HttpRequest) -> HttpResponse:
    """`/install-ca/govchain-dev-ca.crt`: the development CA, PEM."""
    response = HttpResponse(_development_ca(), content_type="application/x-x509-ca-cert")
    response["Content-Disposition"] = 'attachment; filename="govchain-dev-ca.crt"'
    return response


def _development_ca() -> bytes:
    """PEM of the certificate authority that `govchain up --tls` made (gov_chain.tls)."""
    try:
        if settings.GOVCHAIN.production:
            raise IdentityError("ca-missing")
        return bytes((settings.GOVCHAIN.data / "tls" / "ca.pem").read_bytes())
    except FileNotFoundError as error:
        raise IdentityError("ca-missing") from error
