"""Log-in, log-out, and an officer's own account. The flows are allauth's; each page names its act."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from gov_chain.web.language import local_path, pick
from identity import officers, sessions
from identity.errors import IdentityError
from identity.login import sso
from identity.login.adapters import refuse_second_session
from identity.login.forms import AgainPasswordForm, LoginForm
from identity.models import OfficerSession
from identity.officers import officer_may, officer_of

ACCOUNT = "/account/"


class Login(account.LoginView):
    form_class = LoginForm
    template_name = "account/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            # Whoever typed another account's password means to be that one, and would go on as this one.
            refuse_second_session(request)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        going_on = local_path(self.request.POST.get("next") or self.request.GET.get("next"), "")
        return super().get_context_data(**kwargs) | {"providers": sso.offered(), "redirect_field_value": going_on}


class Logout(auth_views.LogoutView):
    """POST only: a link on another site cannot log anybody out."""


class Again(account.ReauthenticateView):
    form_class = AgainPasswordForm


def _own(view: Any, act: str = "account.second-factor") -> Any:
    """An allauth view of one's own account. It has to be reachable before there is a second factor."""
    return officer_may(act, without_second_factor=True)(view)


again = _own(Again.as_view())
again_code = _own(mfa.reauthenticate)
again_passkey = _own(webauthn.reauthenticate_webauthn)
second_factor = _own(mfa.index)
totp_add = _own(totp.activate_totp)
totp_remove = _own(totp.deactivate_totp)
passkey_add = _own(webauthn.add_webauthn)
passkey_remove = _own(webauthn.remove_webauthn)
recovery_codes = _own(codes.view_recovery_codes)
recovery_codes_new = _own(codes.generate_recovery_codes)
password = officer_may("account.password")(account.password_change)


@require_safe
@officer_may("account.second-factor", without_second_factor=True)
def passkeys(request: HttpRequest) -> HttpResponse:
    """Where allauth goes after a passkey was removed."""
    return HttpResponseRedirect(officers.SECOND_FACTOR)


@require_safe
@officer_may("account.read")
def overview(request: HttpRequest) -> HttpResponse:
    """`/account/`: who one is here, second factors, sessions."""
    officer = officer_of(request)
    context = {
        "roles": officer.roles.order_by("role"),
        "factors": Authenticator.objects.filter(user=officer).exclude(type=Authenticator.Type.RECOVERY_CODES),
        "required": officers.second_factor_required(),
        "sessions": sessions.living(officer),
        "current": sessions.current(request),
        "linked": SocialAccount.objects.filter(user=officer),
        "providers": sso.offered(officer.agency),
    }
    return render(request, "identity/account.html", context)


@require_POST
@officer_may("session.end")
def end_session(request: HttpRequest, session_id: uuid.UUID | None = None) -> HttpResponse:
    """One of one's other sessions, or all of them."""
    officer = officer_of(request)
    others = OfficerSession.objects.filter(officer=officer).exclude(pk=sessions.current(request))
    if session_id is not None:
        others = others.filter(pk=session_id)
        if not others.exists():
            raise IdentityError("session-unknown")
    ended = sessions.end(others)
    officers.note(request, "session.end", object=f"session={str(session_id)[:8]}" if session_id else f"others={ended}")
    messages.success(request, pick("已结束其他登录。", "The other sessions are ended."))
    return HttpResponseRedirect(ACCOUNT)
