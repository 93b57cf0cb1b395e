"""Who joins and who leaves: an agency's validator by vote, observers by themselves; blocks pruned, the log kept."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demo.journey import until
from demo.node import Consortium
from gov_chain.consortium import health, plan
from gov_chain.ledger.core import receipt
from gov_chain.ledger.core.quorum import Followed, links_from_json
from tests.consortium.network import cometbft_binary

VOTERS = ("psb", "data", "street")


class Five(Consortium):
    """Five agencies, of whom four vote on blocks; snapshots and pruning so often that a test meets them."""

    COMMAND = (*Consortium.COMMAND, "--agencies", "5", "--snapshots", "5", "--retain", "10")


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Five]:
    cometbft_binary()
    with Five(tmp_path_factory.mktemp("five")) as running:
        yield running


def decide(five: Five, proposal: int) -> None:
    """The agencies vote for it."""
    for agency in VOTERS:
        status, told = five.command("governance", "vote", str(proposal), "yes", at=agency)
        assert status == 0, told


def validators(five: Five, at: str = "data") -> set[int]:
    return {row["agency"] for row in five.command("validator", "list", at=at)[1]["validators"]}


def powers(five: Five) -> dict[str, int]:
    found = five.consortium("status")[1]["nodes"]
    return {node["name"]: node["engine"]["voting_power"] for node in found if node["engine"]}


def test_an_observer_follows_and_serves_receipts_under_the_quorum(five: Five) -> None:
    status, told = five.consortium("observer", "court")
    assert status == 0, told
    until(lambda: observed(five, told["base_url"]), "the observer lags")
    sets = httpx.get(f"{told['base_url']}/ledger/validators").json()
    followed = Followed.pinned(five.quorum, *links_from_json(sets))

    def certified() -> bool:
        text = httpx.get(f"{told['base_url']}/ledger/receipts/2").text
        return receipt.verify(text, told["vkey"], quorum=followed).certified

    until(certified, "no certificate at the observer")
    assert httpx.get(f"{told['base_url']}/login").status_code == 404


def test_an_agency_joins_the_validators_by_vote(five: Five) -> None:
    assert validators(five) == {1, 2, 3, 4}
    assert powers(five)["hrss"] == 0
    status, told = five.command("validator", "join", at="hrss")
    assert status == 0, told
    decide(five, told["proposal"])
    until(lambda: validators(five) == {1, 2, 3, 4, 5}, "it has not joined")
    until(lambda: powers(five)["hrss"] == 1, "its engine does not vote")


def observed(five: Five, base_url: str) -> bool:
    def size(url: str) -> int:
        return int(httpx.get(f"{url}/ledger/checkpoint").text.split("\n")[1])

    try:
        return size(base_url) == size(five.base_url)
    except httpx.TransportError:
        return False


def test_a_name_is_taken_once(five: Five) -> None:
    status, told = five.consortium("observer", "psb")
    assert (status, told["error"]["code"]) == (1, "node-name-taken")


def test_an_agency_leaves_and_what_would_endanger_the_quorum_is_refused(five: Five) -> None:
    status, told = five.command("validator", "leave", at="audit")
    assert status == 0, told
    decide(five, told["proposal"])
    until(lambda: validators(five) == {1, 2, 3, 5}, "it has not left")
    status, told = five.command("validator", "leave", at="street")
    assert (status, told["error"]["code"]) == (1, "validators-too-few")


def test_pruned_blocks_leave_the_log_whole_and_a_newcomer_starts_from_a_snapshot(five: Five) -> None:
    first = first_block(five, "data")
    assert first > 1
    assert httpx.get(f"{five.base_url}/ledger/receipts/0").status_code == 200
    status, told = five.consortium("observer", "late")
    assert status == 0, told
    until(lambda: observed(five, told["base_url"]), "the newcomer lags")
    assert first_block(five, "late") >= first
    before = httpx.get(f"{told['base_url']}/ledger/tile/entries/000.p/1").content
    assert before == httpx.get(f"{five.base_url}/ledger/tile/entries/000.p/1").content


def first_block(five: Five, name: str) -> int:
    return health.first_block(plan.read(five.data).node(name).rpc_url) or 0


def test_a_lost_node_is_restored_from_its_backup_and_votes_again_by_decision(five: Five, tmp_path: Path) -> None:
    """Nothing that was signed is remembered, so nothing old may sign: the restored validator has new keys."""
    backup = tmp_path / "street.tar.gz"
    status, told = five.consortium("backup", "street", "--out", str(backup))
    assert status == 0, told
    with tarfile.open(backup) as archive:
        names = archive.getnames()
    assert "node.sqlite3" in names
    assert not [name for name in names if "validator" in name or "cosigner" in name or "ledger.sqlite3" in name]
    assert five.consortium("stop", "street", "--kill")[0] == 0
    status, told = five.consortium("restore", str(backup))
    assert (status, told["error"]["code"]) == (1, "restore-over-node")
    (five.data / "street").rename(tmp_path / "lost")
    assert five.consortium("restore", str(backup))[0] == 0
    status, told = five.consortium("start", "street")
    assert status == 0, told
    until(lambda: observed(five, five.node_url("street")), "the restored node lags")
    assert powers(five)["street"] == 0
    status, told = five.command("validator", "rotate", at="street")
    assert status == 0, told
    for agency in ("psb", "data", "hrss"):
        assert five.command("governance", "vote", str(told["proposal"]), "yes", at=agency)[0] == 0
    until(lambda: powers(five)["street"] == 1, "it does not vote again")


def test_metrics_and_doctor_tell_of_engine_and_certificates(five: Five) -> None:
    text = httpx.get(f"{five.base_url}/metrics").text
    assert "govchain_engine_up 1.0" in text
    assert "govchain_engine_voting_power 1.0" in text
    until(lambda: doctors(five) == "ok", "doctor does not find it well")


def doctors(five: Five) -> str:
    checks = five.command("doctor", at="data")[1]["checks"]
    return next(str(check["result"]) for check in checks if check["name"] == "consortium")
