"""A phone that pinned the ledger long ago follows the votes: new keys believed, a suspended agency refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from demo.node import Node
from tests.journeys.conftest import Stage, picture
from tests.journeys.test_main_job import PIN, _activate, _claim, _scan

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One of its own: what is voted here would surprise the other journeys."""
    with Node(tmp_path_factory.mktemp("governed")) as running:
        yield running


def voted(node: Node, *words: str) -> None:
    """Put to the vote and carried, by commands beside the running node."""
    status, told = node.command(*words)
    assert status == 0, told
    for slug in ("psb", "data", "street", "audit"):
        if told["outcome"] == "open" and {"psb": 1, "data": 2, "street": 3, "audit": 4}[slug] in told["undecided"]:
            status, told = node.command("governance", "vote", str(told["proposal"]), "yes", "--as", slug)
            assert status == 0, told
    assert told["outcome"] == "passed"


def ask(stage: Stage, phone: Page, counter: Page) -> None:
    counter.goto("/counter/")
    counter.locator("ul.doors button").first.click()
    counter.wait_for_url("**/counter/requests/*")
    _scan(stage, phone, counter.locator("a[href*='/wallet/#present']").get_attribute("href") or "")


def test_the_phone_follows_rotated_keys_and_refuses_a_suspended_agency(stage: Stage) -> None:
    person: dict[str, Any] = stage.node.greeting["citizens"][0]
    phone = stage.phone().new_page()
    _activate(phone, person["activation_url"])
    for slug in ("psb", "street"):
        voted(stage.node, "agency", "rotate-key", "--as", slug)

    _claim(stage, phone, person["id_number"])
    counter = stage.desk("clerk", "/counter/")
    ask(stage, phone, counter)
    expect(phone.get_by_test_id("matter")).to_have_text("居住证办理")
    phone.get_by_test_id("consent-agree").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    expect(phone.get_by_test_id("present-done")).to_be_visible()
    expect(counter.locator(".verdict-ok")).to_be_visible()

    voted(stage.node, "governance", "propose", "suspend", "agency=street", "--as", "data")
    ask(stage, phone, counter)
    expect(phone.get_by_text("联盟已暂停这个机构")).to_be_visible()
    expect(phone.get_by_test_id("consent-agree")).to_have_count(0)
    picture(phone, "governed-suspended")

    voted(stage.node, "governance", "propose", "reinstate", "agency=street", "--as", "data")
    ask(stage, phone, counter)
    expect(phone.get_by_test_id("matter")).to_have_text("居住证办理")
