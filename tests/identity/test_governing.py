"""Proposing and voting from the command line: enrolment, rotation, refusals, each through the outbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gov_chain import cli
from gov_chain.ledger.models import NodeKey, OutboxRow
from identity import agencies, applications, peers
from identity.errors import IdentityError
from identity.models import Agency
from tests.world import World


class Shell:
    """`govchain` in this process, on the world's node."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str) -> dict[str, Any]:
        args = cli.parser().parse_args([*words, "--json"])
        self.capsys.readouterr()
        try:
            args.handler(args)
        except cli.GovChainError as error:
            cli._refuse(error, as_json=True)
        told: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return told

    def refused(self, *words: str) -> str:
        return str(self(*words)["error"]["code"])

    def propose(self, *words: str, as_: str = "data") -> dict[str, Any]:
        return self("governance", "propose", *words, "--as", as_)

    def vote(self, number: int, choice: str, as_: str) -> dict[str, Any]:
        return self("governance", "vote", str(number), choice, "--as", as_)

    def pass_(self, *words: str) -> dict[str, Any]:
        """Proposed by one, voted for by the others in turn until it passes."""
        told = self.propose(*words)
        assert told["ok"], told
        for number in told["undecided"]:
            if told["outcome"] == "open":
                told = self.vote(told["proposal"], "yes", agencies.by_number(number).slug)
        return told


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_a_proposal_is_made_voted_on_and_takes_effect(world: World, shell: Shell) -> None:
    made = shell.propose("accredit", "agency=street", "type=7", "--days", "3")
    assert (made["outcome"], made["yes"], made["needed"], made["voters"]) == ("open", 1, 3, 4)
    assert "青石街道政务服务中心" in made["zh"]
    assert shell("governance", "show", "1")["undecided"] == [1, 3, 4]
    assert shell.vote(1, "yes", "psb")["outcome"] == "open"
    voted = shell.vote(1, "yes", "audit")
    assert (voted["outcome"], voted["effect_at"]) == ("passed", voted["index"])
    assert world.reader.accredited(3, 7)
    assert [each["outcome"] for each in shell("governance", "list")["proposals"]] == ["passed"]


def test_what_the_rules_would_refuse_is_not_sent(world: World, shell: Shell) -> None:
    shell.pass_("suspend", "agency=street")
    shell.pass_("suspend", "agency=audit")
    rows = OutboxRow.objects.count()
    size = world.reader.size
    assert shell.refused("governance", "propose", "suspend", "agency=psb", "--as", "data") == "too-few-voters"
    assert shell.refused("governance", "vote", "1", "yes", "--as", "data") == "proposal-passed"
    assert shell.refused("governance", "propose", "accredit", "agency=psb", "type=1", "--as", "street") == (
        "agency-suspended"
    )
    assert (OutboxRow.objects.count(), world.reader.size) == (rows, size)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nonsense",), "proposal-kind-unknown"),
        (("suspend",), "proposal-field-wrong"),
        (("suspend", "agency=nobody"), "proposal-field-wrong"),
        (("suspend", "agency=70000"), "proposal-field-wrong"),
        (("suspend", "agency=street", "x=1"), "proposal-field-wrong"),
        (("parameter", "parameter=none", "value=1"), "proposal-field-wrong"),
        (("parameter", "parameter=least-voters", "value=1"), "parameter-out-of-range"),
        (("revoke-key", "agency=psb", "key_no=1", "since=yesterday"), "proposal-field-wrong"),
        (("revoke-key", "agency=psb", "key_no=1", "since=1"), "key-in-use"),
        (("enrol",), "application-malformed"),
        (("rules", "version=2", "height=0"), "height-passed"),
        (("suspend", "agency=street", "--days", "400"), "proposal-life-wrong"),
    ],
)
def test_bad_input_says_what_is_wrong_and_changes_nothing(
    world: World, shell: Shell, words: tuple[str, ...], code: str
) -> None:
    size = world.reader.size
    assert shell.refused("governance", "propose", *words, "--as", "data") == code
    assert world.reader.size == size


def test_it_must_be_said_for_which_agency(shell: Shell) -> None:
    assert shell.refused("governance", "propose", "suspend", "agency=street") == "acting-agency-unclear"
    assert shell.refused("governance", "vote", "1", "yes", "--as", "nobody") == "agency-unknown"
    assert shell.refused("governance", "show", "9") == "proposal-unknown"


