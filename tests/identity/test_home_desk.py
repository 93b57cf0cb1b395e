"""The home officer's desk: the real-name check first, then codes, unlocking, lost phones."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from identity import assurance
from identity.core.assurance import Level, NotVerifiedError, Subject
from identity.errors import IdentityError
from identity.models import Agency, Citizen, Officer, OfficerRole, Wallet
from identity.seed import PASSWORD, SeededIdentity
from tests.identity.actors import Phone

PAGE = {"accept": "text/html"}
CHECKED = {"check": "in-person", "checked": "on"}


@pytest.fixture
def citizen(seeded: SeededIdentity) -> Citizen:
    return seeded.citizens[0].citizen


def post(client: Client, citizen: Citizen, act: str, **data: str) -> Any:
    return client.post(f"/home/{citizen.id}/{act}", data, headers=PAGE)


def checked(client: Client, citizen: Citizen, **data: str) -> dict[str, str]:
    """The statement a real-name check gives, as the forms carry it."""
    return {"statement": post(client, citizen, "check", **CHECKED, **data).context["statement"]}


def test_a_code_from_the_desk_activates_a_phone_at_the_checks_level(home_officer: Client, citizen: Citizen) -> None:
    answer = post(home_officer, citizen, "activate", **checked(home_officer, citizen))
    assert answer.context["issued"].code in answer.content.decode()
    activated = Phone().activate(answer.context["issued"].code)
    assert activated.status_code == 201
    assert activated.json()["assurance"]["level"] == Level.HIGH
    wallet = Wallet.objects.get()
    assert (wallet.assurance_level, wallet.check_id) == (3, "in-person")


def test_a_new_code_ends_the_one_before(seeded: SeededIdentity, home_officer: Client, citizen: Citizen) -> None:
    post(home_officer, citizen, "activate", **checked(home_officer, citizen))
    assert Phone().activate(seeded.citizens[0].code).status_code == 403


def test_a_code_for_one_more_phone_leaves_the_others(home_officer: Client, citizen: Citizen, phone: Phone) -> None:
    answer = post(home_officer, citizen, "activate", adds="yes", **checked(home_officer, citizen))
    assert Phone().activate(answer.context["issued"].code).status_code == 201
    assert phone.unlock().status_code == 200


@pytest.mark.parametrize("data", [{}, {"check": "in-person"}, {"checked": "on"}, {"check": "word", "checked": "on"}])
def test_no_statement_without_a_check(home_officer: Client, citizen: Citizen, data: dict[str, str]) -> None:
    answer = post(home_officer, citizen, "check", **data)
    assert answer.status_code == 400
    assert answer.context["statement"] is None


@pytest.mark.parametrize("act", ["activate", "restore", "lost", "close"])
def test_nothing_is_done_without_a_statement(home_officer: Client, phone: Phone, citizen: Citizen, act: str) -> None:
    for statement in ("", "x", "x:y:z"):
        answer = post(home_officer, citizen, act, statement=statement, phone=phone.wallet_id)
        assert answer.status_code == 403
    assert phone.unlock().status_code == 200


def test_a_statement_is_about_one_person(home_officer: Client, seeded: SeededIdentity) -> None:
    one, other = (each.citizen for each in seeded.citizens[:2])
    assert post(home_officer, other, "activate", **checked(home_officer, one)).status_code == 403


def test_a_statement_is_one_officers(home_officer: Client, citizen: Citizen) -> None:
    colleague = Officer.objects.create_user(
        "home2", password=PASSWORD, agency=Agency.objects.get(slug="data"), display_name="同事"
    )
    OfficerRole.objects.create(officer=colleague, role="agency-admin")
    other = Client()
    other.force_login(colleague)
    assert post(other, citizen, "activate", **checked(home_officer, citizen)).status_code == 403


def test_a_statement_ends_after_a_quarter_of_an_hour(home_officer: Client, citizen: Citizen) -> None:
    statement = checked(home_officer, citizen)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=16)):
        assert post(home_officer, citizen, "activate", **statement).status_code == 403


def test_the_desk_unlocks_a_wallet(home_officer: Client, phone: Phone, citizen: Citizen) -> None:
    for _ in range(5):
        phone.unlock("730158")
    post(home_officer, citizen, "restore", phone=phone.wallet_id, **checked(home_officer, citizen))
    assert phone.unlock().status_code == 200


@pytest.mark.parametrize(("act", "ended_as"), [("lost", "lost"), ("close", "closed")])
def test_the_desk_ends_a_phone(home_officer: Client, phone: Phone, citizen: Citizen, act: str, ended_as: str) -> None:
    answer = post(home_officer, citizen, act, phone=phone.wallet_id, **checked(home_officer, citizen))
    assert answer.status_code == 200
    assert phone.unlock().json()["code"] == "wallet-unknown"
    assert Wallet.objects.get().ended_as == ended_as


@pytest.mark.parametrize("phone_id", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_phone_that_is_not_there_is_not_ended(home_officer: Client, citizen: Citizen, phone_id: str) -> None:
    assert post(home_officer, citizen, "lost", phone=phone_id, **checked(home_officer, citizen)).status_code == 404


def test_the_desk_ends_no_other_citizens_phone(home_officer: Client, phone: Phone, seeded: SeededIdentity) -> None:
    other = seeded.citizens[1].citizen
    answer = post(home_officer, other, "lost", phone=phone.wallet_id, **checked(home_officer, other))
    assert answer.status_code == 404
    assert phone.unlock().status_code == 200


def test_another_home_agencys_citizen_is_out_of_reach(home_officer: Client, phone: Phone, citizen: Citizen) -> None:
    statement = checked(home_officer, citizen)
    Citizen.objects.filter(pk=citizen.pk).update(home=Agency.objects.get(slug="psb"))
    for act in ("check", "activate", "restore", "lost"):
        assert post(home_officer, citizen, act, phone=phone.wallet_id, **CHECKED, **statement).status_code == 404
    assert Wallet.objects.get().revoked_at is None


def test_the_demonstration_check_says_that_it_is_one(home_officer: Client, citizen: Citizen) -> None:
    page = post(home_officer, citizen, "check").content.decode()
    assert "演示：模拟远程人脸比对（未作任何核验）" in page


def test_production_refuses_the_demonstration_check(home_officer: Client, citizen: Citizen, settings: Settings) -> None:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, name="production")
    assert [check.id for check in assurance.available()] == ["in-person"]
    with pytest.raises(IdentityError, match="check-demonstration"):
        assurance.verify(check="demo-face", citizen=citizen, evidence={})
    answer = post(home_officer, citizen, "check", check="demo-face", checked="on")
    assert answer.status_code == 400
    assert answer.context["statement"] is None


class BankCheck:
    """A check as another app would bring it: it believes one transaction."""

    id = "bank"
    words = ("银行核验", "Bank check")
    level = Level.SUBSTANTIAL
    demonstration = False

    def verify(self, subject: Subject, evidence: Any) -> None:
        if evidence.get("transaction") != f"paid-by-{subject.id_number}":
            raise NotVerifiedError("another payer")


def test_a_check_plugs_in(citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assurance, "_checks", dict(assurance._checks))
    assurance.register(BankCheck())
    evidence = {"transaction": f"paid-by-{citizen.id_number}"}
    assert assurance.verify(check="bank", citizen=citizen, evidence=evidence).level == Level.SUBSTANTIAL
    with pytest.raises(IdentityError, match="check-failed"):
        assurance.verify(check="bank", citizen=citizen, evidence={})


def test_a_level_can_be_demanded(phone: Phone) -> None:
    wallet = Wallet.objects.get()
    assurance.require(wallet, Level.SUBSTANTIAL)
    with pytest.raises(IdentityError, match="assurance-too-low"):
        assurance.require(wallet, Level.HIGH)
