"""What every screen owes everybody: WCAG 2.2 AA by axe, no sideways scrolling at 320 px, in both languages."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.conftest import Stage

pytestmark = pytest.mark.browser

PUBLIC = ("/", "/login", "/matters/", "/matters/residence-permit", "/wallet/")
DESKS = (("issuer", "/issuing/"), ("clerk", "/counter/"), ("home", "/home/"), ("auditor", "/audit/"))
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def problems(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    told = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        told.append("scrolls sideways")
    return told


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("path", PUBLIC)
def test_public_screens(stage: Stage, path: str, language: str) -> None:
    page = stage.phone(viewport={"width": 320, "height": 640}).new_page()
    page.goto(f"/language?to={language}&next={path}")
    page.locator("h1").first.wait_for()
    assert problems(page) == []


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(("username", "path"), DESKS)
def test_desks(stage: Stage, username: str, path: str, language: str) -> None:
    page = stage.desk(username, path)
    page.goto(f"/language?to={language}&next={path}")
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator("h1").first.wait_for()
    assert problems(page) == []


def test_nothing_on_the_landing_page_is_refused_by_its_own_policy(stage: Stage) -> None:
    page = stage.phone().new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto("/")
    page.goto("/wallet/")
    page.locator("h1").first.wait_for()
    assert said == []
