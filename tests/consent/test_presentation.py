"""The main job at the counter, through public doors."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from consent.models import PresentationRequest, PresentationResponse
from demo.officer import Page
from demo.standard_wallet import RefusedError
from gov_chain import clock
from gov_chain.ledger import node
from gov_chain.ledger.core import receipt as receipts
from tests.consent.hostile import code, consent
from tests.world import PIN, World


def test_claims_open_after_the_use_is_on_the_ledger(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = ana.wallet.consent(desk.wallet_url, PIN)
    assert ana.id_number not in desk.page().text

    ana.wallet.send(kept)
    world.settle()

    page = desk.page()
    assert ana.id_number in page.text
    assert "核验通过" in page.text
    assert "两把锁" in page.text
    assert [kind for kind, _ in ana.wallet.history(kept)] == ["grant", "usage"]


def test_nothing_is_open_before_the_use_is_final(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    ana.wallet.send(ana.wallet.consent(desk.wallet_url, PIN))

    assert ana.id_number not in desk.page().text
    assert PresentationResponse.objects.get().state == "granted"


def test_optional_field_left_out_is_not_shown(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    world.present(ana, desk, leave_out=("ethnicity",))

    page = desk.page()
    assert "核验通过" in page.text
    assert "未出示" in page.text


def test_receipt_download_verifies(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = world.present(ana, desk)

    text = world.officer("clerk").http.get(f"{desk.path}/receipt").text
    proof = receipts.verify(text, world.vkey)
    assert (proof.kind, proof.agency, proof.entry.values["handle"]) == ("usage", 3, kept.handle)


def test_standard_wallet_with_one_lock(world: World) -> None:
    wallet = world.standard_wallet()
    desk = world.ask()
    wallet.present(desk.standard_uri)
    world.settle()

    page = desk.page()
    assert world.people[1][1] in page.text
    assert "一把锁" in page.text


def test_request_without_our_metadata_has_no_transaction_data(world: World) -> None:
    desk = world.ask()
    request = world.standard_wallet().fetch_request(desk.standard_uri)
    assert "transaction_data" not in request.claims


def test_claims_are_wiped_after_ten_minutes_and_a_look_again_is_a_new_use(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = world.present(ana, desk, uses=2)
    PresentationResponse.objects.update(visible_until=clock.now())

    assert ana.id_number not in desk.page().text
    assert PresentationResponse.objects.get().claims_sealed is None

    desk.look_again()
    assert ana.id_number not in desk.page().text
    world.settle()
    assert ana.id_number in desk.page().text
    assert [kind for kind, _ in ana.wallet.history(kept)] == ["grant", "usage", "usage"]


def test_a_request_keeps_the_certificate_it_was_made_with_over_new_year(world: World) -> None:
    """The agency's certificate is renewed each 1 January; answers to the old one, and later looks at them, hold."""
    midnight = dt.datetime(dt.datetime.now(dt.UTC).year + 1, 1, 1, tzinfo=dt.UTC)
    ana, other = world.citizen(), world.standard_wallet()
    with time_machine.travel(midnight - dt.timedelta(minutes=4)):
        node.engine().confirm_clock()
        desk, late, foreign = world.ask(), world.ask(), world.ask()
        world.present(ana, desk, uses=2)
        phone = consent(ana.wallet, late)
        phone.record()
    with time_machine.travel(midnight + dt.timedelta(seconds=30)):
        assert world.ask().standard_uri.split("&")[0] != late.standard_uri.split("&")[0]
        assert phone.send().status_code == 200
        other.present(foreign.standard_uri)
        desk.look_again()
        world.settle()
        assert ana.id_number in late.page().text
        assert world.people[1][1] in foreign.page().text
        assert ana.id_number in desk.page().text


