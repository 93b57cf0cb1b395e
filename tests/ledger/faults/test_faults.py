"""The other faults of an embedded log (threats.md). After each: I1, I2 and I4 hold, as `invariants` checks them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
from concurrent.futures import wait
from pathlib import Path

import pytest

from gov_chain.ledger import fsck, newest, node, relay, store
from gov_chain.ledger.core import receipt, records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.reader import Reader
from tests.ledger.contract import refusal
from tests.ledger.faults import appender, injection, invariants
from tests.ledger.test_relay import enqueue
from tests.ledger.town import HOME, PSB, START, STREET, VERIFIER, Town, issue_record, usage_record

Acknowledged = list[tuple[int, Committed]]


@pytest.fixture
def bodies(town: Town) -> list[bytes]:
    """Transactions that may come in any order, all signed and none sent."""
    town.register()
    first, second = town.grant(), town.grant()
    return [
        town.signed(PSB, issue_record(), issue_record()),
        town.signed(STREET, usage_record(first), usage_record(b"no grant")),
        town.signed(PSB, *(issue_record() for _ in range(60))),
        town.signed(HOME, records.withdraw(secret=second)),
        town.signed(PSB, issue_record()),
    ]


def send(town: Town, bodies: list[bytes], order: list[int]) -> Acknowledged:
    """What is acknowledged when all go at once, in this order; a repeat is refused as one."""
    futures = [(at, town.engine.submit(bodies[at])) for at in order]
    wait([future for _, future in futures])
    refused = [error.code for _, future in futures if isinstance(error := future.exception(), LedgerError)]
    assert set(refused) <= {"sequence-used"}
    return [(at, future.result()) for at, future in futures if future.exception() is None]


def rest(town: Town) -> bytes:
    """Close the town's ledger; a transaction to be accepted after whatever comes."""
    body = town.signed(PSB, issue_record())
    town.engine.close()
    return body


@pytest.mark.parametrize("seed", range(5))
def test_duplicate_and_reordered_submission(town: Town, bodies: list[bytes], seed: int) -> None:
    dice = random.Random(seed)
    order = [*range(len(bodies)), *range(len(bodies)), *range(len(bodies))]
    dice.shuffle(order)
    acknowledged = send(town, bodies, order)
    assert sorted(at for at, _ in acknowledged) == list(range(len(bodies)))
    next_ = rest(town)
    assert invariants.check(town.directory, bodies, acknowledged, next_).present == len(bodies)


def test_duplicate_submission_across_a_restart(town: Town, bodies: list[bytes]) -> None:
    acknowledged = send(town, bodies, [2, 0])
    town.engine.close()
    town.open()
    assert refusal(town.engine.submit(bodies[0])) == "sequence-used"
    acknowledged += send(town, bodies, [0, 1, 2, 3, 4])
    next_ = rest(town)
    assert invariants.check(town.directory, bodies, acknowledged, next_).present == len(bodies)


def test_a_second_sequencer_is_refused_until_the_first_is_dead(town: Town, bodies: list[bytes]) -> None:
    """The lock is the kernel's: no file left behind by a killed process keeps the next one out."""
    next_ = rest(town)
    telling, theirs = injection.FORKS.Pipe()
    first = injection.FORKS.Process(target=appender.hold, args=(town.directory, bodies[0], theirs))
    first.start()
    theirs.close()
    done = telling.recv()
    before = (town.directory / store.FILE).read_bytes()
    for _ in range(3):
        with pytest.raises(LedgerError, match="sequencer-running"):
            town.open()
    assert (town.directory / store.FILE).read_bytes() == before
    os.kill(first.pid or 0, signal.SIGKILL)
    first.join()
    assert invariants.check(town.directory, bodies, [(0, done)], next_).present == 1


def test_a_clock_that_jumps_forward(town: Town, bodies: list[bytes]) -> None:
    acknowledged = send(town, bodies, [0])
    town.clock.jump(86400)
    assert {refusal(town.engine.submit(body)) for body in bodies[1:]} == {"clock-jumped"}
    town.clock.jump(-86400)
    acknowledged += send(town, bodies, [1, 2, 3, 4])
    assert {done.time for _, done in acknowledged} == {START}
    next_ = rest(town)
    assert invariants.check(town.directory, bodies, acknowledged, next_).present == len(bodies)


def test_a_clock_that_jumps_back(town: Town, bodies: list[bytes]) -> None:
    town.clock.pass_time(30)
    acknowledged = send(town, bodies, [0, 1])
    town.clock.jump(-86400 * 365)
    acknowledged += send(town, bodies, [2, 3])
    town.engine.close()
    town.open()
    acknowledged += send(town, bodies, [4])
    assert {done.time for _, done in acknowledged} == {START + 30}
    town.clock.jump(86400 * 365)
    next_ = rest(town)
    invariants.check(town.directory, bodies, acknowledged, next_)


