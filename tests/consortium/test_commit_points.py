"""A node that ends within a block, at each point: between CometBFT's steps, and within the application's commit.

One validator, so that nobody else can make up for it: what it acknowledged, it must still have when it starts again.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gov_chain.ledger import store
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from tests.consortium import invariants
from tests.consortium.network import Network, Node, until
from tests.ledger.faults.injection import STRACE
from tests.ledger.town import PSB, issue_record

POINTS = 9
"""Calls of `fail.Fail()` CometBFT v0.38 makes for a block (consensus/state.go, state/execution.go)."""
CALLS = ("pwrite64", "fdatasync")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("one"), 1) as network:
        network.register()
        yield network


def ended(node: Node) -> bool:
    return any(each.poll() is not None for each in node.processes)


def submit_until_it_ends(network: Network) -> tuple[list[tuple[bytes, Committed]], list[bytes]]:
    """What was acknowledged, and what was not."""
    node = network.nodes[0]
    acknowledged: list[tuple[bytes, Committed]] = []
    undecided: list[bytes] = []
    while not ended(node):
        body = network.signed(PSB, *(issue_record() for _ in range(3)))
        future = node.engine.submit(body)
        until(lambda future=future: future.done() or ended(node), what="an outcome, or the end")  # type: ignore[misc]
        if future.done() and future.exception() is None:
            acknowledged.append((body, future.result()))
        else:
            undecided.append(body)
    return acknowledged, undecided


def start_again_and_check(
    network: Network, acknowledged: list[tuple[bytes, Committed]], undecided: list[bytes]
) -> None:
    node = network.nodes[0]
    node.kill()
    node.start()
    network.ready()
    for body in undecided:
        try:
            done = node.engine.submit(body).result(60)
        except LedgerError as error:
            if error.code != "sequence-used":
                raise
            until(lambda body=body: node.engine.outcome(body), what="the outcome of what was sent before")  # type: ignore[misc]
            found = node.engine.outcome(body)
            assert found is not None
            done = found
        acknowledged.append((body, done))
    invariants.check(network, acknowledged)


@pytest.mark.parametrize("point", range(POINTS))
def test_cometbft_ends_between_its_steps(one: Network, point: int) -> None:
    """Before and after it stores the block, executes it, stores the results, commits, and notes that it did."""
    node = one.nodes[0]
    node.stop()
    node.start_application()
    until(node.socket.exists, what="application")
    node.start_comet(FAIL_TEST_INDEX=str(point))
    until(lambda: ended(node) or node.ask("status"), what="up, or at its end in the replay of the last block")
    start_again_and_check(one, *submit_until_it_ends(one))


@pytest.mark.skipif(STRACE is None, reason="needs strace")
@pytest.mark.parametrize(
    ("call", "number"),
    [
        pytest.param(call, number, marks=() if number in (1, 4, 9) or call == "fdatasync" else pytest.mark.nightly)
        for call in CALLS
        for number in range(1, 25 if call == "pwrite64" else 3)
    ],
)
def test_the_application_ends_within_its_commit(one: Network, call: str, number: int) -> None:
    node = one.nodes[0]
    node.stop()
    path = node.data / "ledger" / store.FILE
    inject = [f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}", "-P", str(path), "-P", f"{path}-wal"]
    node.start_application(str(STRACE), "-f", "-qq", "-o", "/dev/null", "-e", *inject)
    until(node.socket.exists, what="application")
    node.start_comet()
    acknowledged, undecided = submit_until_it_ends(one)
    start_again_and_check(one, acknowledged, undecided)


def copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def test_an_application_some_blocks_behind_is_sent_them_again(one: Network, tmp_path: Path) -> None:
    """The ledger's disk was restored from yesterday's backup, CometBFT's was not."""
    node = one.nodes[0]
    node.stop()
    copy(node.data / "ledger", tmp_path / "ledger")
    node.start()
    one.ready()
    done = [(body, node.engine.submit(body).result(30)) for body in (one.signed(PSB, issue_record()) for _ in range(3))]
    node.stop()
    copy(tmp_path / "ledger", node.data / "ledger")
    node.start()
    one.ready()
    invariants.check(one, done)


def test_an_application_ahead_of_its_engine_is_not_gone_back_with(one: Network, tmp_path: Path) -> None:
    """CometBFT's disk was restored and the ledger's was not: it refuses to start, and says which is ahead."""
    node = one.nodes[0]
    node.stop()
    copy(node.home / "data", tmp_path / "data")
    node.start()
    one.ready()
    done = [(body, node.engine.submit(body).result(30)) for body in (one.signed(PSB, issue_record()) for _ in range(3))]
    node.stop()
    newer = tmp_path / "newer"
    copy(node.home / "data", newer)
    copy(tmp_path / "data", node.home / "data")
    # The last signature is never restored: this very copy is what would make it sign twice.
    shutil.copy(newer / "priv_validator_state.json", node.home / "data")
    log = len(node.log("cometbft"))
    node.start()
    assert node.comet is not None
    try:
        node.comet.wait(30)
    except subprocess.TimeoutExpired:
        pytest.fail("CometBFT runs on under a ledger that is ahead of it")
    assert "is higher than core" in node.log("cometbft")[log:]
    node.kill()
    copy(newer, node.home / "data")
    node.start()
    one.ready()
    invariants.check(one, done)
