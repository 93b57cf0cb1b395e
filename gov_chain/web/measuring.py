"""How many requests this process has answered and how long each took, by route and class of status.

A route is the pattern of the URL (`ledger/receipts/<uint:index>`), never the address: no number, handle or token of
anybody is in a label. What no route answers, files included, counts together. With several workers each counts its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Histogram

REGISTRY = CollectorRegistry()
UNROUTED = "-"

_requests = Histogram(
    "govchain_request_seconds",
    "Time until a request's answer began.",
    ("route", "status"),
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)


class MeasuringMiddleware:
    """Outside all others, so that it counts what they refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match is not None else UNROUTED
        _requests.labels(route, f"{response.status_code // 100}xx").observe(time.perf_counter() - began)
        return response
