"""A power cut at any moment of appending: what was fsynced is there, of the rest any part may be.

One run of the child is recorded, write by write and fsync by fsync. From the record come disks as a power cut could
have left them: of what was written since a file's last fsync nothing, all, a beginning, or any selection, the
last of it torn in the middle of a page. On each the ledger starts, has every block that was acknowledged by then,
and is whole.
"""

from __future__ import annotations

import random
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gov_chain.ledger import fsck, newest, store
from gov_chain.ledger.core import checkpoint
from gov_chain.ledger.reader import Reader
from tests.ledger.faults import injection
from tests.ledger.faults.test_sweep import Scene, make
from tests.ledger.faults.test_torn import start
from tests.ledger.town import VERIFIER, Town

pytestmark = pytest.mark.skipif(injection.STRACE is None, reason="needs strace (apt-get install strace)")

SECTOR = 512
_LINE = re.compile(r'^\d+ +(\w+)\((?:\d+<([^>]*)>|"([^"]*)")(?:, "([^"]*)", \d+)?(?:, (\d+))?\) += \d+$')


@dataclass(frozen=True, slots=True)
class Event:
    call: str
    file: str
    data: bytes = b""
    at: int = 0
    """Offset of a write, or the length a file is cut to."""


@dataclass(slots=True)
class Disk:
    """What is on the platter, and what is on its way there."""

    durable: dict[str, bytes]
    waiting: dict[str, list[Event]] = field(default_factory=dict)
    acknowledged: int = 0
    """Entries under the newest checkpoint whoever waits may have been told of."""

    def apply(self, event: Event) -> None:
        if event.call in ("fsync", "fdatasync"):
            if event.file in self.waiting:
                self.durable = written(self.durable, self.waiting.pop(event.file))
            return
        if event.file == newest.FILE:
            self.acknowledged = checkpoint.verify(event.data.rstrip(b"\0").decode(), VERIFIER).size
        self.waiting.setdefault(event.file, []).append(event)

    def after_a_cut(self, dice: random.Random) -> dict[str, bytes]:
        """One of the many things that may be found on it."""
        files = self.durable
        for events in self.waiting.values():
            chosen = dice.choice((events, events[: dice.randrange(len(events) + 1)], [], some(events, dice)))
            if chosen and chosen[-1].call == "pwrite64" and dice.random() < 0.3:
                last = chosen[-1]
                torn = dice.randrange(0, len(last.data), SECTOR)
                chosen = [*chosen[:-1], Event(last.call, last.file, last.data[:torn], last.at)]
            files = written(files, chosen)
        return files


def some(events: list[Event], dice: random.Random) -> list[Event]:
    return [event for event in events if dice.random() < 0.5]


def written(files: dict[str, bytes], events: list[Event]) -> dict[str, bytes]:
    """The files after these events."""
    found = dict(files)
    for event in events:
        if event.call == "unlink":
            found.pop(event.file, None)
            continue
        data = found.get(event.file, b"")
        if event.call == "ftruncate":
            found[event.file] = data[: event.at].ljust(event.at, b"\0")
        else:
            data = data.ljust(event.at, b"\0")
            found[event.file] = data[: event.at] + event.data + data[event.at + len(event.data) :]
    return found


def recorded(log: str) -> Iterator[Event]:
    """What a run did to the ledger's files; shared memory does not outlive a power cut."""
    for line in log.splitlines():
        if "+++" in line or line.endswith("= ?") or "unfinished" in line:
            # The end of the process, and the call in which it was killed.
            continue
        match = _LINE.match(line)
        assert match is not None, line[:200]
        call, by_number, by_name, data, number = match.groups()
        file = Path(unhex(by_number or by_name).decode()).name
        if not file.endswith("-shm"):
            yield Event(call, file, unhex(data or ""), int(number or 0))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make(Town(tmp_path_factory.mktemp("power") / "ledger"))


History = tuple[Disk, list[Event]]


def played(scene: Scene, disk: Disk, *, inject: str = "") -> History:
    """The disk before a run, and what the run did to it."""
    injection.run(scene.directory, scene.bodies, inject=inject, shown=1 << 17)
    log = scene.directory.with_name(f"{scene.directory.name}.strace").read_text()
    return disk, list(recorded(log))


def at_rest(directory: Path) -> dict[str, bytes]:
    gone = (store.LOCK, f"{store.FILE}-shm")
    return {file.name: file.read_bytes() for file in directory.iterdir() if file.name not in gone}


@pytest.fixture(scope="module")
def history(scene: Scene) -> History:
    return played(scene, Disk(at_rest(scene.directory)))


def test_the_record_makes_the_files_as_they_are(scene: Scene, history: History) -> None:
    """Every write was seen and understood."""
    disk, events = history
    assert written(disk.durable, [each for each in events if "sync" not in each.call]) == at_rest(scene.directory)


def cut_everywhere(history: History, folder: Path, *, each: int, dice: random.Random) -> str:
    """`each` cuts after every event; how many there were."""
    disk, events = history
    disk = replace(disk, waiting={file: [*waiting] for file, waiting in disk.waiting.items()})
    for event in events:
        disk.apply(event)
        for _ in range(each):
            holds(disk.after_a_cut(dice), disk.acknowledged, folder / "ledger")
    return f"power cut after each of {len(events)} writes: {len(events) * each} disks, 0 violations"


def holds(files: dict[str, bytes], acknowledged: int, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    start(directory).close()
    reader = Reader(directory, VERIFIER)
    assert reader.size >= acknowledged, f"{acknowledged} entries were acknowledged, {reader.size} are left"
    reader.close()
    assert fsck.check(directory, vkey=VERIFIER.vkey).findings == []


def test_a_power_cut_loses_nothing_that_was_acknowledged(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(cut_everywhere(history, tmp_path, each=2, dice=random.Random(11)), capsys)


@pytest.mark.nightly
def test_many_power_cuts_lose_nothing_that_was_acknowledged(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(cut_everywhere(history, tmp_path, each=30, dice=random.Random()), capsys)


def test_a_block_a_killed_process_had_not_fsynced_is_fsynced_before_anyone_relies_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed in the fsync of a commit, started again, and then the power goes."""
    scene = make(Town(tmp_path / "ledger"))
    disk, events = played(scene, Disk(at_rest(scene.directory)), inject="fdatasync:signal=KILL:when=4")
    for event in events:
        disk.apply(event)
    assert any(event.file.endswith("-wal") for event in disk.waiting[f"{store.FILE}-wal"])
    told(cut_everywhere(played(scene, disk), tmp_path / "cut", each=1, dice=random.Random(12)), capsys)


def told(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{line} ")
