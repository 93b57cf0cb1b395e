"""A lost phone: at the counter its grants are listed and withdrawn, after a real-name check and never otherwise."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from consent.models import Grant, PresentationResponse
from demo.officer import Form, Page
from demo.standard_wallet import RefusedError
from tests.consent.hostile import consent
from tests.consent.test_refusals import code, nothing_written
from tests.world import PIN, Citizen, World


class HomeDesk:
    """The home officer has found and checked the citizen; `post` acts on what the check allows."""

    def __init__(self, world: World, citizen: Citizen) -> None:
        self.officer = world.officer("home")
        found = self.officer.submit(self.officer.open("/home/").form(action="/home/"), id_number=citizen.id_number)
        check = found.form(action="/check")
        check.fields.update(check="in-person", checked="on")
        self.page = self.officer.submit(check)
        self.fields = self.page.form(holding="statement").fields
        self.path = urlsplit(check.action).path.removesuffix("check")

    def post(self, act: str, **data: str) -> Page:
        kept = {name: self.fields[name] for name in ("csrfmiddlewaretoken", "statement")}
        return self.officer.submit(Form(self.path + act, "post", kept | data))


def test_the_desk_lists_date_agency_and_matter_and_nothing_shown(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    page = HomeDesk(world, ana).post("grants/")
    assert "居住证办理" in page.text
    assert "云州市青石街道政务服务中心" in page.text
    assert ana.wallet.certificates[-1].fields()["address"] not in page.text


def test_one_grant_is_withdrawn_and_the_other_stands(world: World) -> None:
    ana = world.citizen()
    first = world.present(ana, desk := world.ask())
    second = world.present(ana, world.ask())
    pk = str(Grant.objects.get(handle=first.handle).pk)
    page = HomeDesk(world, ana).post("grants/withdraw", grant=pk)
    assert "已撤回 1 条授权" in page.text
    assert world.reader.grant(first.handle).withdrawn
    assert not world.reader.grant(second.handle).withdrawn
    assert "市民已撤回授权" in desk.page().text


def test_all_grants_are_withdrawn_and_what_was_open_closes(world: World) -> None:
    ana, bai = world.citizen(0), world.citizen(1)
    mine = [world.present(ana, world.ask()) for _ in range(2)]
    hers = world.present(bai, world.ask())
    home = HomeDesk(world, ana)
    page = home.post("grants/withdraw", grant="all")
    assert "已撤回 2 条授权" in page.text
    assert all(world.reader.grant(kept.handle).withdrawn for kept in mine)
    assert not world.reader.grant(hers.handle).withdrawn
    assert PresentationResponse.objects.exclude(claims_sealed=None).count() == 1
    assert "已撤回 0 条授权" in home.post("grants/withdraw", grant="all").text


def test_another_citizens_grant_is_not_withdrawn(world: World) -> None:
    ana, bai = world.citizen(0), world.citizen(1)
    hers = world.present(bai, world.ask())
    home = HomeDesk(world, ana)
    for grant in (str(Grant.objects.get(handle=hers.handle).pk), "-1", "", "x", "9" * 30):
        with nothing_written(world), pytest.raises(RefusedError, match="404"):
            home.post("grants/withdraw", grant=grant)


def test_nothing_is_listed_or_withdrawn_without_the_statement(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    home = HomeDesk(world, ana)
    for act in ("grants/", "grants/withdraw"):
        with nothing_written(world), pytest.raises(RefusedError, match="403"):
            home.post(act, statement="", grant="all")


def test_the_phone_that_was_reported_lost_records_nothing_more(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    headers = {"Authorization": f"Bearer {ana.wallet.unlock(PIN)}"}
    HomeDesk(world, ana).post("lost", phone=ana.wallet.wallet_id)
    with nothing_written(world):
        answer = ana.wallet.http.post(f"{ana.wallet.home}/grants", json=phone.signed(), headers=headers)
        assert code(answer) == "session-missing"


@pytest.mark.parametrize("change", [{"holder_salt": ""}, {"holder_salt": "A" * 22}, {"secret": "A" * 43}])
def test_a_holder_key_counts_for_the_phone_it_was_made_on(world: World, change: dict[str, Any]) -> None:
    phone = consent(world.citizen().wallet, world.ask())
    with nothing_written(world):
        refusal = code(phone.record(phone.signed() | change))
        assert refusal == ("consent-malformed" if "secret" in change else "holder-mismatch")


def test_two_certificates_of_one_phone_share_no_key_and_no_binding(world: World) -> None:
    ana = world.citizen()
    world.claim(ana)
    one, other = (held.claims for held in ana.wallet.certificates)
    assert one["cnf"] != other["cnf"]
    assert one["holder_binding"] != other["holder_binding"]
    assert ana.wallet.key.jwk not in (one["cnf"]["jwk"], other["cnf"]["jwk"])
