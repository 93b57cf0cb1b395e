"""What only a browser can tell: pages obey their policy, fit a phone, and pass axe (WCAG 2.2 AA rules)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from identity.seed import PASSWORD

pytestmark = pytest.mark.browser

PAGES = [
    (None, ["/", "/login", "/nowhere", "/styleguide", "/matters/", "/matters/residence-permit"]),
    (None, ["/explorer/", "/explorer/entries/0", "/explorer/entries/4", "/explorer/who", "/explorer/find?q=nothing"]),
    ("issuer", ["/issuing/"]),
    ("clerk", ["/counter/"]),
    ("auditor", ["/audit/"]),
    ("home", ["/home/", "/ledger-console/"]),
]


@pytest.mark.parametrize(("officer", "paths"), PAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_pages_are_accessible_fit_a_phone_and_break_no_policy(world, live_server, officer, paths):
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 320, "height": 700})
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        if officer:
            page.goto(f"{live_server.url}/login")
            page.fill("[name=username]", officer)
            page.fill("[name=password]", PASSWORD)
            page.click("form[action='/login'] button")
            page.wait_for_url(lambda url: not url.endswith("/login"))
        for path in paths:
            for language in ("zh-hans", "en"):
                page.goto(f"{live_server.url}/language?to={language}&next={path}")
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > 320:
                    complaints.append(f"{path} {language}: {width} px wide")
                for found in Axe().run(page).response["violations"]:
                    complaints.append(f"{path} {language}: {found['id']} {found['nodes'][0]['html'][:200]}")
        browser.close()
    assert complaints == []
