"""The explorer's proof, checked where it counts: in the reader's own browser."""

import re

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.world import World

pytestmark = pytest.mark.browser


def verdict(page: Page) -> str:
    page.wait_for_selector("[data-verdict][data-result]")
    return page.get_attribute("[data-verdict]", "data-result") or ""


def marks(page: Page) -> list[str]:
    return page.eval_on_selector_all("[data-checks] > li", "all => all.map((one) => one.className)")


def test_the_browser_checks_the_proof_and_says_where_a_false_one_fails(world: World, live_server) -> None:
    address = f"{live_server.url}/explorer/entries/4"
    root = world.reader.head()[1].root.hex()

    def altered(find: str, replacement: str):
        """The page with its receipt or its own words changed on the way."""

        def handle(route):
            answer = route.fetch()
            text = answer.text()
            assert find in text
            route.fulfill(response=answer, body=text.replace(find, replacement))

        return handle

    extra = world.reader.receipt(4).split("\n")[1]
    forged = extra[:-8] + ("A" if extra[-8] != "A" else "B") + extra[-7:]
    index = 'id="proof" data-index="4"'
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        assert verdict(page) == "ok"
        assert marks(page) == ["pass"] * 4
        assert root[:12] in (page.text_content(".climb-root") or "")

        page.fill("#vkey", "ledger.yunzhou.example+00000000+AAAA")
        assert page.get_attribute("[data-verdict]", "data-result") == "bad"
        assert marks(page) == ["pass", "fail", "na", "na"]

        page.route(address, altered(extra, forged))
        page.goto(address)
        assert verdict(page) == "bad"
        assert marks(page)[2] == "fail"
        page.unroute(address)

        page.route(address, altered(index, index.replace("4", "5")))
        page.goto(address)
        assert verdict(page) == "bad"
        assert marks(page) == ["pass", "pass", "pass", "fail"]
        browser.close()


def test_new_entries_appear_by_themselves(world: World, live_server) -> None:
    size = world.reader.size
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()

        def older(route):
            """The page as it was some entries ago: what it then asks for must bring it up to date."""
            answer = route.fetch()
            route.fulfill(response=answer, body=re.sub(r"latest\?size=\d+", "latest?size=1", answer.text()))

        page.route(f"{live_server.url}/explorer/", older)
        page.goto(f"{live_server.url}/explorer/")
        page.wait_for_selector(f"#now[hx-get='/explorer/latest?size={size}']", timeout=15_000)
        browser.close()
