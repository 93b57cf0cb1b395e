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

from gov_chain import clock, keys
from gov_chain.consortium import health
from gov_chain.core.errors import GovChainError
from gov_chain.keys import vault
from gov_chain.ledger import condition, node
from gov_chain.web import measuring

LOOPBACK = ("127.0.0.1", "::1")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not _allowed(request):
        raise Http404
    text = generate_latest(_registry) + generate_latest(measuring.REGISTRY)
    answer = HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
    answer["Cache-Control"] = "no-store"
    return answer


def _allowed(request: HttpRequest) -> bool:
    token = settings.GOVCHAIN.metrics_token
    if token:
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())
    return not settings.GOVCHAIN.production and request.META.get("REMOTE_ADDR") in LOOPBACK


class _Node:
    """Asked at each scrape."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("govchain_key_store_up", "Whether keys can be used.", _key_store())
        # A node in trouble is the one whose figures are wanted: one part that fails takes no other with it.
        try:
            told = [*_ledger(), *_witnesses()]
        except GovChainError:
            told = []
        yield GaugeMetricFamily("govchain_ledger_up", "Whether this node's log can be read.", bool(told))
        yield from told
        yield from _outbox()
        if settings.GOVCHAIN.ledger != "embedded":
            yield from _engine()


def _ledger() -> Iterator[Metric]:
    size = node.ledger().size
    age = clock.now() - condition.head().block_time
    yield GaugeMetricFamily("govchain_ledger_entries", "Entries in this node's log.", size)
    yield GaugeMetricFamily("govchain_ledger_block_age_seconds", "Since the last entry's block.", age)
    if (quorum := condition.quorum()) is not None:
        yield from _quorum(size, quorum)


def _outbox() -> Iterator[Metric]:
    backlog = condition.backlog()
    aside = sum(each.count for each in condition.set_aside())
    yield GaugeMetricFamily("govchain_outbox_waiting", "Records that are not final yet.", backlog.waiting)
    yield GaugeMetricFamily("govchain_outbox_oldest_seconds", "Age of the oldest of them.", backlog.oldest)
    yield GaugeMetricFamily("govchain_outbox_set_aside", "Records that could not be judged.", aside)


def _key_store() -> bool:
    try:
        if settings.GOVCHAIN.keys == "vault":
            vault.vault().condition()
        else:
            keys.signer(node.checkpoint_key()).public_key  # noqa: B018 - opening it is the test
    except keys.KeyStoreError:
        return False
    return True


def _witnesses() -> Iterator[Metric]:
    lag = GaugeMetricFamily("govchain_witness_lag_entries", "Beyond what it cosigned.", labels=["witness"])
    alarm = GaugeMetricFamily("govchain_witness_alarm", "Whether it contradicts this log.", labels=["witness"])
    for each in condition.witnesses():
        lag.add_metric([each.name], each.behind)
        alarm.add_metric([each.name], each.alarm)
    yield from (lag, alarm)


def _quorum(size: int, found: condition.Quorum) -> Iterator[Metric]:
    covered, missing = found.certified, len(found.missing)
    yield GaugeMetricFamily("govchain_ledger_certified_entries", "Entries under a quorum's certificate.", covered)
    yield GaugeMetricFamily("govchain_cosigner_lag_entries", "Entries not under one yet.", max(size - covered, 0))
    yield GaugeMetricFamily("govchain_cosigner_missing_signers", "Validators that have not signed lately.", missing)


def _engine() -> Iterator[Metric]:
    url = settings.GOVCHAIN.ledger.removeprefix("comet:")
    found = health.engine(url)
    yield GaugeMetricFamily("govchain_engine_up", "Whether CometBFT answers.", found is not None)
    if found is not None:
        yield GaugeMetricFamily("govchain_engine_height", "Its last block.", found.height)
        highest = health.highest(url)
        if highest is not None:
            behind = max(highest - found.height, 0)
            yield GaugeMetricFamily("govchain_engine_lag_blocks", "Blocks a peer has beyond it.", behind)
        yield GaugeMetricFamily("govchain_engine_peers", "Nodes it is connected to.", found.peers)
        yield GaugeMetricFamily("govchain_engine_catching_up", "Whether it is behind.", found.catching_up)
        yield GaugeMetricFamily("govchain_engine_voting_power", "What its vote weighs; 0: none.", found.voting_power)


_registry = CollectorRegistry()
_registry.register(_Node())
ProcessCollector(registry=_registry)
