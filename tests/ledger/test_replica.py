"""The replica as an engine with numbered blocks uses it: proposals worked out and dropped, heights, restarts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gov_chain.ledger import fsck, store
from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.replica import Block, Replica
from tests.ledger.town import (
    DIGEST,
    PSB,
    START,
    STREET,
    VERIFIER,
    Town,
    issue_record,
    matter_record,
    secret_key,
    type_record,
)


def open_replica(directory: Path) -> Replica:
    return Replica(directory, verify=lambda text: checkpoint.verify(text, VERIFIER))


def sign(body: str) -> str:
    return note.sign(body, VERIFIER, secret_key(0).sign)


@pytest.fixture
def replica(town: Town) -> Iterator[Replica]:
    """Of a ledger with type 1, its embedded engine closed."""
    town.submit(PSB, type_record())
    town.engine.close()
    with closing(open_replica(town.directory)) as opened:
        yield opened


def rows_of(directory: Path) -> list[list[tuple[object, ...]]]:
    tables = ("entries", "tiles", "state", "history", "map", "map_undo", "handles", "transactions", "checkpoints")
    with closing(sqlite3.connect(directory / store.FILE)) as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in (*tables, "engine")]


def same(one: Block, other: Block) -> bool:
    return one.after == other.after and one.answers == other.answers and one.written == other.written


def test_a_block_worked_out_leaves_no_trace(town: Town, replica: Replica) -> None:
    before, head = rows_of(town.directory), replica.head
    bodies = [town.signed(PSB, *(issue_record() for _ in range(300))), town.signed(STREET, matter_record())]
    first = replica.execute(bodies, time=START + 5)
    other = replica.execute([town.signed(PSB, type_record(version=2))], time=START + 9)
    assert same(replica.execute(bodies, time=START + 5), first)
    assert not same(first, other)
    assert (rows_of(town.directory), replica.head) == (before, head)


def test_what_is_committed_is_what_was_worked_out(town: Town, replica: Replica) -> None:
    bodies = [town.signed(PSB, issue_record(), b"\xff"), town.signed(STREET, matter_record())]
    dropped = replica.execute(bodies[1:], time=START)
    block = replica.execute(bodies, time=START + 5)
    text = replica.commit(block, sign=sign, height=1)
    assert checkpoint.verify(text, VERIFIER) == block.after.checkpoint
    assert (replica.head.size, replica.head.time, replica.head.height) == (7, START + 5, 1)
    assert replica.head.app_hash == block.after.app_hash
    assert block.answers == (
        Committed(START + 5, 3, (4, None), {1: "record-malformed"}),
        Committed(START + 5, 5, (6,), {}),
    )
    with pytest.raises(ValueError, match="another"):
        replica.commit(dropped, sign=sign, height=2)
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []


def test_a_transaction_that_is_none_is_refused_and_the_others_stand(town: Town, replica: Replica) -> None:
    good = town.signed(PSB, issue_record())
    block = replica.execute([b"junk", good, good], time=START)
    codes = [answer.code if isinstance(answer, LedgerError) else "" for answer in block.answers]
    assert codes == ["transaction-malformed", "", "sequence-used"]


def test_a_block_without_entries_keeps_the_checkpoint_and_writes_its_height(town: Town, replica: Replica) -> None:
    signed = replica.signed
    for height, bodies in ((1, []), (2, [b"junk"])):
        block = replica.execute(bodies, time=START + 100)
        assert replica.commit(block, sign=sign, height=height) == signed
        assert (replica.head.height, replica.head.app_hash) == (height, block.after.app_hash)
    assert replica.head.time == START
    with closing(open_replica(town.directory)) as again:
        assert again.head == replica.head


def test_a_restart_after_a_block_is_where_it_was(town: Town, replica: Replica) -> None:
    replica.commit(replica.execute([town.signed(PSB, issue_record())], time=START + 5), sign=sign, height=8)
    with closing(open_replica(town.directory)) as again:
        assert again.head == replica.head
        assert again.head.height == 8


def test_block_time_never_goes_back(town: Town, replica: Replica) -> None:
    replica.commit(replica.execute([town.signed(PSB, issue_record())], time=START + 50), sign=sign)
    assert replica.execute([town.signed(PSB, issue_record())], time=START + 40).after.time == START + 50


@pytest.mark.parametrize("spoilt", ["other text", "no signature"])
def test_a_signer_that_signs_something_else_writes_nothing(town: Town, replica: Replica, spoilt: str) -> None:
    before = rows_of(town.directory)
    block = replica.execute([town.signed(PSB, issue_record())], time=START)

    def wrong(body: str) -> str:
        return sign(body.replace("\n5\n", "\n4\n", 1)) if spoilt == "other text" else body

    with pytest.raises(LedgerError):
        replica.commit(block, sign=wrong, height=1)
    replica.close()
    assert rows_of(town.directory) == before


def test_a_block_whose_rows_are_not_what_was_worked_out_is_not_signed(town: Town, replica: Replica) -> None:
    with closing(sqlite3.connect(town.directory / store.FILE, isolation_level=None)) as writer:
        writer.execute(
            "CREATE TRIGGER lose AFTER INSERT ON entries BEGIN DELETE FROM entries WHERE first = new.first; END"
        )
    with pytest.raises(LedgerError, match="ledger-damaged"):
        replica.commit(replica.execute([town.signed(PSB, issue_record())], time=START), sign=sign)


def test_an_engine_that_ended_elsewhere_is_refused(town: Town, replica: Replica) -> None:
    replica.commit(replica.execute([], time=START), sign=sign, height=3)
    replica.close()
    with closing(sqlite3.connect(town.directory / store.FILE, isolation_level=None)) as writer:
        writer.execute("UPDATE engine SET app_hash = ?", (DIGEST,))
    with pytest.raises(LedgerError, match="ledger-damaged"):
        open_replica(town.directory)