def test_an_agency_is_enrolled_by_its_own_application_and_the_others_votes(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "application.json"
    names = ("--name-zh", "云州市人力资源和社会保障局", "--name-en", "Yunzhou Human Resources Bureau")
    applied = shell("agency", "apply", "--slug", "hrss", *names, "--out", str(file))
    assert applied["agency"] == 5
    assert "hrss" not in world.http.get("/directory.json").text
    assert shell.refused("agency", "admit", str(file)) == "not-enrolled"
    voted = shell.pass_("enrol", "--file", str(file))
    assert voted["outcome"] == "passed"
    agency = Agency.objects.get(slug="hrss")
    known = world.reader.agency(5)
    assert known.ledger_key == agencies.signer(agency, "ledger").public_key
    assert known.profile_digest == agency.profile_digest
    assert "hrss" in world.http.get("/directory.json").text
    assert shell("agency", "admit", str(file)) == {
        "ok": True,
        "agency": 5,
        "hosted": True,
        "did": "did:web:localhost%3A8000:agencies:hrss",
    }
    made = shell.propose("accredit", "agency=hrss", "type=2", as_="hrss")
    assert (made["voters"], made["needed"]) == (5, 4)


def test_an_application_that_was_altered_or_is_for_another_ledger_is_refused(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "application.json"
    shell("agency", "apply", "--slug", "hrss", "--name-zh", "甲", "--name-en", "A", "--out", str(file))
    good = json.loads(file.read_text())
    stranger = bytes(range(2, 34)).hex()
    altered: list[tuple[dict[str, Any], str]] = [
        ({"keys": good["keys"] | {"ledger": stranger}}, "application-unproven"),
        ({"profile": good["profile"] | {"name": {"zh": "乙", "en": "B"}}}, "application-unproven"),
        ({"possession": "00" * 192}, "application-unproven"),
        ({"ledger": stranger}, "application-elsewhere"),
        ({"agency": 6}, "application-malformed"),
        ({"base_url": ""}, "application-malformed"),
        ({"base_url": "ftp://x"}, "application-malformed"),
        ({"more": 1}, "application-malformed"),
        ({"format": 2}, "application-malformed"),
    ]
    for change, code in altered:
        with pytest.raises(IdentityError, match=code):
            applications.read(json.dumps(good | change))
    for text in ("", "{", "[]", '{"format": 1, "format": 1}', "x" * 20_000, "\ud800"):
        with pytest.raises(IdentityError, match="application-malformed"):
            applications.read(text)


def test_keys_are_rotated_from_end_to_end(world: World, shell: Shell) -> None:
    """New keys made, voted, followed: what the agency signs next, here and towards others, is by the new keys."""
    citizen = world.citizen()
    police = agencies.by_slug("psb")
    old = {purpose: agencies.signer(police, purpose).public_key for purpose in applications.PURPOSES}
    made = shell("agency", "rotate-key", "--as", "psb")
    assert made["kind"] == "rotate"
    assert {purpose: agencies.signer(police, purpose).public_key for purpose in applications.PURPOSES} == old
    shell.vote(made["proposal"], "yes", "data")
    assert shell.vote(made["proposal"], "yes", "street")["outcome"] == "passed"
    known = world.reader.agency(1)
    assert known.key_no == 2
    assert agencies.signer(police, "issue").public_key == known.issue_key != old["issue"]
    world.claim(citizen)
    assert NodeKey.objects.get(agency=1).key_no == 2
    desk = world.ask()
    world.present(citizen, desk)
    assert citizen.id_number in desk.page().text


def test_a_suspended_agency_is_not_heard_by_the_others(world: World, shell: Shell) -> None:
    street, home = agencies.by_slug("street"), agencies.by_slug("data")
    shell.pass_("suspend", "agency=street")
    with pytest.raises(peers.PeerRefusedError) as refused:
        peers.call(sender=street, to=home, path="/agencies/data/grants/release", body={})
    assert (refused.value.remote_code, refused.value.remote_status) == ("peer-unauthenticated", 401)


def test_a_stolen_key_is_replaced_by_another_agencys_proposal(world: World, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "rotation.json"
    assert shell("agency", "rotate-key", "--as", "street", "--out", str(file))["key_no"] == 2
    shell.pass_("suspend", "agency=street")
    assert shell.pass_("rotate", "--file", str(file))["outcome"] == "passed"
    voted = shell.pass_("revoke-key", "agency=street", "key_no=1", "since=2026-01-01T00:00:00+08:00")
    assert (voted["kind"], voted["outcome"], voted["fields"]["since"]) == ("revoke-key", "passed", 1)
    assert shell.pass_("reinstate", "agency=street")["outcome"] == "passed"
    key = world.reader.key(3, 1)
    assert key is not None
    assert key.revoked_from == 1
    assert world.ask().wallet_url
