"""State sync through two applications' sockets: a new node is given the log in chunks, by honest ones and by liars."""

import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gov_chain.core.codec import decode, encode
from gov_chain.ledger import fsck, store
from gov_chain.ledger.abci import messages, snapshots
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import Reader
from tests.consortium.door import Door, request
from tests.consortium.network import consortium
from tests.ledger.town import HOME, ORIGIN, PSB, START, STREET, VERIFIER, grant_record, issue_record, usage_record


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Door]:
    """A node with 4,000 entries: four chunks, whose borders cut transactions."""
    made = Door(tmp_path / "source")
    made.register()
    for _ in range(5):
        made.block(made.signed(PSB, *(issue_record() for _ in range(800))))
    secret = secrets.token_bytes(32)
    made.block(
        made.signed(HOME, grant_record(secret)), made.signed(STREET, usage_record(secret), usage_record(b"x" * 32))
    )
    made.block(made.signed(HOME, records.withdraw(secret=secret)))
    yield made
    made.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "fresh")
    yield made
    made.close()


def latest(source: Door) -> Any:
    return source.ask("list_snapshots").snapshots[-1]


def offer(fresh: Door, snapshot: Any, app_hash: bytes, **changes: Any) -> int:
    fields = {name: getattr(snapshot, name) for name in ("height", "format", "chunks", "hash", "metadata")}
    return int(fresh.ask("offer_snapshot", snapshot=fields | changes, app_hash=app_hash).result)


def chunk_of(source: Door, snapshot: Any, index: int) -> bytes:
    return bytes(source.ask("load_snapshot_chunk", height=snapshot.height, format=1, chunk=index).chunk)


def app_hash(source: Door) -> bytes:
    return bytes(source.ask("info").last_block_app_hash)


def restore(source: Door, fresh: Door) -> None:
    snapshot = latest(source)
    assert offer(fresh, snapshot, app_hash(source)) == messages.OFFER_ACCEPT
    for index in range(snapshot.chunks):
        told = fresh.ask("apply_snapshot_chunk", index=index, chunk=chunk_of(source, snapshot, index), sender="honest")
        assert told.result == messages.CHUNK_ACCEPT


def test_a_new_node_comes_to_the_same_ledger(source: Door, fresh: Door) -> None:
    assert latest(source).chunks == 4
    restore(source, fresh)
    told = fresh.ask("info")
    assert (told.last_block_height, told.last_block_app_hash) == (source.height, app_hash(source))
    assert fsck.check(fresh.directory, vkey=VERIFIER.vkey).findings == []
    left = {path.name for path in fresh.directory.iterdir()} - {f"{store.FILE}-wal", f"{store.FILE}-shm"}
    assert left == {store.FILE}


def test_it_goes_on_with_the_others(source: Door, fresh: Door) -> None:
    restore(source, fresh)
    tx = source.signed(PSB, issue_record())
    assert fresh.block(tx).app_hash == source.block(tx).app_hash


def test_a_receipt_of_before_is_given_by_the_new_node_too(source: Door, fresh: Door) -> None:
    restore(source, fresh)
    ours, theirs = Reader(source.directory, VERIFIER), Reader(fresh.directory, VERIFIER)
    assert theirs.receipt(700) == ours.receipt(700)
    ours.close()
    theirs.close()


@pytest.mark.parametrize("poison", ["a byte", "an entry too few", "an entry too many", "cut short", "nothing"])
def test_a_poisoned_chunk_is_asked_for_elsewhere(source: Door, fresh: Door, poison: str) -> None:
    snapshot = latest(source)
    offer(fresh, snapshot, app_hash(source))
    good = chunk_of(source, snapshot, 0)
    first = 2 + int.from_bytes(good[:2])
    bad = {
        "a byte": good[:-1] + bytes([good[-1] ^ 1]),
        "an entry too few": good[first:],
        "an entry too many": good + good[:first],
        "cut short": good[:-1],
        "nothing": b"",
    }[poison]
    told = fresh.ask("apply_snapshot_chunk", index=0, chunk=bad, sender="liar")
    assert told.result == messages.CHUNK_RETRY
    assert (list(told.refetch_chunks), list(told.reject_senders)) == ([0], ["liar"])
    for index in range(snapshot.chunks):
        chunk = chunk_of(source, snapshot, index)
        assert fresh.ask("apply_snapshot_chunk", index=index, chunk=chunk, sender="honest").result == 1
    assert fresh.height == source.height


