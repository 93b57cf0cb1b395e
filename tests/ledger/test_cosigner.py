"""Cosigners: one signature a size, remembered before it is shown; wrong shares named, right ones joined."""

import dataclasses
import logging
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from gov_chain.ledger import bell
from gov_chain.ledger.core import bls, checkpoint, note, proposals, quorum, records, state, validators
from gov_chain.ledger.core.quorum import Followed
from gov_chain.ledger.cosigner import memory as memories
from gov_chain.ledger.cosigner import proof
from gov_chain.ledger.cosigner.certificates import Certified
from gov_chain.ledger.cosigner.cosigner import Cosigner, Told
from gov_chain.ledger.cosigner.door import metrics
from gov_chain.ledger.cosigner.errors import CosignerError
from gov_chain.ledger.cosigner.memory import Memory
from gov_chain.ledger.cosigner.peers import Peer
from gov_chain.ledger.cosigner.shares import Share, from_json
from tests.ledger.committee import NOTE, Committee, Node
from tests.ledger.test_validators import joining
from tests.ledger.town import ORIGIN, bls_secret


@pytest.fixture
def four(tmp_path: Path) -> Iterator[Committee]:
    made = Committee(tmp_path)
    yield made
    made.close()


def certified(node: Node) -> int:
    found = Certified(node.town.directory)
    try:
        return found.latest()
    finally:
        found.close()


def line(node: Node, size: int) -> str:
    text = node.town.reader._rows.checkpoint(size)
    assert text is not None
    found = Certified(node.town.directory)
    try:
        return found.line(size, note.split(text)[0])
    finally:
        found.close()


def test_every_node_certifies_every_checkpoint(four: Committee) -> None:
    size = four.note(5)
    four.exchange()
    followed = Followed(ORIGIN, four.first_set())
    for each in four.nodes:
        assert certified(each) == size
        for (covered,) in each.town.reader._rows.connection.execute("SELECT size FROM checkpoints"):
            text = each.town.reader._rows.checkpoint(covered)
            head = followed.certify(text + line(each, covered))
            assert head is not None
            assert head.size == covered


def test_three_of_four_are_enough_and_two_are_not(four: Committee) -> None:
    four.exchange()
    first = four.note()
    four.node(4).stop()
    four.exchange()
    assert [certified(each) for each in four.nodes[:3]] == [first] * 3
    four.node(3).stop()
    four.note(3)
    four.exchange()
    assert [certified(each) for each in four.nodes[:2]] == [first] * 2
    four.node(3).start(new=False)
    four.exchange()
    assert certified(four.node(1)) == four.node(1).town.reader.size


def test_who_was_away_catches_up(four: Committee) -> None:
    four.exchange()
    four.node(4).stop()
    size = four.note(20)
    four.exchange()
    assert certified(four.node(4)) == 1
    four.node(4).start(new=False)
    four.exchange()
    assert certified(four.node(4)) == size


def test_it_signs_nothing_before_a_quorum_has_been_heard(four: Committee) -> None:
    four.note()
    alone = four.node(1).up
    alone.work()
    assert alone.shares(0) == []
    alone.tell(four.told(four.node(2), four.node(1)))
    alone.work()
    assert alone.shares(0) == []
    alone.tell(four.told(four.node(3), four.node(1)))
    alone.work()
    assert [each.size for each in alone.shares(0)] == [1, 3]


def test_one_peer_is_no_quorum_whatever_keys_it_names(four: Committee) -> None:
    """A memory from a backup must not sign because a single stranger spoke for everybody."""
    four.note()
    alone = four.node(1).up
    for number in (2, 3, 4):
        alone.tell(Told("https://impostor.example", bls.sk_to_pk(bls_secret(number)), [], [], []))
    alone.work()
    assert alone.shares(0) == []


def garbage(share: Share) -> Share:
    return dataclasses.replace(share, signature=bls.sign(bls_secret(99), b"garbage"))


def test_a_wrong_share_is_named_and_ignored(four: Committee, caplog: pytest.LogCaptureFixture) -> None:
    four.exchange()
    four.tamper[2] = garbage
    size = four.note()
    with caplog.at_level(logging.WARNING):
        four.exchange()
    assert certified(four.node(1)) == size
    standing = four.node(1).up.standing()
    assert standing.wrong == {four.node(2).name: 1}
    assert f"{four.node(2).name} offers a wrong share" in caplog.text
    assert standing.missing == (2,) or standing.heard[2] < size


def test_who_speaks_in_anothers_name_displaces_nothing(four: Committee) -> None:
    """Node 2 claims node 3's key; node 3's own share counts all the same, and node 2 is named."""
    four.exchange()
    four.node(4).stop()
    size = four.note()
    for each in four.nodes[:3]:
        each.up.work()
    honest = four.told(four.node(3), four.node(1))
    false = Told("https://impostor.example", honest.bls_key, [garbage(each) for each in honest.shares], [], [])
    own = four.told(four.node(2), four.node(1))
    for told in (false, own, honest):
        four.node(1).up.tell(told)
    four.node(1).up.work()
    assert certified(four.node(1)) == size
    assert "https://impostor.example" in four.node(1).up.standing().wrong


