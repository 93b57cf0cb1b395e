"""More than one phone, and one of them lost: the citizen's own way, and the counter's."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Stage, picture

pytestmark = pytest.mark.browser

PIN = "161803"
NARROW = {"width": 320, "height": 640}


def test_a_lost_phone_ends_and_what_it_agreed_to_is_withdrawn(stage: Stage) -> None:
    person = stage.node.greeting["citizens"][1]
    phone = stage.phone().new_page()
    _activate(phone, person["activation_url"])
    _claim(stage, phone, person["id_number"])
    code = _recovery_code(phone)
    _present(phone)
    second = _add_a_phone(stage, phone)

    _report_lost(stage, code)
    phone.reload()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    expect(phone.locator("[data-code=wallet-unknown], .field-error:not(:empty)").first).to_be_visible()

    _bring_back(second, code)
    _desk(stage, person["id_number"])
    _delete_the_account_of(second)


def _activate(phone: Page, url: str) -> None:
    phone.goto(url)
    phone.get_by_test_id("activate-next").click()
    _finish_activation(phone)


def _finish_activation(phone: Page) -> None:
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-confirm").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("activate-done").click()
    phone.get_by_test_id("home-scan").wait_for()


def _claim(stage: Stage, phone: Page, id_number: str) -> None:
    status, offer = stage.node.command("credential", "offer", "--type", "resident-id", "--subject", id_number)
    assert status == 0, offer
    phone.goto(offer["wallet_url"])
    phone.get_by_test_id("tx-code").fill(offer["tx_code"])
    phone.get_by_test_id("offer-accept").click()
    phone.get_by_test_id("offer-done").wait_for()


def _recovery_code(phone: Page) -> str:
    phone.goto("/wallet/#phones")
    expect(phone.get_by_test_id("phone")).to_have_count(1)
    picture(phone, "20-wallet-phones")
    phone.get_by_test_id("recovery-make").click()
    code = phone.get_by_test_id("recovery-code").inner_text()
    picture(phone, "21-wallet-recovery-code")
    phone.get_by_test_id("recovery-kept").click()
    expect(phone.get_by_test_id("phone")).to_have_count(1)
    return code


def _present(phone: Page) -> None:
    phone.goto("/matters/residence-permit")
    phone.locator("form[action$='/present'] button").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("consent-agree").click()
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.wait_for_url("**/matters/residence-permit/done?response_code=*")


def _add_a_phone(stage: Stage, phone: Page) -> Page:
    phone.goto("/wallet/#phones")
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    phone.get_by_test_id("phone-add").click()
    code = phone.get_by_test_id("phone-code").inner_text()
    second = stage.phone(viewport=NARROW).new_page()
    second.goto("/wallet/")
    second.get_by_test_id("activate-code").fill(code)
    second.get_by_test_id("activate-next").click()
    _finish_activation(second)
    second.goto("/wallet/#phones")
    expect(second.get_by_test_id("phone")).to_have_count(2)
    _fits_and_is_accessible(second)
    second.screenshot(path="test-results/22-wallet-two-phones-320.png", full_page=True)
    return second


def _report_lost(stage: Stage, code: str) -> None:
    """On a borrowed phone without a wallet."""
    borrowed = stage.phone(viewport=NARROW).new_page()
    borrowed.goto("/wallet/")
    borrowed.get_by_test_id("welcome-lost").click()
    borrowed.get_by_test_id("recovery-input").fill("7KQM-3F9T-XW2P-7KQM-3F9T-XW2P")
    borrowed.get_by_test_id("lost-submit").click()
    expect(borrowed.locator("[data-code=recovery-wrong]")).to_be_visible()
    picture(borrowed, "23-wallet-lost-wrong-320")
    borrowed.get_by_test_id("recovery-input").fill(code.lower())
    borrowed.get_by_test_id("lost-submit").click()
    expect(borrowed.get_by_test_id("lost-done")).to_be_visible()
    expect(borrowed.get_by_test_id("lost-grant")).to_have_count(1)
    _fits_and_is_accessible(borrowed)
    picture(borrowed, "24-wallet-lost-grants-320")
    borrowed.get_by_test_id("lost-grant").get_by_role("button").click()
    expect(borrowed.get_by_test_id("lost-withdrawn")).to_be_visible()
    expect(borrowed.get_by_test_id("lost-grant")).to_have_attribute("data-state", "withdrawn")


def _bring_back(second: Page, code: str) -> None:
    """The other phone takes over the lost one's history."""
    second.goto("/wallet/#phones")
    second.locator("summary", has_text="从旧手机找回").click()
    second.get_by_test_id("recovery-input").fill(code)
    second.get_by_test_id("recovery-restore").click()
    expect(second.get_by_test_id("missing")).to_contain_text("居民身份证")
    second.goto("/wallet/#history")
    expect(second.get_by_test_id("history-item")).to_have_attribute("data-state", "withdrawn")


def _delete_the_account_of(phone: Page) -> None:
    phone.goto("/wallet/#account")
    expect(phone.get_by_test_id("account-stays")).to_contain_text("账本")
    _fits_and_is_accessible(phone)
    phone.screenshot(path="test-results/27-wallet-account-320.png", full_page=True)
    phone.get_by_test_id("pin-input").fill(PIN)
    phone.get_by_test_id("pin-submit").click()
    expect(phone.get_by_test_id("account-done")).to_be_visible()
    picture(phone, "28-wallet-account-done-320")


def _desk(stage: Stage, id_number: str) -> None:
    desk = stage.desk("home", "/home/")
    desk.locator("input[name=id_number]").fill(id_number)
    desk.get_by_role("button", name="查找").click()
    desk.get_by_label("当面核对身份证原件与本人").check()
    desk.locator("input[name=checked]").check()
    desk.get_by_role("button", name="核验无误").click()
    expect(desk.locator("[data-phone]")).to_have_count(2)
    desk.screenshot(path="test-results/25-home-desk.png", full_page=True)
    desk.get_by_role("button", name="查看和撤回授权").click()
    expect(desk.locator("[data-grant]")).to_contain_text("居住证办理")
    desk.screenshot(path="test-results/26-home-grants.png", full_page=True)


def _fits_and_is_accessible(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
