"""What only this engine has: a node that is away, hangs, or is another consortium's."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gov_chain.ledger import founding
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines.comet import IN_FLIGHT, Comet
from tests.consortium.network import Network, consortium
from tests.ledger.contract import refusal
from tests.ledger.town import ORIGIN, PSB, issue_record, secret_key


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("one"), 1) as network:
        network.register()
        yield network


def test_a_node_of_another_consortium_is_not_written_to(one: Network, tmp_path: Path) -> None:
    founding.found(tmp_path, consortium(4, 1, one.created - 1), origin=ORIGIN, sign=secret_key(0).sign)
    with pytest.raises(LedgerError, match="another-consortium"):
        Comet(tmp_path, url=one.nodes[0].url)


def test_what_waits_behind_a_node_that_hangs_does_not_overtake(one: Network) -> None:
    node = one.nodes[0]
    assert node.comet is not None
    bodies = [one.signed(PSB, issue_record()) for _ in range(4)]
    node.comet.send_signal(signal.SIGSTOP)
    futures = [node.engine.submit(body) for body in bodies]
    assert [refusal(future, 20) for future in futures] == ["sequencer-stopped"] * 4
    node.comet.send_signal(signal.SIGCONT)
    positions = []
    for body in bodies:
        future = node.engine.submit(body)
        # The first one's bytes lay in the node's socket meanwhile, and may have been taken.
        done = node.engine.outcome(body) if future.exception(30) is not None else future.result()
        assert done is not None
        positions.append(done.first)
    assert positions == sorted(positions)


def test_no_more_is_taken_than_can_be_in_flight(one: Network) -> None:
    node = one.nodes[0]
    assert node.app is not None
    bodies = [one.signed(PSB, issue_record()) for _ in range(IN_FLIGHT + 3)]
    node.app.send_signal(signal.SIGSTOP)
    futures = [node.engine.submit(body) for body in bodies]
    assert [refusal(future) for future in futures[-3:]] == ["consortium-busy"] * 3
    node.app.send_signal(signal.SIGCONT)
    # What was taken gets an outcome: final, or told to try again.
    codes = {str(future.exception(60)).partition(":")[0] for future in futures[:-3]}
    assert codes <= {"None", "consortium-waiting", "consortium-busy", "sequencer-stopped"}


def test_a_node_that_is_away_is_said_to_be(one: Network) -> None:
    node = one.nodes[0]
    body = one.signed(PSB, issue_record())
    node.stop()
    assert refusal(node.engine.submit(body)) == "sequencer-stopped"
    node.start()
    one.ready()
    assert not node.engine.submit(body).result(30).refused
