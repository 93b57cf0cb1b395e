"""GET /metrics, for Prometheus: sizes, ages, counts and states of this node. No person, agency name or handle.

For whoever shows `GOVCHAIN_METRICS_TOKEN` as a bearer token. Without a token set: on a development node for its own
machine alone, in production for nobody (behind a proxy everybody comes from this machine).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from gov_chain import clock
from gov_chain.consortium import health
from gov_chain.ledger import condition, node

LOOPBACK = ("127.0.0.1", "::1")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not _allowed(request):
        raise Http404
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)


def _allowed(request: HttpRequest) -> bool:
    token = settings.GOVCHAIN.metrics_token
    if token:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(), token.encode())
    return not settings.GOVCHAIN.production and request.META.get("REMOTE_ADDR") in LOOPBACK


class _Node:
    """Asked at each scrape."""

    def collect(self) -> Iterator[Metric]:
        ledger = node.ledger()
        size = ledger.size
        certified = ledger.certified()
        age = clock.now() - condition.head().block_time
        backlog = condition.backlog()
        yield GaugeMetricFamily("govchain_ledger_entries", "Entries in this node's log.", size)
        covered = certified[1].size if certified else 0
        yield GaugeMetricFamily("govchain_ledger_certified_entries", "Entries under a quorum's certificate.", covered)
        yield GaugeMetricFamily("govchain_ledger_block_age_seconds", "Since the last entry's block.", age)
        yield GaugeMetricFamily("govchain_outbox_waiting", "Records that are not final yet.", backlog.waiting)
        yield GaugeMetricFamily("govchain_outbox_oldest_seconds", "Age of the oldest of them.", backlog.oldest)
        aside = sum(each.count for each in condition.set_aside())
        yield GaugeMetricFamily("govchain_outbox_set_aside", "Records that could not be judged.", aside)
        if settings.GOVCHAIN.ledger != "embedded":
            yield from _engine()


def _engine() -> Iterator[Metric]:
    found = health.engine(settings.GOVCHAIN.ledger.removeprefix("comet:"))
    yield GaugeMetricFamily("govchain_engine_up", "Whether CometBFT answers.", found is not None)
    if found is not None:
        yield GaugeMetricFamily("govchain_engine_height", "Its last block.", found.height)
        yield GaugeMetricFamily("govchain_engine_peers", "Nodes it is connected to.", found.peers)
        yield GaugeMetricFamily("govchain_engine_catching_up", "Whether it is behind.", found.catching_up)
        yield GaugeMetricFamily("govchain_engine_voting_power", "What its vote weighs; 0: none.", found.voting_power)


_registry = CollectorRegistry()
_registry.register(_Node())
ProcessCollector(registry=_registry)
