"""The main job by hand: an issuer, a citizen's phone, a counter and an auditor, each in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Stage, picture

pytestmark = pytest.mark.browser

PIN = "271828"


def test_a_certificate_is_issued_claimed_presented_seen_and_withdrawn(stage: Stage) -> None:
    person = stage.node.greeting["citizens"][2]
    phone = stage.phone().new_page()

    _activate(phone, person["activation_url"])
    _claim(stage, phone, person["id_number"])
    counter = stage.desk("clerk", "/counter/")
    _present(stage, phone, counter)

    expect(counter.locator(".verdict-ok")).to_be_visible()
    expect(counter.locator("dl.facts").first).to_contain_text(person["id_number"])
    expect(counter.locator("dd.blank")).to_have_count(1)
    picture(counter, "08-counter-opened")

    _history(phone)
    _audit(stage)
    _withdraw(phone)
    _the_counter_closes(counter, person["id_number"])


def _activate(phone: Page, url: str) -> None:
    phone.goto(url)
    picture(phone, "01-wallet-welcome")
    phone.get_by_test_id("activate-next").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-confirm").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("activate-done").click()
    expect(phone.get_by_test_id("home-scan")).to_be_visible()
    picture(phone, "02-wallet-empty")


def _claim(stage: Stage, phone: Page, id_number: str) -> None:
    issuer = stage.desk("issuer", "/issuing/")
    issuer.locator("#q").fill(id_number)
    issuer.locator("form", has=issuer.locator("#q")).get_by_role("button").click()
    issuer.locator("#found form button").click()
    tx_code = issuer.locator("[data-tx-code]").get_attribute("data-tx-code") or ""
    offer = issuer.locator("[data-copy^='openid-credential-offer:']").get_attribute("data-copy") or ""
    picture(issuer, "03-issuer-offer")

    _scan(stage, phone, offer)
    phone.get_by_test_id("tx-code").fill("000000" if tx_code != "000000" else "111111")
    phone.get_by_test_id("offer-accept").click()
    expect(phone.get_by_test_id("tx-code")).to_have_attribute("aria-invalid", "true")
    picture(phone, "04-wallet-wrong-code")
    phone.get_by_test_id("tx-code").fill(tx_code)
    phone.get_by_test_id("offer-accept").click()
    expect(phone.get_by_test_id("offer-done")).to_be_visible()
    phone.get_by_test_id("offer-view").click()
    expect(phone.get_by_test_id("anchor-ok")).to_be_visible()
    picture(phone, "05-wallet-certificate")
    # The issuing desk heard of it without being reloaded.
    expect(issuer.locator("#offer-state .banner-ok")).to_be_visible()


def _present(stage: Stage, phone: Page, counter: Page) -> None:
    counter.locator("ul.doors button").first.click()
    counter.wait_for_url("**/counter/requests/*")
    link = counter.locator("a[href*='/wallet/#present']").get_attribute("href") or ""
    picture(counter, "06-counter-request")
    _scan(stage, phone, link)
    expect(phone.get_by_test_id("matter")).to_have_text("居住证办理")
    expect(phone.get_by_test_id("field-ethnicity")).not_to_be_checked()
    expect(phone.get_by_test_id("uses-1")).to_be_checked()
    phone.screenshot(path="test-results/07-wallet-consent.png", full_page=True)
    phone.get_by_test_id("consent-agree").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    expect(phone.get_by_test_id("present-done")).to_be_visible()


def _history(phone: Page) -> None:
    phone.goto("/wallet/#history")
    expect(phone.get_by_test_id("event-usage")).to_be_visible()
    expect(phone.get_by_test_id("receipt-ok")).to_have_count(2)
    expect(phone.get_by_test_id("receipt-wrong")).to_have_count(0)
    picture(phone, "09-wallet-history")


def _audit(stage: Stage) -> None:
    auditor = stage.desk("auditor", "/audit/")
    row = auditor.locator("tr[data-kind=usage]").first
    row.locator("[data-verify]").click()
    expect(row.locator(".pill-ok")).to_be_visible()
    picture(auditor, "10-auditor")


def _withdraw(phone: Page) -> None:
    """The one use agreed to is spent; what it opened can still be closed."""
    expect(phone.get_by_test_id("history-item")).to_have_attribute("data-state", "spent")
    phone.get_by_test_id("withdraw").click()
    phone.get_by_test_id("withdraw-confirm").click()
    expect(phone.get_by_test_id("withdraw-done")).to_be_visible()
    expect(phone.get_by_test_id("history-item")).to_have_attribute("data-state", "withdrawn")
    picture(phone, "11-wallet-withdrawn")


def _the_counter_closes(counter: Page, id_number: str) -> None:
    """Nobody touched the page: it heard of the withdrawal."""
    expect(counter.locator(".verdict h2")).to_have_text("市民已撤回授权")
    expect(counter.locator("main")).not_to_contain_text(re.compile(id_number))
    expect(counter.locator("form[action$='/again']")).to_have_count(0)
    picture(counter, "12-counter-closed")


def _scan(stage: Stage, phone: Page, text: str) -> None:
    """Hold `text` before the camera and scan it."""
    stage.camera.point_at(text)
    phone.goto("/wallet/#scan")
    phone.get_by_test_id("scan-start").click()
