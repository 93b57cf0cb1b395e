"""A validator that signs twice, and a newcomer among four: by state sync, the log and not the blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gov_chain.consortium import cometbft
from gov_chain.consortium.cometbft import StateSync
from tests.consortium import invariants
from tests.consortium.load import Load
from tests.consortium.network import Network, Node, until
from tests.ledger.town import PSB, issue_record, public_key


@pytest.fixture
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("four"), 4) as network:
        network.register()
        yield network


def evidence(node: Node, height: int) -> list[Any]:
    found: list[Any] = node.ask("block", height=str(height))["block"]["evidence"]["evidence"]
    return found


def test_a_validator_whose_key_runs_twice_is_found_out_and_changes_nothing(four: Network) -> None:
    """The key of the fourth was copied to a fifth machine, without what it has signed last: never do this."""
    twin = four.add(key=4)
    twin.configure()
    # It waits for no proposal: at every height it says nil while its twin says yes.
    config = twin.home / "config" / "config.toml"
    config.write_text(config.read_text().replace('timeout_propose = "1s"', 'timeout_propose = "1ms"'))
    twin.start()
    checked = 0

    def found_out() -> Any:
        nonlocal checked
        height = four.nodes[0].height
        proofs = [each for at in range(checked + 1, height + 1) for each in evidence(four.nodes[0], at)]
        checked = height
        return proofs

    with Load(four, at=[0, 3], batch=2) as load:
        proofs = until(found_out, 120, what="evidence in a block")
        load.wait_for_more(3)
    assert proofs[0]["type"] == "tendermint/DuplicateVoteEvidence"
    liar = cometbft.node_id(public_key(104))
    assert proofs[0]["value"]["vote_a"]["validator_address"].lower() == liar
    honest = four.nodes[:3]
    until(lambda: all(f"validator {liar} misbehaved" in node.log() for node in honest), what="the operators are told")
    twin.kill()
    four.nodes.remove(twin)
    invariants.check(four, load.acknowledged)
    twin.close()


def test_a_new_node_joins_from_a_snapshot_and_then_follows(four: Network) -> None:
    with Load(four, at=[0], batch=300) as load:
        until(lambda: four.nodes[0].height >= 23, what="a snapshot, and the blocks that vouch for it")
        trusted = four.nodes[0].ask("block", height="2")
        fifth = four.add()
        fifth.configure(
            StateSync(
                rpc_servers=(four.nodes[0].url, four.nodes[1].url), height=2, block_hash=trusted["block_id"]["hash"]
            )
        )
        fifth.start()
        until(lambda: fifth.ask("status"), what="up")
        until(lambda: fifth.ask("status")["sync_info"]["earliest_block_height"] != "0", what=fifth.log("cometbft"))
        assert int(fifth.ask("status")["sync_info"]["earliest_block_height"]) > 1, "it took the blocks"
        load.wait_for_more(2)
    invariants.check(four, load.acknowledged)
    done = four.submit(4, PSB, issue_record())
    assert not done.refused
