"""Who of an agency may open which page, and that it is written down.

    @officer_may("counter.read")            the act's row in identity.core.permissions
    def page(request, request_id): …
        saw(request, f"citizen={citizen.pk}")       objects that the address does not name

An officer acts for one agency: `request.user.agency`. What an officer may is asked here and nowhere else; another
agency's rows answer 404, because rows are looked for under the officer's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from gov_chain import clock
from gov_chain.core.errors import GovChainError
from identity.actions.record_act import record_act
from identity.core import permissions
from identity.core.permissions import ACTS
from identity.errors import IdentityError
from identity.models import Officer, OfficerLogEntry
from identity.tokens import keyed_digest

View = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]

SECOND_FACTOR = "/account/second-factor/"
ONCE_IN = 10 * 60
"""Seconds in which one officer's further looks at the same thing are the same look: pages refresh themselves."""


def officer_of(request: HttpRequest) -> Officer:
    """The officer a guarded view works for."""
    assert isinstance(request.user, Officer)  # officer_may let them in
    return request.user


def may(user: object, act: str) -> bool:
    """Whether this is an officer who may do `act`. For menus and live feeds; pages use `officer_may`."""
    return isinstance(user, Officer) and user.is_active and permissions.may(user.role_names, act)


def authorise(officer: Officer, act: str) -> None:
    """Raises `IdentityError`: role-missing, agency-unknown (its agency is not on this node)."""
    if not permissions.may(officer.role_names, act):
        raise IdentityError("role-missing")
    if not officer.agency.hosted:
        raise IdentityError("agency-unknown")


def saw(request: HttpRequest, *objects: str) -> None:
    """Note what the act was about, by random ids."""
    request.officer_objects = [*getattr(request, "officer_objects", []), *objects]  # type: ignore[attr-defined]


def officer_may(act: str, *, without_second_factor: bool = False) -> Callable[[View], View]:
    """Let in officers who may do `act`: others get 403, strangers the login page. Log it as the act's row says.

    Where a second factor is mandatory, an officer who has none yet gets no further than the pages that set one up.
    """
    row = ACTS[act]

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            officer = request.user
            if not isinstance(officer, Officer):
                return redirect_to_login(request.get_full_path())
            if not without_second_factor and lacks_second_factor(officer):
                return HttpResponseRedirect(SECOND_FACTOR)
            named = [f"{name}={value}" for name, value in kwargs.items()]
            begun = False
            try:
                authorise(officer, act)
                if row.logged == "around" and request.method == "POST":
                    note(request, act, object=" ".join(named), outcome="begun")
                    begun = True
                response = view(request, *args, **kwargs)
            except GovChainError as error:
                note(request, act, object=_objects(request, named), outcome=error.code)
                raise
            if begun:
                note(request, act, object=_objects(request, named))
            elif row.logged == "after":
                _look(request, officer, act, _objects(request, named))
            # What an officer sees must not come back from a shared browser's history after logging out.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        guarded.act = act  # type: ignore[attr-defined]
        return guarded

    return decorate


def note(request: HttpRequest, act: str, *, officer: Officer | None = None, **entry: Any) -> None:
    """An entry about the officer of this request, with what tells one browser and place from another."""
    officer = officer or officer_of(request)
    detail = {**where(request), **entry.pop("detail", {})}
    record_act(agency=officer.agency, officer=officer, act=act, detail=detail, **entry)


def where(request: HttpRequest) -> dict[str, str]:
    """Session and place as short pseudonyms: an auditor sees that two acts came from one place, not from which."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    found = {"place": keyed_digest("place", address).hex()[:12]} if address else {}
    session = request.session.get("officer_session")
    return {**found, "session": str(session)[:8]} if session else found


def lacks_second_factor(officer: Officer) -> bool:
    return second_factor_required() and not is_mfa_enabled(officer)


def second_factor_required() -> bool:
    return bool(settings.GOVCHAIN.second_factor)


def _look(request: HttpRequest, officer: Officer, act: str, object: str) -> None:
    seen = OfficerLogEntry.objects.filter(
        officer=officer, act=act, object=object[:200], outcome="done", at__gt=clock.now() - ONCE_IN
    )
    if not seen.exists():
        note(request, act, object=object)


def _objects(request: HttpRequest, named: list[str]) -> str:
    return " ".join([*named, *getattr(request, "officer_objects", [])])
