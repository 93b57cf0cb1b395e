"""Log-in forms: allauth's flows, this node's words, and its counting of wrong tries (`identity.throttle`).

A try is counted before the secret is looked at; the right one clears the count. A wrong one on an account that exists
is written into its agency's log; so is the first that found the account locked.
"""

from __future__ import annotations

import struct
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature
from django import forms
from django.http import HttpRequest

from gov_chain import clock
from gov_chain.web.language import pick
from identity import officers, throttle
from identity.errors import IdentityError
from identity.models import Officer, OfficerLogEntry


class LoginForm(AllauthLoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"] = forms.CharField(
            label=pick("账号", "Account"),
            max_length=150,
            widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        )
        del self.fields["login"]
        self.fields["password"] = forms.CharField(
            label=pick("密码", "Password"),
            max_length=1000,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        )
        self.order_fields(["username", "password"])

    def user_credentials(self) -> dict[str, str]:
        return {"username": self.cleaned_data["username"], "password": self.cleaned_data["password"]}

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        request: HttpRequest = self.request
        username = self.cleaned_data["username"]
        address = str(request.META.get("REMOTE_ADDR", ""))
        counted = ((throttle.LOGIN, (username.casefold(), address)), (throttle.LOGIN_FROM, (address,)))
        for limit, who in counted:
            if not throttle.reserve(limit, *who):
                _failed(request, username, "login-throttled")
                raise IdentityError("login-throttled", retry_after=limit.seconds)
        user = get_adapter(request).authenticate(request, **self.user_credentials())
        if user is None:
            _failed(request, username, "password-wrong")
            raise forms.ValidationError(pick("账号或密码不正确。", "Wrong account or password."))
        for limit, who in counted:
            throttle.forgive(limit, *who)
        self._login = Login(user=user)
        return self.cleaned_data


def _failed(request: HttpRequest, username: str, outcome: str) -> None:
    officer = Officer.objects.filter(username=username).select_related("agency").first()
    if officer is None or not officer.agency.hosted:
        return
    if outcome == "login-throttled" and _said(officer, outcome):
        return
    officers.note(request, "session.open", officer=officer, outcome=outcome)


def _said(officer: Officer, outcome: str) -> bool:
    since = clock.now() - throttle.LOGIN.seconds
    return OfficerLogEntry.objects.filter(officer=officer, act="session.open", outcome=outcome, at__gt=since).exists()


class _Counted:
    """Five wrong codes an officer in a quarter of an hour, from whatever address."""

    user: Officer
    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def counted_code(self) -> str:
        if not throttle.reserve(throttle.SECOND_FACTOR, str(self.user.pk)):
            if not _said(self.user, "second-factor-throttled"):
                officers.note(context.request, "session.open", officer=self.user, outcome="second-factor-throttled")
            raise IdentityError("second-factor-throttled", retry_after=throttle.SECOND_FACTOR.seconds)
        code: str = super().clean_code()  # type: ignore[misc]
        throttle.forgive(throttle.SECOND_FACTOR, str(self.user.pk))
        return code

    def label_code(self) -> None:
        self.fields["code"] = forms.CharField(
            label=pick("验证码", "Code"),
            help_text=pick("验证器显示的 6 位数字，或一枚恢复码。", "The 6 digits of your app, or a recovery code."),
            max_length=20,
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        )


class SecondFactorForm(_Counted, AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_code()

    def clean_code(self) -> str:
        return self.counted_code()


class AgainForm(_Counted, ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_code()

    def clean_code(self) -> str:
        return self.counted_code()


class ActivateTotpForm(_Counted, ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_code()
        self.fields["code"].help_text = pick("验证器现在显示的 6 位数字。", "The 6 digits your app shows now.")

    def clean_code(self) -> str:
        return self.counted_code()


UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, InvalidSignature)
"""What the WebAuthn library raises, beside its own errors, for a credential that is none."""


class _Passkey:
    """Whatever a browser sends is a passkey or a form error."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except forms.ValidationError:
            raise
        except UNREADABLE as error:
            raise get_mfa_adapter().validation_error("incorrect_code") from error


class PasskeyForm(_Passkey, AuthenticateWebAuthnForm):
    pass


class PasskeyLoginForm(_Passkey, LoginWebAuthnForm):
    pass


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(AddWebAuthnForm):
    """A passkey that also logs in by itself: the device asks for its own PIN, finger or face."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except forms.ValidationError:
            raise
        except UNREADABLE as error:
            raise get_mfa_adapter().validation_error("incorrect_code") from error

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = pick("名称", "Name")
        self.fields["name"].max_length = 60
        self.fields["passwordless"].widget = forms.HiddenInput()
        self.fields["passwordless"].initial = True


class AgainPasswordForm(forms.Form):
    """The password once more, before something that would let somebody else in."""

    password = forms.CharField(
        strip=False, max_length=1000, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, user: Officer, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        self.fields["password"].label = pick("密码", "Password")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not throttle.reserve(throttle.AGAIN, str(self.user.pk)):
            raise IdentityError("login-throttled", retry_after=throttle.AGAIN.seconds)
        if not self.user.check_password(password):
            raise forms.ValidationError(pick("密码不正确。", "Wrong password."))
        throttle.forgive(throttle.AGAIN, str(self.user.pk))
        return password
