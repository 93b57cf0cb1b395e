"""A living node, a phone and desks, in a real Chromium.

The browser ends with its module: while it runs, Playwright's loop occupies this thread, and Django
refuses database work in such a thread.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from demo.node import Node
from tests.journeys.camera import Camera

CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
RESULTS = Path(__file__).resolve().parents[2] / "test-results"
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
WAIT = 20_000


@dataclasses.dataclass
class Stage:
    """The node under test and the browser that visits it."""

    node: Node
    browser: Browser
    camera: Camera

    def phone(self, **options: Any) -> BrowserContext:
        given = {"viewport": PHONE, "device_scale_factor": 2, "is_mobile": True, "has_touch": True, "locale": "zh-CN"}
        return self._context({**given, "permissions": ["camera"], **options})

    def desk(self, username: str, path: str) -> Page:
        """A page of an officer who logged in as people do."""
        desk = {"viewport": DESK, "locale": "zh-CN", "base_url": self.node.desk(username)}
        page = self._context(desk).new_page()
        page.goto(f"/login?next={path}")
        page.locator("input[name=username]").fill(username)
        page.locator("input[name=password]").fill(self.node.greeting["password"])
        page.locator("form[action='/login'] button").click()
        page.wait_for_url(f"**{path}")
        return page

    def _context(self, options: dict[str, Any]) -> BrowserContext:
        context = self.browser.new_context(
            **{"base_url": self.node.base_url, "timezone_id": "Asia/Shanghai", **options}
        )
        context.set_default_timeout(WAIT)
        return context


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("journey")) as running:
        yield running


@pytest.fixture(scope="module")
def stage(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    camera = Camera(tmp_path_factory.mktemp("camera") / "lens.y4m")
    RESULTS.mkdir(exist_ok=True)
    expect.set_options(timeout=WAIT)
    fake = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera.path}",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *fake])
        yield Stage(node, browser, camera)
        for number, page in enumerate(page for context in browser.contexts for page in context.pages):
            picture(page, f"last-{number}")
        browser.close()


def picture(page: Page, name: str) -> None:
    """A screenshot to look at, in test-results/."""
    page.screenshot(path=RESULTS / f"{name}.png")