def other_body(share: Share) -> Share:
    """What a cosigner would sign that lies to some."""
    body = sha256(b"another checkpoint").digest()
    signature = bls.sign(bls_secret(2), quorum.statement(share.set_digest, share.size, body))
    return dataclasses.replace(share, body_digest=body, signature=signature)


def test_an_equivocating_cosigner_is_proven_and_the_ledger_accepts_the_proof(four: Committee) -> None:
    four.exchange()
    size = four.note()
    four.exchange()
    assert certified(four.node(1)) == size
    lie = other_body(four.node(2).up.shares(size - 1)[0])
    four.node(3).up.tell(Told(four.node(2).name, four.node(2).up.bls_key, [], [], [lie]))
    four.node(3).up.work()
    ((one, two),) = four.node(3).up.evidence()
    assert four.node(3).up.standing().equivocating == 1
    four.submit(3, proof.record(one, two))
    found = four.node(1).town.reader.state_at(state.validator_key_key(bls.sk_to_pk(bls_secret(2))))
    assert found is not None
    assert found[3] > 0


def test_a_lie_told_to_one_reaches_the_others(four: Committee) -> None:
    """Node 2 shows node 4 another body; node 4 shows it on, and who has the first share has the proof."""
    four.exchange()
    four.note()
    for each in four.nodes:
        each.up.work()
    four.node(4).up.tell(Told(four.node(2).name, four.node(2).up.bls_key, [], [], []))
    lie = other_body(four.node(2).up.shares(1)[0])
    four.node(4).up.tell(Told(four.node(2).name, four.node(2).up.bls_key, [lie], [], []))
    four.node(4).up.work()
    assert four.node(4).up.strange() == [lie]
    four.exchange()
    assert len(four.node(1).up.evidence()) == 1


def test_it_never_signs_a_size_twice(tmp_path: Path) -> None:
    key = bls.sk_to_pk(bls_secret(1))
    kept = Memory(tmp_path, ledger_id=bytes(32), bls_key=key, new=True)

    def signed(size: int) -> memories.Signed:
        return memories.Signed(Share(key, size, bytes(32), bytes(32), bytes(96)), bytes(32), changes=False)

    kept.remember([signed(3), signed(5)])
    for size in (3, 4, 5):
        with pytest.raises(CosignerError, match="ledger-forked"):
            kept.remember([signed(size)])
    last = kept.last()
    assert last is not None
    assert last.share.size == 5


def test_without_its_memory_it_does_not_start(four: Committee) -> None:
    four.note()
    four.exchange()
    four.node(1).stop()
    (four.node(1).keys / memories.FILE).unlink()
    with pytest.raises(CosignerError, match="cosigner-memory-missing"):
        four.node(1).start(new=False)


def test_with_an_old_memory_it_signs_nothing_more(four: Committee, tmp_path: Path) -> None:
    four.note()
    four.exchange()
    four.node(1).stop()
    shutil.copy(four.node(1).keys / memories.FILE, tmp_path / "backup")
    four.node(1).start(new=False)
    size = four.note(2)
    four.exchange()
    four.node(1).stop()
    shutil.copy(tmp_path / "backup", four.node(1).keys / memories.FILE)
    four.node(1).start(new=False)
    four.exchange()
    assert four.node(1).up.standing().stopped == "cosigner-memory-old"
    four.note()
    four.exchange()
    assert [each.size for each in four.node(1).up.shares(0)][-1] < size
    assert certified(four.node(1)) == four.node(1).town.reader.size, "it goes on joining what the others sign"


def test_a_memory_of_another_ledger_or_key_is_refused(tmp_path: Path) -> None:
    key = bls.sk_to_pk(bls_secret(1))
    Memory(tmp_path, ledger_id=bytes(32), bls_key=key, new=True)
    for changes in ({"ledger_id": b"\x01" * 32}, {"bls_key": bls.sk_to_pk(bls_secret(2))}):
        with pytest.raises(CosignerError, match="cosigner-foreign"):
            Memory(tmp_path, **({"ledger_id": bytes(32), "bls_key": key} | changes))


def rewritten(node: Node, size: int, **changes: object) -> None:
    """The node's store has another checkpoint of this size, as a forked or damaged one would."""
    text = node.town.reader._rows.checkpoint(size)
    assert text is not None
    head = dataclasses.replace(checkpoint.parse(note.split(text)[0]), **changes)
    node.town.engine.close()
    import sqlite3

    connection = sqlite3.connect(node.town.directory / "ledger.sqlite3", isolation_level=None)
    connection.execute("UPDATE checkpoints SET text = ? WHERE size = ?", (head.text + "\n— x AAAAAAAA\n", size))
    connection.close()


