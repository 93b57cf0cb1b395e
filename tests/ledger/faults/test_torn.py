"""Torn tails and flipped bits in what a killed process leaves: SQLite's file, its log, the note of the newest
checkpoint. What was acknowledged is all there, or the start refuses and fsck says so: never a shorter log in silence.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gov_chain.ledger import fsck, newest, store
from gov_chain.ledger.core import receipt
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader
from tests.ledger.town import PSB, STREET, VERIFIER, TestClock, Town, issue_record, secret_key, usage_record

WAL = f"{store.FILE}-wal"
WAL_HEADER, FRAME = 32, 24 + 4096


@dataclass(frozen=True, slots=True)
class Wreck:
    """The files at the moment of a kill, the process's shared memory gone, and what had been acknowledged by then."""

    files: dict[str, bytes]
    acknowledged: list[Committed]

    def laid_out(self, directory: Path, **changed: bytes | None) -> Path:
        """The files in a directory of their own, some of them `changed` (None: gone)."""
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name, data in (self.files | changed).items():
            if data is not None:
                (directory / name).write_bytes(data)
        return directory

    @property
    def log(self) -> bytes:
        return self.files[WAL]


@pytest.fixture(scope="module")
def wreck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wreck]:
    town = Town(tmp_path_factory.mktemp("wreck") / "ledger")
    town.register()
    secret = town.grant()
    town.engine.close()
    town.open()
    acknowledged = [
        town.submit(PSB, issue_record(), issue_record()),
        town.submit(STREET, usage_record(secret)),
        town.submit(PSB, *(issue_record() for _ in range(40))),
        town.submit(PSB, issue_record()),
    ]
    files = {name: (town.directory / name).read_bytes() for name in (store.FILE, WAL, newest.FILE)}
    assert len(files[WAL]) > WAL_HEADER + 20 * FRAME
    yield Wreck(files, acknowledged)
    town.engine.close()
    town.reader.close()


def start(directory: Path) -> Embedded:
    return Embedded(directory, verifier=VERIFIER, sign=secret_key(0).sign, clock=TestClock())


def refusal_of_start(directory: Path) -> str:
    """The code a start is refused with, "" if it is not."""
    try:
        start(directory).close()
    except LedgerError as error:
        return error.code
    return ""


def survived(wreck: Wreck, directory: Path) -> str:
    """What a start says: "whole" if all that was acknowledged is provable and fsck finds nothing, else its refusal.

    Asserts that there is no third way: a start that goes on with less, or a refusal that fsck knows nothing of.
    """
    findings = fsck.check(directory, vkey=VERIFIER.vkey).findings
    before = contents(directory)
    refused = refusal_of_start(directory)
    if refused:
        assert findings, f"the start says {refused}, fsck finds nothing"
        assert contents(directory) == before, "a refused start changed a file"
        return refused
    with closing(Reader(directory, VERIFIER)) as reader:
        for done in wreck.acknowledged:
            assert receipt.verify(reader.receipt(done.first), VERIFIER.vkey).kind == "transaction"
    assert fsck.check(directory, vkey=VERIFIER.vkey).findings == []
    return "whole"


def contents(directory: Path) -> dict[str, bytes]:
    """What a disk keeps; SQLite's shared memory is made anew from it, and an empty log says nothing."""
    kept = [file for file in directory.iterdir() if not file.name.endswith(("-shm", store.LOCK))]
    return {file.name: data for file in kept if (data := file.read_bytes())}


def test_what_a_kill_leaves_is_whole(wreck: Wreck, tmp_path: Path) -> None:
    assert survived(wreck, wreck.laid_out(tmp_path / "ledger")) == "whole"


def test_a_log_cut_at_any_frame_is_noticed(wreck: Wreck, tmp_path: Path) -> None:
    """Every frame's boundary, and a little before and after."""
    for boundary in range(WAL_HEADER, len(wreck.log), FRAME):
        for length in (boundary - 1, boundary, boundary + 1, boundary + 24, boundary + 2000):
            directory = wreck.laid_out(tmp_path / "ledger", **{WAL: wreck.log[:length]})
            assert survived(wreck, directory) == "ledger-behind", length


@pytest.mark.parametrize("log", [None, b"", b"\0" * 5000])
def test_a_log_that_is_gone_is_noticed(wreck: Wreck, tmp_path: Path, log: bytes | None) -> None:
    assert survived(wreck, wreck.laid_out(tmp_path / "ledger", **{WAL: log})) == "ledger-behind"


