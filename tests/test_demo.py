"""`govchain demo`: the whole job over HTTP, and a ledger that knows when it was touched."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def govchain(*arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOVCHAIN_", "DJANGO_"))}
    command = [sys.executable, "-m", "gov_chain.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=kept, cwd=ROOT, timeout=240, check=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A node's data as the demo left it, and what the demo said."""
    folder = tmp_path_factory.mktemp("demo") / "node"
    done = govchain("demo", "--json", "--keep", str(folder))
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if told["ok"] else 1)
    return folder, told


def test_every_step_holds(kept: tuple[Path, dict[str, Any]]) -> None:
    assert [step for step in kept[1]["steps"] if not step["ok"]] == []
    assert kept[1]["ok"]


def test_a_step_has_name_outcome_seconds_and_detail(kept: tuple[Path, dict[str, Any]]) -> None:
    assert all(step.keys() == {"name", "ok", "seconds", "detail"} for step in kept[1]["steps"])


def test_no_identity_number_is_in_the_nodes_log_or_ledger(kept: tuple[Path, dict[str, Any]]) -> None:
    numbers = [line.split(",")[5] for line in (kept[0] / "people.csv").read_text("utf-8-sig").splitlines()[1:]]
    seen = (kept[0] / "node.log").read_bytes() + (kept[0] / "ledger" / "ledger.sqlite3").read_bytes()
    assert not [number for number in numbers if number.encode() in seen]


def test_a_kept_folder_is_not_written_over(kept: tuple[Path, dict[str, Any]]) -> None:
    assert govchain("demo", "--keep", str(kept[0])).returncode == 2


def test_fsck_finds_one_flipped_byte(kept: tuple[Path, dict[str, Any]]) -> None:
    """Last in this module: it spoils the kept ledger."""
    assert govchain("ledger", "fsck", "--data", str(kept[0])).returncode == 0
    file = kept[0] / "ledger" / "ledger.sqlite3"
    with closing(sqlite3.connect(file)) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (bodies,) = rows.execute("SELECT bodies FROM entries WHERE first <= 7 ORDER BY first DESC LIMIT 1").fetchone()
    data = bytearray(file.read_bytes())
    data[data.index(bodies[-20:]) + 19] ^= 1
    file.write_bytes(data)
    done = govchain("ledger", "fsck", "--data", str(kept[0]))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
