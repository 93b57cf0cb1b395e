"""Where django-allauth asks what this node's rules are. It does passwords, second factors and single sign-on; nobody
signs up by themselves, no mail is sent, and every step is written into the officers' log
(`identity.login.recording`)."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.web import navigation
from gov_chain.web.language import local_path, pick
from identity import agencies, officers
from identity.errors import IdentityError
from identity.models import Officer


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Officer, **kwargs: Any) -> HttpResponse | None:
        """Before any way of logging in goes on. Raises `IdentityError`."""
        refuse_second_session(request, user)
        if not user.is_active:
            raise IdentityError("account-disabled")
        if not user.agency.hosted:
            raise IdentityError("agency-elsewhere")
        return None

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The first room the officer's roles open."""
        rooms = navigation.entries(request)
        return rooms[0].path if rooms else "/account/"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/account/"

    def is_safe_url(self, url: str | None) -> bool:
        """A path on this node and nothing else."""
        return bool(url) and local_path(url, "") == url

    def add_message(self, request: HttpRequest, level: int, *args: Any, message: str = "", **kwargs: Any) -> None:
        """allauth's own texts stay out: our pages say what happened. Errors it has no page for come through."""
        if message:
            messages.add_message(request, level, message)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """The officers' log and the account page tell; this node sends no mail."""

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        words = {
            "reauthenticate": pick("用密码确认", "Use your password"),
            "mfa_reauthenticate": pick("用验证码确认", "Use a code"),
            "mfa_reauthenticate:webauthn": pick("用通行密钥确认", "Use a passkey"),
        }
        return [method | {"description": words[method["id"]]} for method in super().get_reauthentication_methods(user)]


def refuse_second_session(request: HttpRequest, user: Officer | None = None) -> None:
    """Raises `IdentityError` session-open where somebody else is logged in in this browser."""
    there = request.user
    if isinstance(there, Officer) and (user is None or there.pk != user.pk):
        officers.note(request, "session.open", outcome="session-open")
        raise IdentityError("session-open", zh=there.agency.name_zh, en=there.agency.name_en)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors lie in the database sealed under the officer's agency's key."""

    error_messages = DefaultMFAAdapter.error_messages

    def validation_error(self, code: str, *args: Any) -> Any:
        error = super().validation_error(code, *args)
        if code == "incorrect_code":
            error.message = pick("验证码或通行密钥不正确。", "The code or passkey is not right.")
        return error

    def get_totp_label(self, user: Officer) -> str:
        return str(user.get_username())

    def _get_site_name(self) -> str:
        return pick("云州市电子证照", "Yunzhou e-Certificates")

    def get_totp_issuer(self) -> str:
        return self._get_site_name()

    def generate_authenticator_name(self, user: Officer, type: Any) -> str:
        return pick("通行密钥", "Passkey")

    def get_public_key_credential_user_entity(self, user: Officer) -> dict[str, Any]:
        return super().get_public_key_credential_user_entity(user) | {"name": user.get_username()}

    def encrypt(self, text: str) -> str:
        """`<agency>.<sealed>`, under the agency of the officer who is setting it up."""
        agency = officers.officer_of(context.request).agency
        return f"{agency.slug}.{b64url(agencies.sealer(agency).seal(text.encode(), _CONTEXT))}"

    def decrypt(self, encrypted_text: str) -> str:
        slug, _, sealed = encrypted_text.partition(".")
        return agencies.sealer(agencies.by_slug(slug, hosted=True)).open(b64url_decode(sealed), _CONTEXT).decode()


_CONTEXT = b"govchain/officers/second-factor"
