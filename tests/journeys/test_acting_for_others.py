"""A mandate by hand: given on one phone, claimed on another, used at a counter, seen by both, withdrawn at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from demo.node import Node
from tests.journeys.conftest import Stage, picture
from tests.journeys.test_lost_phone import NARROW, _activate, _claim, _fits_and_is_accessible

pytestmark = pytest.mark.browser

PIN = "161803"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node of its own: each demo citizen is activated once."""
    with Node(tmp_path_factory.mktemp("acting")) as running:
        yield running


def test_somebody_acts_for_somebody_else(stage: Stage) -> None:
    ana, bai = stage.node.greeting["citizens"][:2]
    principal, agent = stage.phone(viewport=NARROW).new_page(), stage.phone().new_page()
    _activate(principal, bai["activation_url"])
    _activate(agent, ana["activation_url"])
    _claim(stage, agent, ana["id_number"])

    _give(principal, ana)
    _take(principal, agent)
    counter = stage.desk("clerk", "/counter/")
    _present(agent, counter)
    expect(counter.locator("#represented")).to_contain_text(bai["id_number"])
    counter.screenshot(path="test-results/34-counter-represented.png", full_page=True)

    agent.goto("/wallet/#history")
    expect(agent.get_by_test_id("history-principal")).to_be_visible()
    picture(agent, "35-wallet-agent-history")
    principal.goto("/wallet/#history")
    expect(principal.get_by_test_id("history-agent")).to_be_visible()
    expect(principal.get_by_test_id("history-item")).to_have_attribute("data-proof", "complete")
    _fits_and_is_accessible(principal)
    picture(principal, "36-wallet-principal-history-320")

    principal.goto("/wallet/#mandates")
    _fits_and_is_accessible(principal)
    principal.screenshot(path="test-results/37-wallet-mandates-320.png", full_page=True)
    principal.get_by_test_id("mandate-withdraw").click()
    principal.get_by_test_id("mandate-confirm").click()
    expect(principal.get_by_test_id("mandate-ended")).to_be_visible()
    expect(counter.locator(".verdict h2")).to_have_text("市民已撤回授权")
    expect(counter.locator("main")).not_to_contain_text(bai["id_number"])
    _guardian(stage)


def _give(principal: Page, ana: dict[str, str]) -> None:
    principal.goto("/wallet/#mandates")
    principal.get_by_test_id("mandate-new").click()
    principal.get_by_test_id("agent-name").fill(ana["name"])
    principal.get_by_test_id("agent-number").fill(ana["id_number"][:-1] + ("1" if ana["id_number"][-1] != "1" else "2"))
    principal.get_by_test_id("mandate-sign").click()
    expect(principal.get_by_test_id("agent-number")).to_have_attribute("aria-invalid", "true")
    principal.get_by_test_id("agent-number").fill(ana["id_number"])
    _fits_and_is_accessible(principal)
    principal.screenshot(path="test-results/30-wallet-mandate-form-320.png", full_page=True)
    principal.get_by_test_id("mandate-sign").click()
    expect(principal.get_by_test_id("mandate-code")).to_be_visible()
    _fits_and_is_accessible(principal)
    principal.screenshot(path="test-results/31-wallet-mandate-offer-320.png", full_page=True)


def _take(principal: Page, agent: Page) -> None:
    shown = principal.get_by_test_id("mandate-code")
    link, code = shown.get_attribute("data-link") or "", shown.inner_text()
    principal.get_by_test_id("mandate-handed").click()
    agent.goto(link)
    agent.get_by_test_id("tx-code").fill(code)
    agent.get_by_test_id("offer-accept").click()
    agent.get_by_test_id("offer-done").wait_for()
    agent.goto("/wallet/#")
    expect(agent.get_by_test_id("certificate")).to_have_count(2)
    picture(agent, "32-wallet-agent-cards")


def _present(agent: Page, counter: Page) -> None:
    counter.locator("ul.doors button").first.click()
    counter.wait_for_url("**/counter/requests/*")
    agent.goto(counter.locator("a[href*='/wallet/#present']").get_attribute("href") or "")
    agent.get_by_test_id("for-0").wait_for(state="attached")
    expect(agent.get_by_test_id("for-0")).to_be_checked()
    agent.get_by_test_id("for-1").check(force=True)
    agent.screenshot(path="test-results/33-wallet-consent-for.png", full_page=True)
    agent.get_by_test_id("consent-agree").click()
    expect(agent.get_by_test_id("acting-for")).to_be_visible()
    agent.get_by_test_id("pin-input").fill(PIN)
    agent.get_by_test_id("pin-submit").click()
    expect(agent.get_by_test_id("present-done")).to_be_visible()
    expect(counter.locator(".verdict-ok")).to_be_visible()


def _guardian(stage: Stage) -> None:
    desk = stage.desk("issuer", "/issuing/mandates/")
    desk.screenshot(path="test-results/38-issuing-mandates.png", full_page=True)
    expect(desk.locator("select[name=type] option")).to_have_count(1)
