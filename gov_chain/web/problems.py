"""The one place that turns an error into an answer.

Machines get RFC 9457 `application/problem+json`; where the error carries an OAuth value
(RFC 6749 §5.2) the type is `application/json` and the same object has `error` and
`error_description`. Browsers get a page, htmx a fragment. Who is a browser: it accepts
text/html and does not ask for an address that only machines use.

The values of a domain error (tries left, seconds to wait) become members of the object.
An exception nobody expected answers 500 with an incident id; the log holds the id, the
exception's type and where it was raised, never its text or the request's content, because
either may hold personal data.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string

from gov_chain.core.errors import GovChainError, trail
from gov_chain.web.errors import InputError, WebError
from gov_chain.web.language import pick

log = logging.getLogger(__name__)

MACHINE_PATHS = (
    "/agencies/",
    "/ledger/",
    "/.well-known/",
    "/directory.json",
    "/wallet/config.json",
    "/healthz",
    "/metrics",
)
_OWN_MEMBERS = frozenset(
    {"type", "title", "title_en", "status", "detail", "detail_en", "code", "error", "error_description"}
)


class ProblemMiddleware:
    """Outermost middleware: every error answer of the node leaves through here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if refusal := _unreadable(request):
            return answer(request, refusal)
        response = self.get_response(request)
        if response.status_code == 405 and not hasattr(response, "problem"):
            allow = response.get("Allow", "")
            response = answer(request, WebError("method-not-allowed"))
            response["Allow"] = allow
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        return answer_exception(request, exception)


def answer(request: HttpRequest, error: GovChainError) -> HttpResponse:
    """The HTTP answer to `error`, in the shape this client reads."""
    htmx = "HX-Request" in request.headers
    if wants_page(request) or htmx:
        response = HttpResponse(_page(request, error, fragment=htmx), status=error.status)
    else:
        kind = "application/json" if error.message.oauth else "application/problem+json"
        response = HttpResponse(problem_bytes(error), status=error.status, content_type=kind)
    response["Cache-Control"] = "no-store"
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer" if not error.message.oauth else f'Bearer error="{error.message.oauth}"'
    if isinstance(wait := error.values.get("retry_after"), int):
        response["Retry-After"] = str(wait)
    response.problem = error.code  # type: ignore[attr-defined]
    return response


def problem_bytes(error: GovChainError) -> bytes:
    """The problem object, UTF-8 JSON."""
    body: dict[str, Any] = {
        "type": f"urn:govchain:error:{error.code}",
        "title": error.zh,
        "title_en": error.en,
        "status": error.status,
        "detail": error.fix_zh,
        "detail_en": error.fix_en,
        "code": error.code,
    }
    body.update({name: value for name, value in error.values.items() if name not in _OWN_MEMBERS})
    if error.message.oauth:
        # RFC 6749 §5.2 allows printable ASCII without quote and backslash only.
        text = f"{error.en} {error.fix_en}".strip()
        readable = "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
        body |= {"error": error.message.oauth, "error_description": readable}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def answer_exception(request: HttpRequest, exception: BaseException) -> HttpResponse:
    """The answer to anything raised while a request was handled."""
    error = _as_error(exception)
    if error is None:
        error = WebError("unexpected", incident=secrets.token_hex(4))
        _log_unexpected(str(error.values["incident"]), exception)
        got_request_exception.send(sender=ProblemMiddleware, request=request)
    elif error.log:
        log.info("%s: %s", error.code, error.log)
    return answer(request, error)


def wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(MACHINE_PATHS)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, WebError("csrf-failed", log=reason))


def handler(request: HttpRequest, exception: BaseException | None = None) -> HttpResponse:
    """handler400/403/404/500 of the root urlconf: what middleware raised, and unknown paths."""
    return answer_exception(request, exception or sys.exception() or RuntimeError("no exception"))


def _as_error(exception: BaseException) -> GovChainError | None:
    match exception:
        case GovChainError():
            return exception
        case Http404():
            return WebError("not-found")
        case PermissionDenied():
            return WebError("forbidden")
        case RequestDataTooBig():
            return WebError("body-too-large")
        case SuspiciousOperation() | BadRequest() | MultiPartParserError() | UnreadablePostError():
            return WebError("bad-request", log=type(exception).__name__)
    return None


def _unreadable(request: HttpRequest) -> GovChainError | None:
    """Requests no view could read safely: NUL or control characters where names belong, foreign charsets."""
    if request.encoding is not None and request.encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        return InputError("input-media-type", expected="charset=utf-8")
    texts = [request.path, *request.COOKIES.keys(), *request.COOKIES.values()]
    if any(not text.isprintable() or "\ufffd" in text for text in texts):
        return WebError("bad-request", log="control characters")
    if "%00" in request.META.get("QUERY_STRING", ""):
        return WebError("bad-request", log="NUL in query")
    return None


def _page(request: HttpRequest, error: GovChainError, *, fragment: bool) -> str:
    template = "web/problem_fragment.html" if fragment else "web/problem.html"
    context = {
        "problem": error,
        "problem_title": pick(error.zh, error.en),
        "problem_fix": pick(error.fix_zh, error.fix_en),
        "home_only": error.status in (404, 500),
    }
    try:
        return render_to_string(template, context, request=request)
    except DatabaseError:
        # The page's frame asks who is logged in; without a database the bare text must do.
        return render_to_string("web/problem_fragment.html", context)


def _log_unexpected(incident: str, exception: BaseException) -> None:
    log.error("incident %s: %s", incident, trail(exception))
    log.debug("incident %s", incident, exc_info=exception)
