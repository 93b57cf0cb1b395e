"""The ledger's bench runs, tiny, and its object has the promised shape; how fast is for a quiet machine to tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bench.measuring.giants import MadeUpTiles
from bench.peers import tessera_log
from gov_chain.ledger.core import tiles, tree

ROOT = Path(__file__).resolve().parent.parent
PROMISED = {
    "records/s, single, 64 submitters": ("records/s", True),
    "records/s, batches of 64": ("records/s", False),
    "records/s, batches of 1,024": ("records/s", True),
    "stretch: records/s embedded": ("records/s", True),
    "receipt p99, 1,200 leaves": ("ms", True),
    "bytes a record on disk": ("bytes", True),
    "state map update, 600 keys": ("µs/record", False),
    "state proof p99, 600 keys": ("ms", False),
    "receipt verified p50, 2,000,000,000 leaves": ("ms", False),
    "state proof size, 180,000,000 keys": ("bytes", False),
    "storage projected, 2,000,000,000 records": ("GB", False),
}
"""Figure → its unit, and whether it has an aim."""


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Without Go, so that nothing is built here."""
    folder = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "ledger", "--size", "tiny", "--json", "--dir", folder],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PATH"} | {"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_figure_has_the_same_members(figures: dict[str, dict[str, Any]]) -> None:
    for name, figure in figures.items():
        assert set(figure) == {"value", "unit", "peer", "ratio", "aim", "ok", "note"}, name
        assert figure["value"] > 0, name


def test_a_ratio_comes_with_its_peer_and_a_verdict_with_its_aim(figures: dict[str, dict[str, Any]]) -> None:
    for name, figure in figures.items():
        assert (figure["ratio"] is None) == (figure["peer"] is None), name
        assert (figure["ok"] is None) == (figure["aim"] == ""), name


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_figure_is_there(name: str, figures: dict[str, dict[str, Any]]) -> None:
    unit, aimed = PROMISED[name]
    assert figures[name]["unit"] == unit
    assert (figures[name]["ok"] is not None) == aimed


def test_without_go_the_peer_is_absent_and_nothing_is_missed(figures: dict[str, dict[str, Any]]) -> None:
    figure = figures["records/s, batches of 64 (Tessera)"]
    assert figure["peer"] is None
    assert figure["ok"] is None
    assert figure["note"] == "peer absent: Go is not installed"


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_536, 70_001])
def test_made_up_tiles_are_those_of_one_tree(size: int) -> None:
    """Every subtree on the known entry's way has the root the tile above says, whichever entry it is."""
    for index in {0, size // 2, size - 1}:
        leaf = sha256(b"%d" % index).digest()
        read = MadeUpTiles(size, index, leaf)
        node = tiles.nodes(read)
        root = tree.fold(tree.peaks(size, node))
        proof = tree.inclusion_proof(index, size, node)
        tree.verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)


def test_tessera_is_absent_when_its_modules_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'dial tcp: no such host' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(tessera_log.Absent, match="no such host"):
        tessera_log.build()