def test_a_snapshot_of_another_checkpoint_is_rejected_before_it_is_fetched(source: Door, fresh: Door) -> None:
    snapshot = latest(source)
    assert offer(fresh, snapshot, sha256(b"another").digest()) == messages.OFFER_REJECT
    assert offer(fresh, snapshot, app_hash(source), format=2) == messages.OFFER_REJECT_FORMAT


@pytest.mark.parametrize("lie", ["a root", "a root left out", "order", "level", "junk", "text", "empty"])
def test_false_metadata_is_rejected(source: Door, lie: str) -> None:
    good = latest(source).metadata
    level, body, roots = decode(good)
    bad = {
        "a root": encode([level, body, [bytes(32), *roots[1:]]]),
        "a root left out": encode([level, body, roots[1:]]),
        "order": encode([level, body, roots[::-1]]),
        "level": encode([level + 1, body, roots]),
        "junk": good[:-1],
        "text": encode([level, b"\xff" + body, roots]),
        "empty": b"",
    }[lie]
    with pytest.raises(LedgerError, match="snapshot-wrong"):
        snapshots.verified(bad, app_hash=app_hash(source), origin=ORIGIN)


def test_a_node_with_blocks_of_its_own_takes_no_snapshot(source: Door, fresh: Door) -> None:
    fresh.block(fresh.signed(PSB, issue_record()))
    assert offer(fresh, latest(source), app_hash(source)) == messages.OFFER_ABORT


def test_a_restore_that_was_cut_short_leaves_the_ledger_as_it_was(source: Door, tmp_path: Path) -> None:
    cut = Door(tmp_path / "cut")
    snapshot = latest(source)
    offer(cut, snapshot, app_hash(source))
    cut.ask("apply_snapshot_chunk", index=0, chunk=chunk_of(source, snapshot, 0), sender="honest")
    assert [path.name for path in cut.directory.iterdir() if snapshots.DRAFT in path.name]
    cut.close()
    again = Door(tmp_path / "cut")
    assert again.height == 0
    restore(source, again)
    assert again.height == source.height
    again.close()


def test_the_log_of_another_genesis_stops_the_node(source: Door, tmp_path: Path) -> None:
    stranger = Door(tmp_path / "stranger", consortium(4, 0, START + 1))
    snapshot = latest(source)
    assert offer(stranger, snapshot, app_hash(source)) == messages.OFFER_ACCEPT
    stranger.connection.send(
        request("apply_snapshot_chunk", index=0, chunk=chunk_of(source, snapshot, 0), sender="honest")
    )
    assert "another-consortium" in stranger.connection.answer().exception.error
    stranger.close()


def test_a_snapshot_outlives_later_blocks(source: Door, fresh: Door) -> None:
    snapshot, wanted = latest(source), app_hash(source)
    source.block(source.signed(PSB, issue_record()))
    assert offer(fresh, snapshot, wanted) == messages.OFFER_ACCEPT
    for index in range(snapshot.chunks):
        chunk = chunk_of(source, snapshot, index)
        assert fresh.ask("apply_snapshot_chunk", index=index, chunk=chunk, sender="honest").result == 1
    assert fresh.height == snapshot.height


def test_a_chunk_nobody_has_is_empty(source: Door) -> None:
    for height, format_, chunk in ((9999, 1, 0), (latest(source).height, 1, 99), (latest(source).height, 2, 0)):
        assert source.ask("load_snapshot_chunk", height=height, format=format_, chunk=chunk).chunk == b""
