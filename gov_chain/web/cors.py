"""Cross-origin reading of the protocol's addresses (Fetch standard, CORS protocol).

A wallet is served by one node and talks to issuers, counters and ledgers on others. What it calls is told apart
by bearer tokens, proofs and codes in the request itself, never by a cookie: so any origin may call it, and none
with credentials. Pages and everything else stay within their own origin.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from gov_chain.web.problems import MACHINE_PATHS

OPEN = tuple(path for path in MACHINE_PATHS if path != "/healthz")
METHODS = "GET, POST"
HEADERS = "authorization, content-type, dpop"
EXPOSED = "Retry-After, WWW-Authenticate"
MAX_AGE = "7200"


class CorsMiddleware:
    """Before `ProblemMiddleware`: a page on another origin must be able to read a refusal too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(OPEN):
            return self.get_response(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response = HttpResponse(status=204)
            response["Access-Control-Allow-Methods"] = METHODS
            response["Access-Control-Allow-Headers"] = HEADERS
            response["Access-Control-Max-Age"] = MAX_AGE
        else:
            response = self.get_response(request)
            response["Access-Control-Expose-Headers"] = EXPOSED
        response["Access-Control-Allow-Origin"] = "*"
        return response
