"""The command line: what it offers, what it answers, and that README tells the truth about it."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from demo.node import Node
from gov_chain import cli

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
PLACEHOLDERS = {
    "NAME",
    "ROLE",
    "SLUG",
    "TYPE",
    "FILE",
    "FILE.csv",
    "RECEIPT",
    "VKEY",
    "K",
    "T",
    "M",
    "DIR",
    "N",
    "NODE",
    "…",
}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOVCHAIN_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "gov_chain.cli", *arguments],
        capture_output=True,
        text=True,
        env=kept | environment,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def commands() -> dict[str, set[str]]:
    """Every command as people type it, with its options."""
    return {leaf.prog.removeprefix("govchain "): set(leaf._option_string_actions) for leaf in cli.leaves(cli.parser())}


def shown_commands() -> list[tuple[str, list[str]]]:
    found = []
    for document in DOCUMENTS:
        for line in document.read_text(encoding="utf-8").splitlines():
            for match in re.finditer(r"(?:\.venv/bin/|`)govchain ([a-z][^`|>#]*)", line):
                text = re.split(r"  +| #", match[1])[0]
                found.append((document.name, shlex.split(text.replace('"$(', "").replace(')"', ""))))
    return found


def test_help_needs_neither_django_nor_a_second() -> None:
    code = "import sys; from gov_chain import cli; cli.parser().format_help(); sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=20).returncode == 0


def test_every_command_takes_json_and_data() -> None:
    assert all({"--json", "--data"} <= options for options in commands().values())


def test_every_command_has_something_to_run() -> None:
    """A sub-parser named like its handler took its place once, and the command ended in a TypeError."""
    assert not [leaf.prog for leaf in cli.leaves(cli.parser()) if not inspect.isfunction(leaf.get_default("handler"))]


def test_every_command_the_issue_names_exists() -> None:
    wanted = {"up", "doctor", "demo", "demo-data", "register import", "credential offer", "presentation request"}
    assert wanted | {"audit tail", "ledger prove", "ledger fsck", "ledger verify"} <= commands().keys()


@pytest.mark.parametrize(("document", "words"), shown_commands())
def test_commands_in_the_documents_exist(document: str, words: list[str]) -> None:
    known = commands()
    name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), None)
    assert name, f"{document}: govchain {' '.join(words)}"
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    assert options <= known[name], f"{document}: {name} has no {options - known[name]}"


def test_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in commands() if f"govchain {name}" not in text]
    assert not missing


def test_wrong_usage_exits_2() -> None:
    assert run("ledger").returncode == 2
    assert run("register", "import").returncode == 2


def test_an_unsafe_setting_is_one_line() -> None:
    done = run("doctor", GOVCHAIN_ENV="production")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "GOVCHAIN_KEYS" in done.stderr


def test_a_refusal_is_one_line_in_both_languages_with_its_code(tmp_path: Path) -> None:
    done = run("ledger", "vkey", "--data", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert re.search(r"[\u4e00-\u9fff].*[a-z].*\[[a-z-]+\]$", done.stderr.strip())


def test_a_refusal_in_json_names_its_code(tmp_path: Path) -> None:
    done = run("ledger", "vkey", "--data", str(tmp_path), "--json")
    assert json.loads(done.stdout)["error"]["code"]
    assert done.returncode == 1


def test_verify_works_without_settings(tmp_path: Path) -> None:
    receipt = tmp_path / "x.tlog-proof"
    receipt.write_text("not a receipt")
    vkey = "ledger.yunzhou.example+0fbdbdfa+AZXvnLYQh+v1sWP1ylfJ6ZBDyN/hQp7T+4hyYXCUIXmI"
    done = run("ledger", "verify", str(receipt), "--vkey", vkey, GOVCHAIN_ENV="nonsense", DJANGO_SETTINGS_MODULE="none")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("up", "--port", str(port), "--data", str(tmp_path / "node"))
    assert done.returncode == 1
    assert "[port-taken]" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "node").exists()


def test_doctor_of_an_empty_folder_fails_and_says_what_to_do(tmp_path: Path) -> None:
    done = run("doctor", "--json", "--data", str(tmp_path))
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert not told["ok"]
    failed = {check["name"]: check for check in told["checks"] if check["result"] == "fail"}
    assert {"database", "ledger"} <= failed.keys()
    assert all(check["next_en"] for check in failed.values())


def test_a_second_node_on_the_same_data_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Node(tmp_path / "node") as first:
        done = run("up", "--port", "0", "--data", str(first.data))
        assert done.returncode == 1
        assert "[sequencer-running]" in done.stderr
        assert httpx.get(f"{first.base_url}/directory.json").json()["agencies"][0]["base_url"] == first.base_url


def test_a_node_starts_again_on_its_own_data(tmp_path: Path) -> None:
    with Node(tmp_path / "node") as first:
        vkey = first.greeting["vkey"]
    with Node(tmp_path / "node") as second:
        assert second.greeting["vkey"] == vkey
        assert run("ledger", "fsck", "--data", str(second.data)).returncode == 0


def test_a_node_counts_guesses_by_the_address_they_come_from_not_by_the_one_they_name(tmp_path: Path) -> None:
    with Node(tmp_path / "node") as node, httpx.Client(base_url=node.base_url) as http:
        http.get("/login")
        form = {"csrfmiddlewaretoken": http.cookies["csrftoken"], "username": "issuer", "password": "guess"}
        answers = [http.post("/login", data=form, headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
