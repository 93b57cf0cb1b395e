"""Officers' login and logout, and the page that installs the development CA."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gov_chain.web import navigation
from gov_chain.web.language import pick
from identity import throttle
from identity.errors import IdentityError


class LoginForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = pick("账号", "Account")
        self.fields["password"].label = pick("密码", "Password")
        self.error_messages = {
            "invalid_login": pick("账号或密码不正确。", "Wrong account or password."),
            "inactive": pick("账号已停用。", "This account is disabled."),
        }

    @property
    def address(self) -> str:
        return str(self.request.META.get("REMOTE_ADDR", "")) if self.request else ""

    def clean(self) -> dict[str, Any]:
        """A try is counted before the password is looked at; the right one clears the count."""
        username = str(self.cleaned_data.get("username", "")).casefold()
        counted = ((throttle.LOGIN, (username, self.address)), (throttle.LOGIN_FROM, (self.address,)))
        for limit, who in counted:
            if not throttle.reserve(limit, *who):
                raise IdentityError("login-throttled", retry_after=limit.seconds)
        cleaned: dict[str, Any] = super().clean()
        for limit, who in counted:
            throttle.forgive(limit, *who)
        return cleaned


class Login(auth_views.LoginView):
    template_name = "identity/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """The first room the officer's roles open."""
        rooms = navigation.entries(self.request)
        return rooms[0].path if rooms else "/"


class Logout(auth_views.LogoutView):
    """POST only: a link on another site cannot log anybody out."""


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