def test_what_was_written_after_the_last_commit_has_no_effect(wreck: Wreck, tmp_path: Path) -> None:
    for tail in (b"\0" * FRAME, b"\xff" * 100, wreck.log[-FRAME:], wreck.log[WAL_HEADER:]):
        directory = wreck.laid_out(tmp_path / "ledger", **{WAL: wreck.log + tail})
        assert survived(wreck, directory) == "whole"


def flips(data: bytes, places: Sequence[int], dice: random.Random) -> Iterator[bytes]:
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << dice.randrange(8)
        yield bytes(flipped)


def places_in_log(log: bytes, dice: random.Random) -> list[int]:
    """Every byte of the log's header, and of each frame some of the header and some of the page."""
    found = list(range(WAL_HEADER))
    for frame in range(WAL_HEADER, len(log), FRAME):
        found += [frame + at for at in (0, 3, 4, 7, 8, 15, 16, 20, 23)]
        found += [frame + dice.randrange(24, FRAME) for _ in range(2)]
    return found


def test_a_flipped_bit_in_the_log_is_reported_or_without_effect(wreck: Wreck, tmp_path: Path) -> None:
    """Without effect: a start finds every acknowledged record, and fsck nothing."""
    dice = random.Random(7)
    places = places_in_log(wreck.log, dice)
    seen = [
        survived(wreck, wreck.laid_out(tmp_path / "ledger", **{WAL: flipped}))
        for flipped in flips(wreck.log, dice.sample(places, 120), dice)
    ]
    assert set(seen) <= {"whole", "ledger-behind"}
    assert seen.count("ledger-behind") > 100


@pytest.mark.nightly
def test_a_flipped_bit_at_every_place_looked_at_is_reported_or_without_effect(wreck: Wreck, tmp_path: Path) -> None:
    dice = random.Random()
    for flipped in flips(wreck.log, places_in_log(wreck.log, dice), dice):
        survived(wreck, wreck.laid_out(tmp_path / "ledger", **{WAL: flipped}))


@pytest.mark.parametrize("damage", [lambda note: note[:60], lambda note: b"\xff" + note[1:], lambda note: b"\0" * 4096])
def test_a_damaged_note_of_the_newest_checkpoint_is_found_and_written_anew(
    wreck: Wreck, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    directory = wreck.laid_out(tmp_path / "ledger", **{newest.FILE: damage(wreck.files[newest.FILE])})
    start(directory).close()
    assert (directory / newest.FILE).read_bytes() == wreck.files[newest.FILE]


def test_a_flipped_bit_in_the_note_is_found(wreck: Wreck, tmp_path: Path) -> None:
    note = wreck.files[newest.FILE]
    dice = random.Random(8)
    for flipped in flips(note, range(0, len(note.rstrip(b"\0")), 7), dice):
        directory = wreck.laid_out(tmp_path / "ledger", **{newest.FILE: flipped})
        assert [each.where for each in fsck.check(directory, vkey=VERIFIER.vkey).findings] == [newest.FILE]
        start(directory).close()
        assert fsck.check(directory, vkey=VERIFIER.vkey).findings == []


def test_a_file_cut_short_is_refused(wreck: Wreck, tmp_path: Path) -> None:
    """The pages the log does not replace are needed from the file."""
    directory = wreck.laid_out(tmp_path / "whole")
    start(directory).close()
    whole = (directory / store.FILE).read_bytes()
    for pages in range(len(whole) // 4096):
        for length in (pages * 4096, pages * 4096 + 700):
            cut = wreck.laid_out(tmp_path / "ledger", **{store.FILE: whole[:length], WAL: None})
            assert survived(wreck, cut) in ("ledger-damaged", "ledger-behind"), length


def test_an_unacknowledged_end_is_taken_over_and_fsynced(wreck: Wreck, tmp_path: Path) -> None:
    """A kill between commit and note: the store is ahead of the note, which is right."""
    town = Town(tmp_path / "other")
    town.register()
    behind = (town.directory / newest.FILE).read_bytes()
    town.submit(PSB, issue_record())
    town.engine.close()
    town.reader.close()
    (town.directory / newest.FILE).write_bytes(behind)
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []
    start(town.directory).close()
    assert (town.directory / newest.FILE).read_bytes() != behind
