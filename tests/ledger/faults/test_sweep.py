"""A counted sweep over the append path: at each write, fsync, truncation and unlink the process is killed, the disk
fails, the disk is full. After each the ledger starts as always and the invariants hold.

CI runs every point of SIGKILL, and some of the others; `make nightly` runs them all.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.faults import injection, invariants
from tests.ledger.town import HOME, PSB, STREET, Town, issue_record, usage_record

FAULTS = {
    "SIGKILL": "signal=KILL:when={k}",
    "EIO": "error=EIO:when={k}",
    "ENOSPC": "error=ENOSPC:when={k}",
    "ENOSPC until restart": "error=ENOSPC:when={k}+",
}
EVERY_POINT = {(state, fault): 1 for state in ("fresh", "crashed") for fault in FAULTS}
SAMPLE = dict.fromkeys(EVERY_POINT, 10) | {("fresh", "SIGKILL"): 1}
"""Of every so many points, one is tried."""

pytestmark = pytest.mark.skipif(injection.STRACE is None, reason="needs strace (apt-get install strace)")


@dataclass(frozen=True, slots=True)
class Scene:
    """A ledger at rest, and what a child will append to it."""

    directory: Path
    bodies: list[bytes]
    next: bytes


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A ledger closed in good order."""
    return make(Town(tmp_path_factory.mktemp("fresh") / "ledger"))


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A ledger whose writer was killed: its newest blocks are in SQLite's log only."""
    folder = tmp_path_factory.mktemp("crashed")
    scene = make(Town(folder / "ledger"))
    first, *others = scene.bodies
    done = injection.run(scene.directory, [first, others[0], others[1]], inject="fsync,fdatasync:signal=KILL:when=4")
    assert done.ended is None
    assert (scene.directory / "ledger.sqlite3-wal").stat().st_size > 0
    return scene


def make(town: Town) -> Scene:
    town.register()
    secret = town.grant()
    bodies = [
        town.signed(PSB, issue_record(), issue_record()),
        town.signed(STREET, usage_record(secret), usage_record(b"no grant")),
        town.signed(PSB, *(issue_record() for _ in range(250))),
        town.signed(HOME, records.withdraw(secret=secret)),
        town.signed(PSB, issue_record()),
    ]
    scene = Scene(town.directory, bodies, town.signed(PSB, records.issue(type=1, type_version=1, commitment=b"n" * 32)))
    town.engine.close()
    town.reader.close()
    return scene


def sweep(scene: Scene, fault: str, folder: Path, *, stride: int) -> str:
    """How many points were tried, of how many. Every violation is told together at the end."""
    counted = injection.run(copy(scene, folder / "counted"), scene.bodies)
    assert counted.ended == ""
    assert [at for at, _ in counted.acknowledged] == list(range(len(scene.bodies)))
    points = [(call, k) for call in injection.CALLS for k in range(1, counted.most(call) + 1)]
    tried = points[secrets.randbelow(stride) :: stride]
    violations = []
    for call, k in tried:
        directory = copy(scene, folder / "swept")
        inject = f"{call}:{FAULTS[fault].format(k=k)}"
        done = injection.run(directory, scene.bodies, inject=inject)
        try:
            assert (done.ended is None) == (fault == "SIGKILL"), done.ended
            invariants.check(directory, scene.bodies, done.acknowledged, scene.next)
        except (AssertionError, LedgerError, sqlite3.Error) as error:
            violations.append(f"{inject}: {error!r}")
        shutil.rmtree(directory)
    assert violations == []
    return f"swept {len(tried)} of {len(points)} points, 0 violations"


def copy(scene: Scene, to: Path) -> Path:
    return Path(shutil.copytree(scene.directory, to))


def told(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{line} ")


@pytest.mark.parametrize(("state", "fault"), SAMPLE)
def test_a_fault_in_the_append_path_loses_and_tears_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str], state: str, fault: str
) -> None:
    scene = request.getfixturevalue(state)
    told(f"{state} ledger, {fault}: {sweep(scene, fault, tmp_path, stride=SAMPLE[state, fault])}", capsys)


@pytest.mark.nightly
@pytest.mark.parametrize(("state", "fault"), EVERY_POINT)
def test_a_fault_at_every_point_loses_and_tears_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str], state: str, fault: str
) -> None:
    scene = request.getfixturevalue(state)
    told(f"{state} ledger, {fault}: {sweep(scene, fault, tmp_path, stride=1)}", capsys)
