"""The phone by itself: a matter begun in its own browser, screens for everybody, looking without a network."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Stage, picture

pytestmark = pytest.mark.browser

PIN = "314159"


@pytest.fixture(scope="module")
def phone(stage: Stage) -> Page:
    """An activated wallet with a resident ID, claimed by link."""
    person = stage.node.greeting["citizens"][0]
    status, offer = stage.node.command("credential", "offer", "--type", "resident-id", "--subject", person["id_number"])
    assert status == 0, offer
    page = stage.phone().new_page()
    page.goto(person["activation_url"])
    page.get_by_test_id("activate-next").click()
    page.get_by_test_id("pin-input").fill(PIN)
    page.get_by_test_id("pin-confirm").fill(PIN)
    page.get_by_test_id("pin-submit").click()
    page.get_by_test_id("activate-done").click()
    page.get_by_test_id("home-scan").wait_for()
    page.goto(offer["wallet_url"])
    page.get_by_test_id("tx-code").fill(offer["tx_code"])
    page.get_by_test_id("offer-accept").click()
    page.get_by_test_id("offer-done").wait_for()
    return page


def test_a_matter_begun_on_the_phone_ends_where_it_began(phone: Page) -> None:
    phone.goto("/matters/residence-permit")
    phone.locator("form[action$='/present'] button").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    expect(phone.get_by_test_id("matter")).to_have_text("居住证办理")
    phone.get_by_test_id("consent-agree").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.wait_for_url("**/matters/residence-permit/done?response_code=*")
    expect(phone.locator(".verdict-ok")).to_be_visible()
    picture(phone, "13-same-device-done")


def test_a_declined_request_sends_nothing(stage: Stage, phone: Page) -> None:
    status, asked = stage.node.command("presentation", "request", "--matter", "residence-permit")
    assert status == 0, asked
    phone.goto(asked["wallet_url"])
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("consent-decline").click()
    expect(phone.get_by_test_id("declined")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("screen", ["home-scan", "tab-scan", "tab-history", "tab-settings", "certificate"])
def test_screens_pass_axe_and_fit_320_px(phone: Page, screen: str, language: str) -> None:
    """WCAG 2.2 AA rules; in both languages, no sideways scrolling on the narrowest phone."""
    phone.set_viewport_size({"width": 320, "height": 640})
    phone.goto("/wallet/")
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("home-scan").wait_for()
    if not phone.evaluate("document.documentElement.lang").startswith(language):
        phone.get_by_test_id("language").click()
    phone.get_by_test_id(screen).first.click()
    phone.get_by_role("progressbar").first.wait_for(state="hidden")
    assert [f"{one['id']} {one['nodes'][0]['html'][:160]}" for one in Axe().run(phone).response["violations"]] == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_certificate_is_shown_without_a_network(phone: Page) -> None:
    phone.goto("/wallet/")
    phone.evaluate("navigator.serviceWorker.ready")
    phone.context.set_offline(True)
    phone.goto("/wallet/")
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("certificate").click()
    phone.get_by_test_id("field-name").click()
    expect(phone.get_by_test_id("field-name")).to_have_attribute("aria-pressed", "true")
    picture(phone, "14-offline")
    phone.context.set_offline(False)
