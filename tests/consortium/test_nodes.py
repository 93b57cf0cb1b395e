"""Whole nodes: four agencies' processes on this machine, reached as people and systems reach them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.journey import until
from demo.node import Consortium
from gov_chain.consortium import layout, plan, processes, supervisor
from tests.consortium.network import cometbft_binary

MEMBERS = [
    layout.Member(number=number, slug=slug, name_zh=slug, name_en=slug)
    for number, slug in enumerate(("a", "b", "c", "d"), 1)
]


@pytest.fixture(autouse=True)
def engine() -> None:
    cometbft_binary()


def laid_out(root: Path, **changes: Any) -> plan.Plan:
    given = {
        "members": MEMBERS,
        "accreditations": [(1, 1), (2, 0)],
        "validators": 4,
        "origin": "l.example",
        "created": 1,
    }
    return layout.make(root, **{**given, **changes})


def demo(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "gov_chain.cli", "demo", "--json", *arguments],
        capture_output=True,
        timeout=300,
        check=False,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_main_job_on_four_nodes_with_one_killed_in_the_middle() -> None:
    told = demo("--consortium", "--kill-one")
    failed = [step for step in told["steps"] if not step["ok"]]
    assert not failed
    names = [step["name"] for step in told["steps"]]
    assert names.index("claim") < names.index("kill-one") < names.index("present") < names.index("restore-one")
    assert {"one-history", "ledger-fsck"} <= set(names)


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    cometbft_binary()
    with Consortium(tmp_path_factory.mktemp("consortium")) as running:
        yield running


def test_status_tells_of_every_node(consortium: Consortium) -> None:
    status, told = consortium.consortium("status")
    assert status == 0
    assert [node["name"] for node in told["nodes"]] == ["psb", "data", "street", "audit"]
    for node in told["nodes"]:
        assert node["well"]
        assert node["behind"] <= 1
        assert node["engine"]["peers"] == 3
        assert {"app", "engine", "cosigner", "web"} == node["pids"].keys()


def test_a_node_hosts_its_own_agency_and_knows_where_the_others_are(consortium: Consortium) -> None:
    directory = httpx.get(f"{consortium.node_url('street')}/directory.json").json()
    assert {row["slug"]: row["base_url"] for row in directory["agencies"]} == {
        agency: consortium.node_url(agency) for agency in consortium.agencies
    }
    assert directory["home"] == "data"
    assert httpx.get(f"{consortium.node_url('street')}/agencies/psb/did.json").status_code == 404
    assert httpx.get(f"{consortium.node_url('psb')}/agencies/psb/did.json").status_code == 200


def test_every_node_serves_the_documents_that_the_ledger_names(consortium: Consortium) -> None:
    """Registered on two nodes, and on the ledger: within moments they are on all four."""
    state = httpx.get(f"{consortium.node_url('audit')}/ledger/matters/1").json()["state"]
    path = f"/ledger/documents/{state['digest']}"
    for agency in consortium.agencies:
        url = consortium.node_url(agency) + path
        until(lambda url=url: httpx.get(url).status_code == 200, f"{agency} has not got the matter")  # type: ignore[misc]


def test_a_wallet_on_another_origin_may_read_answers_and_refusals(consortium: Consortium) -> None:
    issuer, home = consortium.node_url("psb"), consortium.node_url("data")
    asked = {"Origin": home, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = httpx.options(f"{issuer}/agencies/psb/oid4vci/credential", headers=asked)
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    refused = httpx.post(f"{issuer}/agencies/psb/oid4vci/credential", headers={"Origin": home}, json={})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert issuer in httpx.get(f"{home}/wallet/").headers["Content-Security-Policy"]


def test_pages_stay_within_their_own_origin(consortium: Consortium) -> None:
    page = httpx.get(f"{consortium.base_url}/login", headers={"Origin": "http://localhost:1"})
    assert "Access-Control-Allow-Origin" not in page.headers


def test_certificates_of_every_agency_come_from_one_authority(consortium: Consortium) -> None:
    answer = httpx.get(f"{consortium.node_url('street')}/consortium-ca.crt", follow_redirects=True)
    assert answer.content == httpx.get(f"{consortium.node_url('data')}/consortium-ca.crt").content


def test_a_second_one_on_the_same_data_is_refused(consortium: Consortium) -> None:
    status, told = consortium.consortium("up")
    assert (status, told["error"]["code"]) == (1, "consortium-running")


def test_a_dead_process_is_started_again(consortium: Consortium) -> None:
    made = plan.read(consortium.data)
    before = processes.find(made.pid_file(made.node("audit"), "app"))
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)

    def again() -> bool:
        found = processes.find(made.pid_file(made.node("audit"), "app"))
        return found is not None and found != before

    until(again, "it was not started again")
    until(lambda: consortium.consortium("status")[0] == 0, "the node is not well again", limit=60)


def test_logs_are_kept_apart(consortium: Consortium) -> None:
    status, told = consortium.consortium("logs", "psb")
    assert status == 0
    assert {"psb/app", "psb/engine", "psb/web"} <= told.keys()
    assert any("abci: ready" in line for line in told["psb/app"])


def test_an_unknown_node_is_said_to_be_unknown(consortium: Consortium) -> None:
    status, told = consortium.consortium("stop", "nobody")
    assert (status, told["error"]["code"]) == (1, "node-unknown")


def test_down_ends_every_process(tmp_path: Path) -> None:
    running = Consortium(tmp_path)
    with running:
        made = plan.read(tmp_path)
        files = [made.pid_file(node, name) for node in made.nodes for name in ("app", "engine", "cosigner", "web")]
        found = [processes.find(each) for each in files]
        assert all(found)
        assert running.consortium("down")[0] == 0
        assert not any(each.alive() for each in found if each)
        assert running.consortium("down")[1]["error"]["code"] == "consortium-stopped"


def test_what_outlived_a_killed_supervisor_is_ended_by_down(tmp_path: Path) -> None:
    made = laid_out(tmp_path)
    sleeper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    processes.note(made.pid_file(made.node("b"), "app"), sleeper.pid)
    with pytest.raises(supervisor.ConsortiumError) as refused:
        supervisor.Supervisor(made).__enter__()
    assert refused.value.code == "consortium-running"
    done = subprocess.run(
        [sys.executable, "-m", "gov_chain.cli", "consortium", "down", "--data", str(tmp_path)], check=False
    )
    assert done.returncode == 0
    assert sleeper.wait(5) != 0


def test_a_strangers_process_under_an_old_number_is_left_alone(tmp_path: Path) -> None:
    made = laid_out(tmp_path)
    sleeper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    pid_file = made.pid_file(made.node("b"), "app")
    pid_file.write_text(f"{sleeper.pid} 1\n")
    assert processes.find(pid_file) is None
    sleeper.kill()
    sleeper.wait()


def test_too_few_validators_are_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(supervisor.ConsortiumError) as refused:
        laid_out(tmp_path / "new", validators=3)
    assert refused.value.code == "validators-number"
    assert not (tmp_path / "new").exists()


def test_every_node_starts_from_the_same_ledger_and_its_own_keys(tmp_path: Path) -> None:
    made = laid_out(tmp_path)
    stores = {(made.data(node) / "ledger" / "ledger.sqlite3").read_bytes() for node in made.nodes}
    assert len(stores) == 1
    keys = {(made.data(node) / "keys" / "ledger" / "checkpoint.key").read_bytes() for node in made.nodes}
    assert len(keys) == 4
    engine = {(made.engine(node) / "config" / "genesis.json").read_text() for node in made.nodes}
    assert len(engine) == 1
    assert len({node.node_id for node in made.nodes}) == 4


def test_a_plan_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    made = laid_out(tmp_path)
    (made.root / plan.FILE).write_text("{")
    with pytest.raises(supervisor.ConsortiumError) as refused:
        plan.read(tmp_path)
    assert refused.value.code == "consortium-unreadable"


def test_officers_of_two_nodes_stay_logged_in_in_one_browser(consortium: Consortium) -> None:
    """Cookies are a host's, whatever the port."""
    with httpx.Client() as browser:
        for agency in ("psb", "street"):
            browser.get(f"{consortium.node_url(agency)}/login")
        assert {"csrftoken-psb", "csrftoken-street"} <= set(browser.cookies)
