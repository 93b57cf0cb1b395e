"""`govchain officers invite` and `govchain officers-log verify`: what only the node's own machine can do."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from gov_chain import cli, doctor
from identity import append_only
from identity.models import OfficerLogEntry
from tests.identity.desk import Browser, officer
from tests.world import World

PASSWORD = "云州-correct-horse-battery"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    args = cli.parser().parse_args([*arguments, "--json"])
    status = args.handler(args) or 0
    return status, json.loads(capsys.readouterr().out)


def test_the_first_administrator_is_made_on_the_machine(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("officers", "invite", "lin", "--name", "林某", "--role", "agency-admin", "--as", "street")
    status, told = run(capsys, *given)
    assert status == 0
    answer = Browser().post("/join", {"code": told["code"], "password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 302
    browser = Browser()
    assert browser.log_in("lin", PASSWORD)["Location"] == "/governance/"
    entry = OfficerLogEntry.objects.get(act="staff.invite")
    assert (entry.username, entry.officer, entry.object) == ("(command)", None, f"officer={officer('lin').pk}")


def test_verify_names_the_entry_that_was_changed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.officer("clerk").open("/counter/")
    status, told = run(capsys, "officers-log", "verify")
    assert (status, told["ok"]) == (0, True)
    assert doctor.officers_log().result == "ok"
    append_only.remove(connection)
    assert doctor.officers_log().result == "fail"
    OfficerLogEntry.objects.filter(agency__slug="street", seq=2).update(username="nobody")
    append_only.install(connection)
    status, told = run(capsys, "officers-log", "verify", "--as", "street")
    assert status == 1
    assert told["logs"][0]["broken"] == {"seq": 2, "reason": "changed"}  # type: ignore[index]
    assert doctor.officers_log().result == "fail"
