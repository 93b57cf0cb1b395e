"""The citizen's guide, and the same-device way from it to the wallet and back."""

from __future__ import annotations

import httpx
import pytest

from consent import pages
from consent.models import PresentationRequest
from demo.officer import Page
from identity import throttle
from tests.consent.hostile import code, consent
from tests.world import BASE_URL, Desk, World


def start(world: World, browser: httpx.Client) -> str:
    """Press the button of the guide; the wallet link it leads to."""
    page = Page(f"{BASE_URL}/matters/residence-permit", browser.get("/matters/residence-permit").text)
    form = page.form(action="present")
    answer = browser.post(form.action, data=form.fields, follow_redirects=False)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_guide_says_what_why_and_the_way_without_a_phone(world: World) -> None:
    text = world.client().get("/matters/residence-permit").text
    for words in ("居住证办理", "第九条", "公民身份号码", "可不出示", "30 天", "携带居民身份证原件", "用手机钱包出示"):
        assert words in text
    assert "居住证办理" in world.client().get("/matters/").text
    assert world.client().get("/matters/nothing").status_code == 404


def test_only_the_browser_that_started_sees_the_outcome(world: World) -> None:
    browser, stranger = world.client(), world.client()
    ana = world.citizen()
    phone = consent(ana.wallet, Desk(world.officer("clerk"), "", start(world, browser), ""))
    phone.record()
    back = phone.send().json()["redirect_uri"]
    assert "正在登记" in browser.get(back).text
    world.settle()

    shown = browser.get(back)
    assert "核验通过" in shown.text
    assert ana.id_number not in shown.text
    assert stranger.get(back).status_code == 404
    start(world, stranger)  # also with a session of their own
    assert code(stranger.get(back)) == "request-unknown"
    assert browser.get("/matters/residence-permit/done?response_code=other").status_code == 404


def test_another_makers_wallet_is_opened_by_the_standard_link(world: World) -> None:
    browser, stranger = world.client(), world.client()
    wallet = world.standard_wallet()
    page = Page(f"{BASE_URL}/matters/residence-permit", browser.get("/matters/residence-permit").text)
    form = page.form(action="present/other")
    shown = browser.post(form.action, data=form.fields)
    link = Page(str(shown.url), shown.text).uri("openid4vp://")
    assert stranger.get(str(shown.url)).status_code == 404

    back = wallet.present(link)["redirect_uri"]
    world.settle()
    assert "核验通过" in browser.get(back).text
    assert world.people[1][1] not in browser.get(back).text
    assert stranger.get(back).status_code == 404
    # The page the browser was left on leads there too, and no longer to the wallet.
    left = Page(str(shown.url), browser.get(str(shown.url)).text)
    assert left.uri("/done?response_code=") == back
    assert "openid4vp://" not in " ".join(left.links)


def test_requests_from_one_address_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PRESENT", throttle.Limit("present", tries=2, seconds=300))
    browser = world.client()
    for _ in range(2):
        start(world, browser)
    page = Page(f"{BASE_URL}/matters/residence-permit", browser.get("/matters/residence-permit").text)
    form = page.form(action="present")
    answer = browser.post(form.action, data=form.fields, headers={"Accept": "text/html"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "300"
    assert "请 5 分钟后再试" in answer.text
    assert PresentationRequest.objects.count() == 2


def test_declining_leads_back_too(world: World) -> None:
    browser = world.client()
    request = world.citizen().wallet.fetch_our_request(start(world, browser))
    form = {"error": "access_denied", "state": request.claims["state"]}
    back = world.http.post(request.claims["response_uri"], data=form).json()["redirect_uri"]
    assert "您没有出示" in browser.get(back).text
