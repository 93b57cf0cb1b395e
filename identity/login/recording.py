"""What allauth says happened, written into the officers' log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.core import context
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from identity import officers, sessions
from identity.models import Officer


def _factor(did: str, outcome: str = "done") -> Any:
    def heard(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
        officers.note(
            request, "account.second-factor", officer=user, object=f"{did} {authenticator.type}", outcome=outcome
        )

    return heard


_HEARD = {
    mfa.authenticator_used: _factor("use"),
    mfa.authentication_failed: _factor("use", "code-wrong"),
}


def _stored(sender: Any, instance: Authenticator, created: bool, **_: Any) -> None:
    if created:
        _own_factor(instance, "add")


def _deleted(sender: Any, instance: Authenticator, **_: Any) -> None:
    _own_factor(instance, "remove")


def _own_factor(authenticator: Authenticator, did: str) -> None:
    """In the transaction of the row itself. An administrator's reset writes an entry of its own."""
    request = context.request
    officer = getattr(request, "user", None)
    if isinstance(officer, Officer) and officer.pk == authenticator.user_id:
        officers.note(request, "account.second-factor", officer=officer, object=f"{did} {authenticator.type}")


def _password_changed(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    """A new password ends every other session."""
    officers.note(request, "account.password", officer=user)
    sessions.end(user.sessions.exclude(pk=sessions.current(request)))


def _linked(sender: Any, request: HttpRequest, sociallogin: Any, **_: Any) -> None:
    officers.note(request, "account.sso", officer=sociallogin.user, object=f"link {sociallogin.account.provider}")


def _unlinked(sender: Any, request: HttpRequest, socialaccount: Any, **_: Any) -> None:
    officers.note(request, "account.sso", officer=socialaccount.user, object=f"unlink {socialaccount.provider}")


def listen() -> None:
    """In AppConfig.ready()."""
    for signal, heard in _HEARD.items():
        signal.connect(heard, weak=False, dispatch_uid="identity.login")
    post_save.connect(_stored, sender=Authenticator, dispatch_uid="identity.login")
    post_delete.connect(_deleted, sender=Authenticator, dispatch_uid="identity.login")
    account.password_changed.connect(_password_changed, dispatch_uid="identity.login")
    account.password_set.connect(_password_changed, dispatch_uid="identity.login")
    social.social_account_added.connect(_linked, dispatch_uid="identity.login")
    social.social_account_removed.connect(_unlinked, dispatch_uid="identity.login")
