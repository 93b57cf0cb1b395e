"""One officer's log-ins, and what ends them.

    idle        half an hour without a request
    old         eight hours after logging in, whatever was done
    ended       from another session ("end the others"), by an administrator who disabled the account, by a new password

The row, not the cookie, decides: a session whose row has ended is nobody's at its next request, and its WebSocket
finds no user, because Django's own session is deleted with it. A browser holds the session of one officer of one
agency; a second log-in there is refused until the first has logged out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from gov_chain import clock
from gov_chain.web.language import pick
from identity import officers
from identity.models import Officer, OfficerSession

IDLE = 30 * 60
ABSOLUTE = 8 * 3600
SEEN_EVERY = 60
"""Seconds between two notes of when a session was seen: not every request writes."""
ROW = "officer_session"

_WORDS = {
    "idle": ("半小时没有操作，请重新登录。", "Nothing happened for half an hour. Log in again."),
    "old": ("登录已满八小时，请重新登录。", "You logged in eight hours ago. Log in again."),
    "ended": ("这次登录已被结束，请重新登录。", "This session was ended. Log in again."),
}


class SessionMiddleware:
    """After authentication: a session beyond its limits is ended before any page sees its officer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            _check(request)
        return self.get_response(request)


def living(officer: Officer) -> QuerySet[OfficerSession]:
    """The officer's sessions that still open doors, newest first."""
    now = clock.now()
    return OfficerSession.objects.filter(
        officer=officer, ended_at__isnull=True, seen_at__gt=now - IDLE, started_at__gt=now - ABSOLUTE
    ).order_by("-started_at")


def current(request: HttpRequest) -> str:
    """The id of this request's session row, or nothing."""
    return str(request.session.get(ROW, ""))


def end(sessions: QuerySet[OfficerSession]) -> int:
    """End these at once; how many there were."""
    with transaction.atomic():
        keys = [key for key in sessions.filter(ended_at__isnull=True).values_list("session_key", flat=True) if key]
        ended = sessions.filter(ended_at__isnull=True).update(
            ended_at=clock.now(), session_key="", address="", agent=""
        )
        Session.objects.filter(session_key__in=keys).delete()
        return ended


def _check(request: HttpRequest) -> None:
    row = OfficerSession.objects.filter(
        pk=request.session.get(ROW), officer_id=request.session[SESSION_KEY], ended_at__isnull=True
    ).first()
    officer = request.user if isinstance(request.user, Officer) else None
    now = clock.now()
    if row is None or officer is None or not officer.agency.hosted:
        reason = "ended"
    elif now - row.started_at >= ABSOLUTE:
        reason = "old"
    elif now - row.seen_at >= IDLE:
        reason = "idle"
    else:
        # The key changes with the password.
        if now - row.seen_at >= SEEN_EVERY or row.session_key != request.session.session_key:
            OfficerSession.objects.filter(pk=row.pk, ended_at__isnull=True).update(
                seen_at=now, session_key=request.session.session_key or ""
            )
        return
    if row is not None:
        end(OfficerSession.objects.filter(pk=row.pk))
    if officer is not None:
        officers.note(request, "session.expire", officer=officer, outcome=reason)
    logout(request)
    messages.warning(request, pick(*_WORDS[reason]))


def _opened(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    if not isinstance(user, Officer):
        return
    if not request.session.session_key:
        request.session.save()
    now = clock.now()
    records = request.session.get("account_authentication_methods") or []
    method = "+".join(str(record.get("type") or record.get("method")) for record in records)[:40]
    with transaction.atomic():
        row = OfficerSession.objects.create(
            officer=user,
            session_key=request.session.session_key or "",
            method=method,
            address=str(request.META.get("REMOTE_ADDR", ""))[:45],
            agent=str(request.META.get("HTTP_USER_AGENT", ""))[:200],
            started_at=now,
            seen_at=now,
        )
        request.session[ROW] = str(row.pk)
        officers.note(request, "session.open", officer=user, object=method)


def _closed(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    if isinstance(user, Officer) and end(OfficerSession.objects.filter(pk=request.session.get(ROW))):
        officers.note(request, "session.close", officer=user)


def listen() -> None:
    """In AppConfig.ready()."""
    user_logged_in.connect(_opened, dispatch_uid="identity.sessions")
    user_logged_out.connect(_closed, dispatch_uid="identity.sessions")
