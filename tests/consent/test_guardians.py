"""Guardians and legal representatives: made at the issuing desk from papers an officer has seen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from certificates import mandates
from certificates.models import Mandate
from demo.officer import Form, Page
from demo.standard_wallet import RefusedError
from tests.consent.test_refusals import nothing_written
from tests.world import PIN, Citizen, World

CHILD = ("云小舟", "11000020150101001X")
ENTERPRISE = ("云州虚构商贸有限公司", "91110000600037341L")


def register(world: World, kind: str, principal: tuple[str, str], agent: Citizen, **changes: str) -> Page:
    officer = world.officer("issuer" if kind == "guardianship" else "registrar")
    form = officer.open("/issuing/mandates/").form(action="/make")
    until = (mandates.today() + dt.timedelta(days=90)).isoformat()
    people = {
        "principal_name": principal[0],
        "principal_number": principal[1],
        "agent_name": agent.name,
        "agent_number": agent.id_number,
    }
    form.fields.update({"type": kind, "until": until, "checked": "on"} | people | changes)
    return officer.submit(form)


def claim(agent: Citizen, page: Page) -> Any:
    return agent.wallet.claim(page.uri("/wallet/#offer"), page.data["data-tx-code"][0])


def test_a_guardian_acts_for_a_child_until_the_officer_withdraws(world: World) -> None:
    ana = world.citizen()
    held = claim(ana, register(world, "guardianship", CHILD, ana))
    desk = world.ask()
    kept = world.present(ana, desk, acting_by=held)
    page = desk.page().text
    assert "监护人" in page
    assert CHILD[0] in page

    officer = world.officer("issuer")
    mandate = Mandate.objects.get()
    form = officer.open("/issuing/mandates/").form(action="/withdraw")
    assert str(mandate.pk) in form.action
    officer.submit(form)
    assert world.reader.grant(kept.handle).withdrawn
    assert CHILD[0] not in desk.page().text
    with nothing_written(world), pytest.raises(RefusedError, match="mandate-withdrawn"):
        ana.wallet.consent(world.ask().wallet_url, PIN, acting_by=held)


def test_a_legal_representative_is_not_admitted_where_the_matter_does_not_say_so(world: World) -> None:
    ana = world.citizen()
    held = claim(ana, register(world, "legal-representative", ENTERPRISE, ana))
    assert held.fields()["principal_number"] == ENTERPRISE[1]
    with nothing_written(world), pytest.raises(RefusedError, match="mandate-not-admitted"):
        ana.wallet.consent(world.ask().wallet_url, PIN, acting_by=held)


@pytest.mark.parametrize(
    "changes",
    [
        {"principal_number": "110000201501010018"},
        {"principal_name": " "},
        {"agent_number": "1"},
        {"until": "2020-01-01"},
        {"type": "legal-representative"},
        {"type": "resident-id"},
        {"checked": ""},
    ],
)
def test_what_is_not_in_order_registers_nothing(world: World, changes: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        register(world, "guardianship", CHILD, world.citizen(claimed=False), **changes)
    assert not Mandate.objects.exists()


def test_another_agencys_officer_neither_registers_nor_withdraws(world: World) -> None:
    ana = world.citizen(claimed=False)
    register(world, "guardianship", CHILD, ana)
    registrar = world.officer("registrar")
    form = registrar.open("/issuing/mandates/").form(action="/make")
    form.fields.update({"type": "guardianship", "checked": "on", "until": mandates.today().isoformat()})
    with pytest.raises(RefusedError):
        registrar.submit(form)
    withdraw = form.action.replace("make", f"{Mandate.objects.get().pk}/withdraw")
    kept = {"csrfmiddlewaretoken": form.fields["csrfmiddlewaretoken"]}
    with pytest.raises(RefusedError, match="404"):
        registrar.submit(Form(withdraw, "post", kept))
    assert Mandate.objects.get().state == "live"