def test_look_again_after_withdrawal_is_refused_in_words(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = world.present(ana, desk, uses=2)
    before = desk.page()
    ana.wallet.withdraw(kept)
    desk.clerk.submit(before.form(action="again"))
    world.settle()

    page = desk.page()
    assert ana.id_number not in page.text
    assert "没有打开：被拒绝" in page.text
    assert "撤回" in page.text
    assert "核对了什么" not in page.text
    assert "登记被拒绝" in page.text
    assert not asks_again(page)
    assert [kind for kind, _ in ana.wallet.history(kept)] == ["grant", "usage", "withdraw"]


def test_a_further_look_is_offered_only_while_the_ledger_would_record_it(world: World) -> None:
    ana = world.citizen()
    once, twice = world.ask(), world.ask()
    world.present(ana, once)
    world.present(ana, twice, uses=2, seconds=200)

    assert not asks_again(once.page())
    assert "使用次数已用完" in once.page().text
    before = twice.page()
    assert asks_again(before)
    with time_machine.travel(clock.now() + 240):
        twice.clerk.submit(before.form(action="again"))
        world.settle()
        page = twice.page()
    assert "没有打开：被拒绝" in page.text
    assert "过期" in page.text
    assert "核对了什么" not in page.text
    assert not asks_again(page)


def test_withdrawal_before_the_use_is_recorded_wins(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = ana.wallet.consent(desk.wallet_url, PIN)
    # The withdrawal reaches the ledger first: both are in the outbox, in this order.
    ana.wallet.withdraw(kept)

    with pytest.raises(RefusedError) as refused:
        ana.wallet.send(kept)
    assert refused.value.code == "grant-withdrawn"
    assert not PresentationResponse.objects.exists()


def test_withdrawal_racing_the_use_leaves_no_claims(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = ana.wallet.consent(desk.wallet_url, PIN)
    ana.wallet.send(kept)
    _withdraw_first(kept.secret)
    world.settle()

    assert ana.id_number not in desk.page().text
    assert PresentationResponse.objects.get().refusal == "grant-withdrawn"
    assert "撤回" in desk.page().text


def test_expired_request_is_refused(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    phone = consent(ana.wallet, desk)
    phone.record()
    with time_machine.travel(clock.now() + 301):
        assert code(phone.send()) == "request-expired"
        assert code(world.http.get(phone.request.claims["response_uri"].replace("responses", "requests"))) == (
            "request-expired"
        )
    assert not PresentationResponse.objects.exists()


def test_declined_is_recorded_as_declined(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    claims = ana.wallet.fetch_our_request(desk.wallet_url).claims
    form = {"error": "access_denied", "state": claims["state"]}
    assert world.http.post(claims["response_uri"], data=form).json() == {}
    assert "市民谢绝" in desk.page().text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("vp_formats_not_supported", "不支持这种证照格式"),
        ("wallet_unavailable", "钱包没有打开"),
        ("something_else", "没有说明原因"),
    ],
)
def test_a_phone_that_cannot_is_no_refusal_by_the_citizen(world: World, error: str, words: str) -> None:
    desk = world.ask()
    claims = world.standard_wallet().fetch_request(desk.standard_uri).claims
    form = {"error": error, "error_description": "张三 110101199003070011", "state": claims["state"]}
    assert world.http.post(claims["response_uri"], data=form).status_code == 200

    page = desk.page().text
    assert "手机未能出示" in page
    assert words in page
    assert "谢绝" not in page
    (row,) = PresentationRequest.objects.values()
    assert row["failure"] == (error if error != "something_else" else "other")
    assert not any("张三" in str(value) for value in row.values())


def test_an_error_inside_the_envelope_counts_like_one_beside_it(world: World) -> None:
    wallet = world.standard_wallet()
    declined, unable, odd = world.ask(), world.ask(), world.ask()
    for desk, error in ((declined, "access_denied"), (unable, "server_error"), (odd, ["x"] * 100)):
        request = wallet.fetch_request(desk.standard_uri)
        wallet.answer(request, {"error": error, "state": request.claims["state"]})
    assert "市民谢绝" in declined.page().text
    assert "钱包出了故障" in unable.page().text
    assert "没有说明原因" in odd.page().text


def test_another_agencys_officer_sees_nothing(world: World) -> None:
    desk = world.ask()
    for username in ("issuer", "home", "auditor"):
        with pytest.raises(RefusedError):
            world.officer(username).open(desk.path)


def asks_again(page: Page) -> bool:
    return any("/again" in form.action for form in page.forms)


def _withdraw_first(secret: bytes) -> None:
    """Put the withdrawal ahead of the waiting usage, as a second node's would arrive."""
    from django.db import transaction

    from gov_chain.ledger import outbox
    from gov_chain.ledger.core import records
    from gov_chain.ledger.models import OutboxRow

    with transaction.atomic():
        late = OutboxRow.objects.get(state="pending")
        outbox.enqueue(agency=2, record=records.withdraw(secret=secret), subject="test.withdraw:1")
        again = OutboxRow(agency=late.agency, record=late.record, subject=late.subject)
        late.delete()
        again.save()
