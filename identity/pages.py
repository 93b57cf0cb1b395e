"""Officers' login and logout, the home officer's desk, and the page that installs the development CA."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gov_chain.web import navigation
from gov_chain.web.language import pick
from identity import citizens, throttle, wallets
from identity.actions.issue_activation import issue_activation
from identity.actions.restore_wallet import restore_wallet
from identity.actions.revoke_wallet import revoke_wallet
from identity.errors import IdentityError
from identity.models import Assurance, Citizen, Officer
from identity.officers import officer_required

HOME_ROLES = ("agency-admin",)

ASSURANCE = {
    Assurance.LOW: ("低（本人自报）", "Low (self-declared)"),
    Assurance.SUBSTANTIAL: ("中（远程实名核验）", "Substantial (remote real-name check)"),
    Assurance.HIGH: ("高（当面核验）", "High (checked in person)"),
}


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


class FindForm(forms.Form):
    id_number = forms.RegexField(
        r"^[0-9]{17}[0-9Xx]$", max_length=18, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["id_number"].label = pick("公民身份号码", "Identity number")
        self.fields["id_number"].error_messages = {
            "required": pick("请输入号码。", "Enter the number."),
            "invalid": pick("应为 18 位。", "It has 18 characters."),
        }


class CheckForm(forms.Form):
    """The officer's statement: this person stands here, and I checked who it is."""

    assurance = forms.TypedChoiceField(choices=[], coerce=int, widget=forms.RadioSelect)
    checked = forms.BooleanField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assurance"].label = pick("核验方式", "How was the person checked?")
        self.fields["assurance"].choices = [
            (
                Assurance.HIGH.value,
                pick("当面核对身份证原件与本人", "Original identity card compared with the person here"),
            ),
            (Assurance.SUBSTANTIAL.value, pick("远程实名核验（人脸比对）", "Remote real-name check (face comparison)")),
        ]
        self.fields["checked"].label = pick(
            "我已核验本人身份，对此负责。", "I have checked who this person is and answer for it."
        )


@officer_required(*HOME_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """`/home/`: find a citizen. By POST, so that no identity number stands in an address or a log."""
    form = FindForm(request.POST or None)
    if not form.is_valid():
        return render(request, "identity/home.html", {"form": form})
    officer = _officer(request)
    try:
        citizen = citizens.by_id_number(officer.agency, form.cleaned_data["id_number"])
    except IdentityError as error:
        form.add_error("id_number", pick(error.zh, error.en))
        return render(request, "identity/home.html", {"form": form}, status=error.status)
    return _show(request, citizen)


@officer_required(*HOME_ROLES)
@require_POST
def desk_act(request: HttpRequest, citizen_id: uuid.UUID, act: str) -> HttpResponse:
    """`/home/<citizen>/<activate|restore|revoke>`: after the real-name statement."""
    officer = _officer(request)
    citizen = Citizen.objects.select_related("home").filter(id=citizen_id, home_id=officer.agency_id).first()
    if citizen is None:
        raise IdentityError("citizen-unknown")
    check = CheckForm(request.POST)
    if not check.is_valid():
        return _show(request, citizen, check=check, status=400)
    wallet = wallets.of_citizen(citizen)
    if act == "activate":
        issued = issue_activation(citizen=citizen, assurance_level=check.cleaned_data["assurance"], officer=officer)
        return _show(request, citizen, issued=issued)
    if wallet is None:
        raise IdentityError("wallet-unknown")
    if act == "restore":
        restore_wallet(wallet=wallet, officer=officer)
    else:
        revoke_wallet(wallet=wallet, officer=officer)
    return _show(request, citizen, done=act)


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


def _officer(request: HttpRequest) -> Officer:
    assert isinstance(request.user, Officer)  # officer_required saw to it
    return request.user


def _show(request: HttpRequest, citizen: Citizen, *, status: int = 200, **extra: Any) -> HttpResponse:
    context = {
        "form": FindForm(),
        "citizen": citizen,
        "wallet": wallets.of_citizen(citizen),
        "check": CheckForm(),
        "assurance": pick(*ASSURANCE[citizen.assurance_level]),
    }
    return render(request, "identity/home.html", context | extra, status=status)
