"""Four validators in trouble, one fault after another on the same consortium, under load (threats.md, "consortium").

Each node runs under another hash seed, time zone and locale. After each test the invariants hold on all four, and the
consortium is whole again for the next.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import httpx
import pytest

from gov_chain.ledger.core import records, rulesets
from gov_chain.ledger.core.proposals import SET_RULES, VALIDATOR_IN, VALIDATOR_OUT
from tests.consortium import invariants
from tests.consortium.load import Load
from tests.consortium.network import Network, Node, until
from tests.ledger.contract import refusal
from tests.ledger.town import HOME, PSB, STREET, founding_validator, grant_record, issue_record, usage_record

ENVIRONMENTS = [
    {"PYTHONHASHSEED": "0", "TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "1", "TZ": "America/Los_Angeles", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "UTC", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
    {"PYTHONHASHSEED": "random", "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "PYTHONOPTIMIZE": "1"},
]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("four"), 4, agencies=5, environments=ENVIRONMENTS) as network:
        network.register()
        yield network


def test_nodes_that_differ_in_all_but_the_ledger_agree(four: Network) -> None:
    secrets_ = [four.grant(number) for number in range(4)]
    for at, secret in enumerate(secrets_):
        assert not four.submit(3 - at, STREET, usage_record(secret), usage_record(secret)).refused
    assert four.submit(1, STREET, usage_record(secrets_[0])).refused == {0: "uses-spent"}
    four.submit(2, HOME, *(records.withdraw(secret=secret) for secret in secrets_))
    invariants.check(four)


def test_one_killed_and_started_again(four: Network) -> None:
    with Load(four, at=[0, 2]) as load:
        load.wait_for_more()
        four.nodes[1].kill()
        load.wait_for_more(6)
        four.nodes[1].start()
        load.wait_for_more()
    invariants.check(four, load.acknowledged)


def test_the_node_that_is_written_to_is_killed(four: Network) -> None:
    """Its mempool is gone; whoever submitted sends the same bytes again, and each counts once."""
    with Load(four, at=[0, 3]) as load:
        load.wait_for_more()
        four.nodes[3].kill()
        load.wait_for_more()
        four.nodes[3].start()
        load.wait_for_more(6)
    invariants.check(four, load.acknowledged)


def test_one_paused(four: Network) -> None:
    with Load(four, at=[0, 1]) as load:
        load.wait_for_more()
        four.nodes[2].pause()
        load.wait_for_more(6)
        four.nodes[2].resume()
        load.wait_for_more()
    invariants.check(four, load.acknowledged)


def test_one_cut_off_from_the_others(four: Network) -> None:
    with Load(four, at=[1, 2]) as load:
        load.wait_for_more()
        four.cut_off(four.nodes[0])
        load.wait_for_more(6)
        behind = four.nodes[0].height
        assert behind < four.nodes[1].height
        four.join(four.nodes[0])
        load.wait_for_more()
    invariants.check(four, load.acknowledged)


def test_two_down_nothing_is_lost_and_it_resumes_by_itself(four: Network) -> None:
    four.same_height()
    for node in four.nodes[2:]:
        node.kill()
    before = four.nodes[0].height
    body = four.signed(PSB, issue_record())
    waiting = four.nodes[0].engine.submit(body)
    assert refusal(waiting, 30) == "consortium-waiting"
    assert four.nodes[0].engine.outcome(body) is None
    assert four.nodes[0].height == four.nodes[1].height == before
    with contextlib.closing(four.nodes[0].reader) as reader:
        assert reader.receipt(reader.size - 1), "it still reads"
    for node in four.nodes[2:]:
        node.start()
    until(lambda: four.nodes[0].engine.outcome(body), what="the record sent meanwhile is final")
    done = four.nodes[0].engine.outcome(body)
    assert done is not None
    assert refusal(four.nodes[0].engine.submit(body)) == "sequence-used"
    invariants.check(four, [(body, done)])


def test_the_same_transaction_through_every_node_counts_once(four: Network) -> None:
    body = four.signed(PSB, issue_record(), issue_record())
    futures = [node.engine.submit(body) for node in four.nodes]
    errors = {str(future.exception(30)) for future in futures} - {"None"}
    assert all(error.startswith("sequence-used") for error in errors), errors
    outcomes = [future.result() for future in futures if future.exception() is None]
    assert outcomes
    assert len(set(map(repr, outcomes))) == 1
    four.same_height()
    for node in four.nodes:
        # Replayed later, past the engine: CometBFT's own cache aside, CheckTx knows it.
        with contextlib.closing(node.reader) as reader:
            assert reader.outcome(body) == outcomes[0]
        told = httpx.get(f"{node.url}/check_tx", params={"tx": f"0x{body.hex()}"}).json()["result"]
        assert told["log"] == "sequence-used"
    invariants.check(four, [(body, outcomes[0])])


def test_what_two_nodes_are_told_at_once_is_decided_alike(four: Network) -> None:
    """A grant for one use, used through two nodes at the same moment: one of them is refused, and all agree which."""
    secret = secrets.token_bytes(32)
    four.submit(0, HOME, grant_record(secret, time=four.now(), uses=1))
    futures = [four.send(number, STREET, usage_record(secret)) for number in range(4)]
    refused = [future.result(30).refused for future in futures]
    assert sorted(map(len, refused)) == [0, 1, 1, 1]
    invariants.check(four)


def test_a_withdrawal_is_final_against_every_node(four: Network) -> None:
    secret = four.grant(1)
    four.submit(2, HOME, records.withdraw(secret=secret))
    for number in range(4):
        assert four.submit(number, STREET, usage_record(secret)).refused == {0: "grant-withdrawn"}


def test_the_application_alone_is_killed(four: Network) -> None:
    """CometBFT does not go on without it; both are started again, and nothing is missing."""
    node = four.nodes[1]
    with Load(four, at=[0]) as load:
        load.wait_for_more()
        assert node.app is not None
        node.app.kill()
        load.wait_for_more(4)
        node.kill()
        node.start()
        load.wait_for_more()
    invariants.check(four, load.acknowledged)


def pass_(network: Network, *action: int | bytes) -> None:
    """Proposed by the first agency, voted for by the next until it has effect."""
    with contextlib.closing(network.nodes[0].reader) as reader:
        number = len(reader.proposals()) + 1
        record = records.propose(proposal=number, action=action, expires=network.now() + 86400)
        assert not network.submit(0, PSB, record).refused
        for voter in range(2, 6):
            found = reader.proposal(number)
            assert found is not None
            if found.effect_index:
                return
            assert not network.submit(0, voter, records.vote(proposal=number, yes=True)).refused
    raise AssertionError("not enough votes")


def validators(node: Node) -> set[str]:
    return {each["address"] for each in node.ask("validators")["validators"]}


def test_a_validator_comes_in_by_vote_and_goes_out_again(four: Network) -> None:
    before = validators(four.nodes[0])
    fifth = four.add()
    fifth.configure()
    fifth.start()
    four.ready()
    row = founding_validator(5).row
    pass_(four, VALIDATOR_IN, 5, *row[1:])
    four.submit(0, PSB, issue_record())
    until(lambda: len(validators(four.nodes[0])) == 5, what="five validators")
    with Load(four, at=[4]) as load:
        load.wait_for_more(3)
        four.nodes[3].kill()  # with five, any one may be missing
        load.wait_for_more(4)
        four.nodes[3].start()
    assert invariants.check(four, load.acknowledged)
    pass_(four, VALIDATOR_OUT, 5)
    four.submit(0, PSB, issue_record())
    until(lambda: validators(four.nodes[0]) == before, what="four validators again")
    four.same_height()
    fifth.close()
    four.nodes.remove(fifth)
    invariants.check(four)


def test_upgraded_one_by_one(four: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules are voted for a height; who is not renewed by then stops there, loses nothing, and goes on when renewed."""
    monkeypatch.setitem(rulesets.RULESETS, 2, rulesets.RULESETS[1])  # type: ignore[misc]
    with Load(four, at=[0, 1]) as load:
        for node in four.nodes[:3]:
            load.wait_for_more(2)
            node.stop()
            node.module = "tests.consortium.next_version"
            node.start()
            four.ready()
        late = four.nodes[3]
        with contextlib.closing(four.nodes[0].reader) as reader:
            height = reader.size + 300
        pass_(four, SET_RULES, 2, height)
        until(lambda: "rules-unknown" in late.log(), what="the old software stops")
        load.wait_for_more(4)
        late.kill()
        late.module = "tests.consortium.next_version"
        late.start()
        load.wait_for_more(2)
    assert load.acknowledged[-1][1].first > height
    invariants.check(four, load.acknowledged)
