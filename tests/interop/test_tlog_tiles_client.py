"""The log as strangers read it: Tessera's own tlog-tiles client and fsck, unmodified, in Go.

`tlog/main.go` is ours, everything it calls is theirs. It reads a copy served by `govchain ledger serve`, which has
neither the node's keys nor its database, and the cosignature of a `govchain witness`. The program is built once for
its sources, outside the repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gov_chain.ledger.core import cosignature
from gov_chain.ledger.witness import rounds
from gov_chain.ledger.witness.asking import WitnessAt
from gov_chain.ledger.witness.kept import Kept
from tests.ledger.town import PSB, VERIFIER, Town, issue_record

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "tlog"
OFFLINE = (
    "dial tcp",
    "no such host",
    "403 Forbidden",
    "proxyconnect",
    "i/o timeout",
    "module lookup disabled",
    "go >=",
)


def go(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    return subprocess.run(
        ["go", *arguments], cwd=SOURCES, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.fixture(scope="session")
def program() -> Path:
    """The built client, kept under the digest of its sources."""
    digest = sha256(b"".join(file.read_bytes() for file in sorted(SOURCES.iterdir()))).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "govchain-tests"
    built = cache / f"tlog-{digest}"
    if not built.exists():
        fetched = go("mod", "download")
        if fetched.returncode and any(sign in fetched.stderr for sign in OFFLINE):
            pytest.xfail("Go modules cannot be had here: " + fetched.stderr.strip().splitlines()[-1])
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as draft:
            made = go("build", "-trimpath", "-o", f"{draft}/tlog", ".")
            assert made.returncode == 0, made.stderr
            Path(draft, "tlog").replace(built)
    return built


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path / "town" / "ledger")
    yield made
    made.engine.close()
    made.reader.close()


@contextmanager
def running(*arguments: str) -> Iterator[dict[str, Any]]:
    """A `govchain` command while the block runs, and what it said on standard output until it was ready."""
    command = [sys.executable, "-m", "gov_chain.cli", *arguments, "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GOVCHAIN_", "DJANGO_"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE.parents[1]) as process:
        try:
            told: dict[str, Any] = {}
            while "ready" not in told:
                assert process.stdout is not None
                told |= json.loads(process.stdout.readline())
            yield told
        finally:
            process.terminate()


def read(program: Path, url: str, *options: str, vkey: str = VERIFIER.vkey) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *options, url, vkey], capture_output=True, text=True, check=False, timeout=120)


def test_a_foreign_client_rebuilds_the_log_from_a_served_copy(program: Path, town: Town, tmp_path: Path) -> None:
    town.register()
    older = tmp_path / "older"
    older.write_text(town.reader.checkpoint())
    with (
        running("ledger", "serve", "--data", str(town.directory.parent), "--port", "0") as copy,
        running("witness", "--data", str(tmp_path / "w"), "--log", VERIFIER.vkey, "--port", "0") as witness,
    ):
        assert copy["vkey"] == VERIFIER.vkey
        at = WitnessAt(cosignature.parse_vkey(witness["vkey"]), witness["url"].rstrip("/"))
        for count in (240, 9, 2, 700):  # sizes below, at and above full tiles
            town.submit(PSB, *(issue_record() for _ in range(count - 1)))
            (answer,) = rounds.ask_all(town.reader, Kept(town.directory), [at])
            assert answer.state == "cosigned"
            done = read(program, copy["url"], "-old", str(older), "-witness", witness["vkey"])
            assert done.returncode == 0, done.stderr
            told = json.loads(done.stdout)
            assert told["size"] == town.reader.size
            assert told["consistent_from"] == 7
            assert told["included"] >= 25
            assert told["cosigned_at"] > 1_700_000_000


def test_the_foreign_client_refuses_another_key_and_another_past(program: Path, town: Town, tmp_path: Path) -> None:
    other = Town(tmp_path / "other")
    other.submit(PSB, *(issue_record() for _ in range(3)))
    forged = tmp_path / "forged"
    forged.write_text(other.reader.checkpoint())
    other.engine.close()
    other.reader.close()
    town.register()
    stranger = VERIFIER.__class__(VERIFIER.name, bytes(32)).vkey
    with running("ledger", "serve", "--data", str(town.directory), "--port", "0") as copy:
        assert read(program, copy["url"], vkey=stranger).returncode == 1
        refused = read(program, copy["url"], "-old", str(forged))
        assert refused.returncode == 1
        assert "consistency" in refused.stderr