def test_an_old_file_restored_beside_the_newest_checkpoint(town: Town, bodies: list[bytes], tmp_path: Path) -> None:
    acknowledged = send(town, bodies, [0])
    town.engine.close()
    old = shutil.copy(town.directory / store.FILE, tmp_path)
    town.open()
    acknowledged += send(town, bodies, [1, 2, 3, 4])
    next_ = rest(town)
    current = shutil.copy(town.directory / store.FILE, tmp_path / "current")
    shutil.copy(old, town.directory / store.FILE)
    with pytest.raises(LedgerError, match="ledger-behind"):
        town.open()
    assert (town.directory / store.FILE).read_bytes() == Path(old).read_bytes()
    assert [each.where for each in fsck.check(town.directory, vkey=VERIFIER.vkey).findings] == [newest.FILE]
    shutil.copy(current, town.directory / store.FILE)
    assert invariants.check(town.directory, bodies, acknowledged, next_).present == len(bodies)


def test_another_history_of_the_same_length_is_refused(town: Town, bodies: list[bytes], tmp_path: Path) -> None:
    """Whoever restores an old file without its note, and writes on, has a second history: the note tells it apart."""
    town.engine.close()
    old = shutil.copy(town.directory / store.FILE, tmp_path)
    town.open()
    send(town, bodies, [0])
    town.engine.close()
    true = (town.directory / newest.FILE).read_bytes()
    shutil.copy(old, town.directory / store.FILE)
    (town.directory / newest.FILE).unlink()
    town.open()
    town.submit(PSB, issue_record(), issue_record())
    town.engine.close()
    (town.directory / newest.FILE).write_bytes(true)
    with pytest.raises(LedgerError, match="ledger-damaged"):
        town.open()
    assert {each.where for each in fsck.check(town.directory, vkey=VERIFIER.vkey).findings} == {newest.FILE}


@pytest.fixture
def restored(own_node: Reader, tmp_path: Path) -> Path:
    """A node whose whole ledger directory was put back to an earlier day; its newest copy is elsewhere."""
    relay.settle([enqueue(PSB, records.type_(type=1, version=1, digest=bytes(32), grades=[1]))])
    node.close()
    shutil.copytree(node.directory(), tmp_path / "old")
    relay.settle([enqueue(PSB, issue_record())])
    node.close()
    shutil.move(node.directory(), tmp_path / "current")
    shutil.copytree(tmp_path / "old", node.directory())
    return tmp_path / "current"


def test_an_old_directory_restored_is_told_by_the_nodes_own_receipts(restored: Path) -> None:
    with pytest.raises(LedgerError, match="ledger-behind"):
        node.engine()
    row = enqueue(PSB, issue_record())
    (outcome,) = relay.settle([row], timeout=0)
    assert outcome.state == "pending"
    node.close()
    shutil.rmtree(node.directory())
    shutil.move(restored, node.directory())
    (outcome,) = relay.settle([row])
    assert outcome.state == "final"
    assert outcome.receipt is not None
    assert receipt.verify(outcome.receipt, node.ledger().vkey).index == outcome.index
    node.close()
    assert fsck.check(node.directory(), vkey=node.verifier().vkey).findings == []


OTHER_VERSIONS = {
    0: "ledger-format-old",
    store.VERSION - 1: "ledger-format-old",
    store.VERSION + 1: "ledger-format-new",
    9999: "ledger-format-new",
}


@pytest.mark.parametrize(("version", "code"), OTHER_VERSIONS.items())
def test_a_store_of_another_version_is_left_alone(town: Town, bodies: list[bytes], version: int, code: str) -> None:
    """Half-way between versions, or past this one: one clear line, no byte changed; the right version goes on."""
    acknowledged = send(town, bodies, [0])
    next_ = rest(town)
    file = town.directory / store.FILE
    marked(file, version)
    before = file.read_bytes()
    with pytest.raises(LedgerError, match=code):
        town.open()
    with pytest.raises(LedgerError, match=code):
        Reader(town.directory, VERIFIER).checkpoint()
    assert "file" in {each.kind for each in fsck.check(town.directory, vkey=VERIFIER.vkey).findings}
    assert file.read_bytes() == before
    marked(file, store.VERSION)
    assert invariants.check(town.directory, bodies, acknowledged, next_).present == 1


def marked(file: Path, version: int) -> None:
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
