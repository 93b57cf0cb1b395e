"""Which of the two languages a page speaks: the `django_language` cookie decides, Chinese otherwise.

The browser's Accept-Language is not asked: a shared counter machine with an English system must
still greet people in Chinese, and one switch at the foot of each page changes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe


def is_chinese() -> bool:
    return (translation.get_language() or "zh").startswith("zh")


def pick(zh: str, en: str) -> str:
    """The text of the current language."""
    return zh if is_chinese() else en


def pick_from(names: Mapping[str, str]) -> str:
    """The text of the current language out of a `{"zh": …, "en": …}` pair, as definition documents hold it."""
    return pick(names["zh"], names["en"])


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, with the cookie as the only source (its form messages follow the language)."""

    def process_request(self, request: HttpRequest) -> None:
        asked = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language


def local_path(url: str | None, default: str = "/") -> str:
    """`url` when it is a path on this site, else `default`: a link may not send people elsewhere."""
    if url and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return url
    return default


@require_safe
def switch(request: HttpRequest) -> HttpResponse:
    """`/language?to=en&next=/audit/`: remember the language for a year and go back."""
    response = HttpResponseRedirect(local_path(request.GET.get("next")))
    if request.GET.get("to") in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            request.GET["to"],
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response
