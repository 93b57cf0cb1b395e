"""Who of an agency may open which page. An officer acts for one agency: `request.user.agency`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from identity.errors import IdentityError
from identity.models import Officer

View = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]


def officer_required(*roles: str) -> Callable[[View], View]:
    """Let in officers holding any of `roles`: others get 403, strangers the login page."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, Officer):
                return redirect_to_login(request.get_full_path())
            if not request.user.has_role(*roles):
                raise IdentityError("role-missing")
            response = view(request, *args, **kwargs)
            # What an officer sees must not come back from a shared browser's history after logging out.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guarded

    return decorate
