"""What `deploy/` shows can be deployed: units systemd accepts, containers that fit, runbooks with real commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gov_chain import cli
from tests.consortium.network import cometbft_binary

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        assert os.environ.get("CI") != "true"
        pytest.skip("needs systemd-analyze")
    here = {
        "/opt/govchain/.venv/bin/python": sys.executable,
        "/opt/govchain/.venv/bin/govchain": str(Path(sys.executable).parent / "govchain"),
        "/opt/govchain/bin/cometbft": str(cometbft_binary()),
    }
    for unit in UNITS:
        text = unit.read_text()
        for named, real in here.items():
            text = text.replace(named, real)
        (tmp_path / unit.name).write_text(text)
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_process_of_a_node_has_a_unit_and_a_container() -> None:
    from gov_chain.consortium.health import PROCESSES

    compose = json.loads((ROOT / "deploy" / "compose.json").read_text())
    assert {unit.stem.removeprefix("govchain-") for unit in UNITS} == set(PROCESSES) <= set(compose["services"])


def test_the_containers_refer_to_what_is_there() -> None:
    compose = json.loads((ROOT / "deploy" / "compose.json").read_text())
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", [])) <= set(services)
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
    assert "UNTESTED" in compose["x-note"]


def test_runbooks_name_commands_that_exist() -> None:
    known = {leaf.prog.removeprefix("govchain ") for leaf in cli.leaves(cli.parser())}
    pages = [page for page in sorted((ROOT / "docs" / "runbooks").glob("*.md")) if page.name != "README.md"]
    assert len(pages) == 6
    for page in [*pages, ROOT / "deploy" / "README.md"]:
        for command in re.findall(r"`govchain ([a-z -]+[a-z])", page.read_text()):
            assert any(command == name or command.startswith(f"{name} ") for name in known), f"{page.name}: {command}"
