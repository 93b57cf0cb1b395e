"""GET /metrics: what it tells, whom it tells, and that it tells of nobody."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import transaction
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from gov_chain.ledger import outbox
from gov_chain.ledger.core import records
from gov_chain.ledger.models import NodeKey
from gov_chain.ledger.relay import settle
from tests.ledger.canary import forms
from tests.world import World

TOKEN = "a-token-of-more-than-20-characters"


def scraped(**asked: str) -> dict[str, float]:
    """Name and labels → value."""
    text = Client().get("/metrics", **asked).content.decode()  # type: ignore[arg-type]
    return {
        f"{each.name}{sorted(each.labels.items())}": each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def test_sizes_ages_and_states_are_told(world: World) -> None:
    told = scraped()
    assert told["govchain_ledger_entries[]"] == world.reader.size
    assert told["govchain_outbox_waiting[]"] == 0
    assert told["govchain_key_store_up[]"] == 1
    assert "govchain_engine_up[]" not in told


def test_what_waits_and_what_was_set_aside_is_counted(world: World) -> None:
    NodeKey.objects.filter(agency=3).delete()
    record = records.evidence(evidence=1, digest=bytes(32))
    with transaction.atomic():
        rows = [outbox.enqueue(agency=3, record=record, subject="test.thing:3")]
    settle(rows)
    told = scraped()
    assert told["govchain_outbox_set_aside[]"] == 1


def test_a_key_store_that_is_away_is_seen(world: World, settings: Settings) -> None:
    key = settings.GOVCHAIN.data / "keys" / "ledger" / "checkpoint.key"
    aside = key.with_suffix(".aside")
    key.rename(aside)
    try:
        assert scraped()["govchain_key_store_up[]"] == 0
    finally:
        aside.rename(key)
    told = scraped()
    assert (told["govchain_key_store_up[]"], told["govchain_ledger_up[]"]) == (1, 1)


def test_requests_count_under_their_route_and_not_their_address(world: World) -> None:
    name = "counted_under_the_route"
    before = scraped()
    Client().get(f"/ledger/receipts/0?{name}=1")
    Client().get(f"/{name}")
    after = scraped()
    labels = "[('route', 'ledger/receipts/<uint:index>'), ('status', '2xx')]"
    key = f"govchain_request_seconds_count{labels}"
    assert after[key] == before.get(key, 0) + 1
    missed = "govchain_request_seconds_count[('route', '-'), ('status', '4xx')]"
    assert after[missed] == before.get(missed, 0) + 1
    assert not [each for each in after if name in each]


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer wrong", TOKEN, f"Bearer {TOKEN[:-1]}", "Bearer é"])
def test_with_a_token_set_nothing_else_opens(world: World, settings: Settings, shown: str) -> None:
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, metrics_token=TOKEN)
    assert Client().get("/metrics", HTTP_AUTHORIZATION=shown).status_code == 404
    assert Client().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 200


def test_without_one_only_this_machine_is_answered(world: World) -> None:
    assert Client().get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404
    assert Client().get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200


def test_nobody_stands_in_it(world: World) -> None:
    citizen = "陈示例"
    Client().get("/ledger/handles/abcd", {"q": citizen})
    Client().get(f"/agencies/home/{citizen}")
    body = Client().get("/metrics").content
    assert not [form for form, data in forms(citizen).items() if data in body]
