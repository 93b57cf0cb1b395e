"""The operators' console tells what `govchain doctor` tells, to those who run the node and to nobody else."""

import dataclasses

import pytest
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import Settings

from gov_chain import doctor
from gov_chain.ledger import condition, node, outbox, relay
from gov_chain.ledger.core import records
from gov_chain.ledger.core.cosignature import Cosigner
from gov_chain.ledger.models import NodeKey, OutboxRow
from gov_chain.ledger.witness.kept import Kept, LastAnswer
from identity.models import Officer
from tests.ledger.town import public_key
from tests.world import World

RECORD = records.evidence(evidence=1, digest=bytes(32))


def poison() -> None:
    """A record that this node has no key to sign, and an outcome that nobody takes."""
    NodeKey.objects.filter(agency=3).delete()
    with transaction.atomic():
        rows = [outbox.enqueue(agency=agency, record=RECORD, subject=f"test.thing:{agency}") for agency in (3, 1)]
    relay.settle(rows)
    OutboxRow.objects.filter(pk=rows[1]).update(delivered=False, attempts=condition.FAILING, reason="ConnectError")


def test_a_quiet_node_is_well(world: World) -> None:
    page = world.officer("home").open("/ledger-console/").text
    assert "一切正常" in page
    assert world.reader.head()[1].root.hex()[:6] in page


def test_what_is_stuck_stands_there_with_its_reason_and_what_to_do(world: World) -> None:
    poison()
    home = world.officer("home")
    chinese = home.open("/ledger-console/").text
    home.open("/language?to=en")
    english = home.open("/ledger-console/").text
    for page in (chinese, english):
        for words in ("outbox-key-missing", "test.thing:3", "ConnectError", "test.thing:1"):
            assert words in page
    assert "在本节点登记该机构现行的账本密钥" in chinese
    assert "Give this node the agency's ledger key" in english


def test_doctor_says_the_same(world: World) -> None:
    poison()
    told = doctor.outbox()
    assert (told.result, told.en) == ("fail", "Records set aside: 1 × outbox-key-missing (test.thing:3).")
    assert told.next_en.startswith("Give this node the agency's ledger key")


def test_a_clock_behind_the_last_block_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    last = condition.head().block_time
    monkeypatch.setattr("gov_chain.clock.now", lambda: last - 60)
    assert condition.head().ahead == 60
    assert doctor.block_clock().result == "fail"


@pytest.mark.parametrize(
    ("state", "words"), [("cosigned", "一切正常"), ("unreachable", "未见证"), ("forked", "见证人与账本矛盾")]
)
def test_each_witness_is_shown_as_it_answered_last(world: World, settings: Settings, state: str, words: str) -> None:
    vkey = Cosigner("witness.test.example", public_key(9)).vkey
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, witnesses=((vkey, "http://127.0.0.1:9"),))
    Kept(node.directory()).note_answer(LastAnswer(vkey, "http://127.0.0.1:9", 1_800_000_000, state, 5, 5, ""))
    page = world.officer("home").open("/ledger-console/").text
    assert "witness.test.example" in page
    assert words in page
    assert f"差 {node.ledger().size - 5} 条" in page


@pytest.mark.parametrize("path", ["/ledger-console/", "/ledger-console/state"])
@pytest.mark.parametrize("officer", ["clerk", "issuer", "auditor"])
def test_others_may_not_look(world: World, officer: str, path: str) -> None:
    client = Client()
    client.force_login(Officer.objects.get(username=officer))
    assert client.get(path).status_code == 403


def test_strangers_are_asked_to_log_in(world: World) -> None:
    assert world.client().get("/ledger-console/").url.path == "/login"
