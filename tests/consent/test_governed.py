"""What agencies vote reaches the phone by proof: enrolled, rotated, suspended, without a word from any server."""

from __future__ import annotations

from pathlib import Path

import pytest

from certificates.core.definitions import SHIPPED
from consent import matters
from consent.actions.create_request import create_request
from consent.models import Matter
from consent.seed import RESIDENCE_PERMIT
from demo.holder import UnacceptableError
from demo.standard_wallet import RefusedError
from gov_chain.ledger import relay
from gov_chain.ledger.core import records
from identity import agencies
from tests.identity.test_governing import Shell
from tests.world import PIN, World


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def rotated(shell: Shell, slug: str) -> None:
    told = shell("agency", "rotate-key", "--as", slug)
    for number in told["undecided"]:
        if told["outcome"] == "open":
            told = shell.vote(told["proposal"], "yes", agencies.by_number(number).slug)
    assert told["outcome"] == "passed"


def in_force(document: dict) -> Matter:
    types = {definition["number"]: definition for definition in SHIPPED}
    relay.settle(matters.register(document, agency=agencies.by_number(document["agency"]), types=types))
    matter = Matter.objects.get(number=document["number"], version=document["version"])
    relay.settle([matters.approve(matter.number, matter.version, issuer=agencies.by_slug("psb"), type_number=1)])
    matter.refresh_from_db()
    return matter


def test_an_agency_enrolled_by_vote_asks_and_the_phone_answers(world: World, shell: Shell, tmp_path: Path) -> None:
    citizen = world.citizen()
    file = tmp_path / "application.json"
    shell("agency", "apply", "--slug", "hrss", "--name-zh", "人社局", "--name-en", "HR Bureau", "--out", str(file))
    assert shell.pass_("enrol", "--file", str(file))["outcome"] == "passed"
    number = agencies.by_slug("hrss").number
    matter = in_force(RESIDENCE_PERMIT | {"id": "social-security", "number": 2, "agency": number})
    kept = citizen.wallet.consent(create_request(matter=matter).wallet_url, PIN)
    citizen.wallet.send(kept)
    world.settle()
    (row,) = world.reader.latest(1, kind=records.USAGE)
    assert (row.entry.agency, row.entry.values["handle"]) == (number, kept.handle)


def test_new_keys_are_asked_and_issued_with_and_the_old_ones_believed_no_more(world: World, shell: Shell) -> None:
    citizen = world.citizen()
    before = world.ask()
    for slug in ("street", "psb", "data"):
        rotated(shell, slug)
    with pytest.raises(RefusedError) as expired:
        citizen.wallet.consent(before.wallet_url, PIN)
    assert expired.value.code == "request-expired"
    world.claim(citizen)
    desk = world.ask()
    world.present(citizen, desk)
    assert citizen.id_number in desk.page().text


def test_a_suspended_agency_is_refused_and_later_heard_again(world: World, shell: Shell) -> None:
    citizen = world.citizen()
    desk = world.ask()
    shell.pass_("suspend", "agency=street")
    with pytest.raises(UnacceptableError, match="suspended"):
        citizen.wallet.consent(desk.wallet_url, PIN)
    shell.pass_("reinstate", "agency=street")
    world.present(citizen, desk)
    assert citizen.id_number in desk.page().text