def test_a_ledger_that_changed_behind_it_stops_the_signing(four: Committee) -> None:
    size = four.note()
    four.exchange()
    before = four.node(1).up.shares(0)
    rewritten(four.node(1), size, extensions=("state " + "A" * 43 + "=",))
    four.node(1).stop()
    four.node(1).start(new=False)
    four.exchange()
    assert four.node(1).up.standing().stopped == "ledger-forked"
    assert four.node(1).up.shares(0) == before


def test_a_checkpoint_that_is_not_of_the_tree_is_not_signed(four: Committee) -> None:
    four.exchange()
    size = four.note()
    rewritten(four.node(1), size, root=bytes(32))
    four.exchange()
    assert four.node(1).up.standing().stopped == "ledger-forked"
    assert [each.size for each in four.node(1).up.shares(0)] == [1]
    assert certified(four.node(2)) == size


def test_a_change_of_validators_is_certified_by_the_old_set(tmp_path: Path) -> None:
    five = Committee(tmp_path, agencies=5)
    try:
        five.exchange()
        observer = five.node(5)
        observer.start()
        five.vote(*joining(5))
        five.exchange()
        new = validators.of(observer.town.reader.state_at(state.VALIDATORS) or [])
        assert len(new.validators) == 5
        change = observer.town.reader.size
        text = five.node(1).town.reader._rows.checkpoint(change)
        assert text is not None
        followed = Followed(ORIGIN, five.first_set())
        followed.follow(quorum.Link(new.encoding, text + line(five.node(1), change)))
        size = five.note()
        five.exchange()
        after = five.node(1).town.reader._rows.checkpoint(size)
        assert after is not None
        assert followed.certify(after + line(observer, size)) is not None
        assert [each.size for each in observer.up.shares(0)] == [size], "it signs what its set certifies, no more"
        five.vote(proposals.VALIDATOR_OUT, 1)
        left = five.note()
        five.exchange()
        assert five.node(1).up.shares(0)[-1].size < left
        assert certified(five.node(1)) == left
    finally:
        five.close()


def test_an_observer_joins_without_a_key(four: Committee) -> None:
    four.exchange()
    four.node(4).stop()
    four.node(4).cosigner = Cosigner(four.node(4).town.directory)
    size = four.note()
    four.exchange()
    assert certified(four.node(4)) == size
    assert four.node(4).up.shares(0) == []
    assert four.node(4).up.standing().agency is None


def test_metrics_tell_the_lag_and_who_is_missing(four: Committee) -> None:
    four.exchange()
    four.node(4).stop()
    for _ in range(3):
        four.note()
        four.exchange()
    four.note()
    lines = dict(each.rsplit(" ", 1) for each in metrics(four.node(1).up).splitlines() if not each.startswith("#"))
    assert lines["govchain_quorum_missing_signers"] == "1"
    four.node(1).up.work()
    lines = dict(each.rsplit(" ", 1) for each in metrics(four.node(1).up).splitlines() if not each.startswith("#"))
    assert lines["govchain_quorum_lag_entries"] == "2"
    assert four.node(1).up.standing().missing == (4,)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"size": 0},
        {"bls_key": "00" * 48, "size": True, "set": "00" * 32, "body": "00" * 32, "signature": "00" * 96},
        {"bls_key": "00" * 47, "size": 1, "set": "00" * 32, "body": "00" * 32, "signature": "00" * 96},
        {"bls_key": "zz" * 48, "size": 1, "set": "00" * 32, "body": "00" * 32, "signature": "00" * 96},
        {"bls_key": "00" * 48, "size": 1, "set": "00" * 32, "body": "00" * 32, "signature": 5},
        {"bls_key": "00" * 48, "size": 1, "set": "  " + "00" * 31, "body": "00" * 32, "signature": "00" * 96},
    ],
)
def test_a_malformed_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_json(value)


def test_an_answer_nested_without_end_is_no_answer_and_ends_no_thread(four: Committee) -> None:
    deep = b"[" * 100_000
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=deep)))
    with pytest.raises(ValueError, match="nested too deeply"):
        Peer("https://peer.example", four.node(1).up, http=client).ask(wait=0)


def test_a_bell_wakes_its_listeners_and_fails_nobody(tmp_path: Path) -> None:
    bell.ring(tmp_path)
    bell.ring(tmp_path / "nowhere")
    with bell.Bell(tmp_path, "one") as one, bell.Bell(tmp_path, "two") as two:
        assert not one.wait(0)
        for _ in range(100_000):
            one.ring()
        bell.ring(tmp_path)
        assert one.wait(5)
        assert two.wait(5)
        assert not two.wait(0)
    bell.ring(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_commit_rings(four: Committee) -> None:
    with bell.Bell(four.node(1).town.directory, "test") as heard:
        four.node(1).town.submit(1, NOTE)
        assert heard.wait(5)


def test_the_record_of_evidence_fits_the_table() -> None:
    one = Share(bls.sk_to_pk(bls_secret(2)), 9, bytes(32), bytes(32), bytes(96))
    made = records.parse(proof.record(one, dataclasses.replace(one, body_digest=b"\x01" * 32)))
    assert made.values["size"] == 9
