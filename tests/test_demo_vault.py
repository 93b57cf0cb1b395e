"""`govchain demo --vault --kill-vault`: keys in a real Vault, which dies in the middle and comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gov_chain import engines

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    try:
        engines.binary("vault")
    except engines.EnginesError as error:
        pytest.skip(error.fix_en)
    folder = tmp_path_factory.mktemp("demo") / "node"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GOVCHAIN_", "DJANGO_"))}
    command = [
        sys.executable,
        "-m",
        "gov_chain.cli",
        "demo",
        "--vault",
        "--kill-vault",
        "--json",
        "--keep",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=400, check=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if answer["ok"] else 1)
    return folder, answer


def test_every_step_holds_though_vault_dies_in_the_middle(told: tuple[Path, dict[str, Any]]) -> None:
    assert {"kill-vault", "vault-back", "vault-audit", "ledger-fsck"} <= {step["name"] for step in told[1]["steps"]}
    assert [step for step in told[1]["steps"] if not step["ok"]] == []


def test_nothing_secret_is_in_the_nodes_log(told: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = told
    secrets = json.loads((folder / "vault" / "unseal.json").read_text())
    log = (folder / "node.log").read_text() + (folder / "node.env").read_text()
    for secret in (*secrets.values(), (folder / "vault" / "secret-id").read_text().strip(), "hvs."):
        assert secret not in log


def test_what_unseals_is_readable_by_its_owner_alone(told: tuple[Path, dict[str, Any]]) -> None:
    for name in ("unseal.json", "secret-id"):
        assert (told[0] / "vault" / name).stat().st_mode & 0o077 == 0


def test_vault_ends_with_the_node(told: tuple[Path, dict[str, Any]]) -> None:
    assert not (told[0] / "vault" / "vault.pid").exists()
