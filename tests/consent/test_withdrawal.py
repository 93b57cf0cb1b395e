"""Withdrawing closes what is open, at every agency that holds something of it."""

from __future__ import annotations

import pytest

from consent.actions.close_withdrawn import close_withdrawn
from consent.models import Grant, PresentationResponse
from gov_chain.core.codec import b64url
from gov_chain.ledger import delivery
from identity import peers
from identity.errors import IdentityError
from tests.consent.hostile import consent
from tests.consent.test_release import refused
from tests.world import World


def test_the_open_page_closes_when_the_citizen_withdraws(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = world.present(ana, desk)
    assert ana.id_number in desk.page().text

    ana.wallet.withdraw(kept)

    # Before anyone looks: the relay told the asker and the recorder.
    assert PresentationResponse.objects.get().claims_sealed is None
    assert Grant.objects.get().one_time_key_sealed is None
    page = desk.page().text
    assert "市民已撤回授权" in page
    assert ana.id_number not in page
    assert "核验通过" not in page
    assert "核对了什么" not in page


def test_a_node_that_was_told_nothing_reads_it_on_the_ledger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, bai = world.citizen(0), world.citizen(1)
    desk, other = world.ask(), world.ask()
    kept = world.present(ana, desk)
    world.present(bai, other)
    with monkeypatch.context() as patch:
        patch.delitem(delivery._listeners, "ledger.withdrawal")  # as where another node carried the withdrawal
        ana.wallet.withdraw(kept)
    assert PresentationResponse.objects.exclude(claims_sealed=None).count() == 2

    assert "市民已撤回授权" in desk.page().text
    assert ana.id_number not in desk.page().text
    assert bai.id_number in other.page().text
    assert close_withdrawn() == 0


def test_a_use_recorded_before_the_withdrawal_opens_nothing_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, desk := world.ask())
    phone.record()
    phone.send()
    with monkeypatch.context() as patch:
        patch.setattr(peers, "call", _unreachable)
        world.settle()
    index = PresentationResponse.objects.get().usages.get().index
    world.http.post("/ledger/withdrawals", json={"secret": b64url(phone.secret)})

    assert refused(phone, desk, usage_index=index) == "grant-withdrawn"
    delivery.forget_leases()
    world.settle()
    response = PresentationResponse.objects.get()
    assert (response.state, response.refusal) == ("refused", "grant-withdrawn")
    assert ana.id_number not in desk.page().text


def _unreachable(*, to: object, **_: object) -> None:
    raise IdentityError("peer-unreachable", name="")
