"""An answer of a wallet of another make, whose issuer cannot be reached for a while."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import time_machine

from consent.models import Grant, PresentationResponse
from demo.officer import Officer
from gov_chain import clock
from gov_chain.ledger import node
from identity import peers
from identity.errors import IdentityError
from identity.seed import PASSWORD
from tests.world import BASE_URL, Desk, World

DAY = 86400


def answered_out_of_reach(world: World, monkeypatch: pytest.MonkeyPatch) -> Desk:
    wallet = world.standard_wallet()
    desk = world.ask()
    with monkeypatch.context() as patch:
        patch.setattr(peers, "call", _unreachable)
        wallet.present(desk.standard_uri)
    return desk


def again(world: World, desk: Desk) -> str:
    page = desk.page()
    assert "联系不上发证机关" in page.text
    desk.clerk.submit(page.form(action="again"))
    world.settle()
    return desk.page().text


def test_the_officer_tries_again_hours_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = answered_out_of_reach(world, monkeypatch)
    with time_machine.travel(clock.now() + 5 * 3600):
        node.engine().confirm_clock()
        later = Officer(BASE_URL, "clerk", PASSWORD, http=world.client())  # the session of before has ended
        text = again(world, dataclasses.replace(desk, clerk=later))
    assert world.people[1][1] in text
    assert "核验通过" in text


def test_after_a_day_the_issuer_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = answered_out_of_reach(world, monkeypatch)
    with time_machine.travel(clock.now() + DAY + 60):
        next_day = Officer(BASE_URL, "clerk", PASSWORD, http=world.client())
        desk = dataclasses.replace(desk, clerk=next_day)
        assert "没有打开：被拒绝" in again(world, desk)
    assert PresentationResponse.objects.get().refusal == "consent-stale"
    assert not Grant.objects.exists()


@pytest.mark.parametrize("claimed", [-3600, 3600])
def test_a_signature_that_was_not_fresh_when_received_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, claimed: int
) -> None:
    desk = answered_out_of_reach(world, monkeypatch)
    PresentationResponse.objects.update(received_at=clock.now() + claimed)
    assert "没有打开：被拒绝" in again(world, desk)
    assert PresentationResponse.objects.get().refusal == "consent-stale"
    assert not Grant.objects.exists()


def _unreachable(*, to: Any, **_: Any) -> Any:
    raise IdentityError("peer-unreachable", name=to.name_zh)
