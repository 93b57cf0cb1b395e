"""The state map against its definition, written down once more and naively; and proofs, true and forged."""

import random
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gov_chain.core.hot import Place, bucket_put, node_of, place_of
from gov_chain.ledger import fsck, map_store, past_state, store
from gov_chain.ledger.core import checkpoint, note, receipt, records, state, state_proof, statemap
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.statemap import BUCKET, EMPTY, StateMap, path_of
from tests.ledger.town import HOME, PSB, STREET, VERIFIER, Town, grant_record, secret_key, usage_record

Rows = dict[bytes, bytes]


def naive(rows: Rows, depth: int = 0) -> bytes:
    """The map's root as its definition says, over path → value."""
    if not rows:
        return bytes(32)
    if len(rows) <= 16:
        pairs = [path + sha256(b"\x10" + value).digest() for path, value in sorted(rows.items())]
        return sha256(b"\x11" + b"".join(pairs)).digest()
    children = [
        naive({path: value for path, value in rows.items() if path.hex()[depth] == digit}, depth + 1)
        for digit in "0123456789abcdef"
    ]
    groups = [sha256(b"\x12" + b"".join(children[at : at + 4])).digest() for at in (0, 4, 8, 12)]
    return sha256(b"\x13" + b"".join(groups)).digest()


class Memory:
    """A map stored in memory."""

    def __init__(self, *, cached: int = 1 << 16) -> None:
        self.rows: Rows = {}
        self.stored: dict[Place, bytes] = {}
        self.cached = cached
        self.journal: list[tuple[statemap.Changes, dict[Place, bytes]]] = []
        self.open()

    def open(self, root: bytes = EMPTY) -> None:
        self.map = StateMap(read=self.stored.get, root=root, cached=self.cached)

    def put(self, rows: Rows) -> bytes:
        changes = self.map.plan(rows)
        self.journal.append((changes, dict(self.stored)))
        self.rows.update(rows)
        self.stored.update(changes.stored())
        self.map.apply(changes)
        return self.map.root

    def at(self, nibbles: str) -> bytes | None:
        return self.stored.get(place(nibbles))

    def node(self, nibbles: str) -> bytes | None:
        found = self.at(nibbles)
        return found[1:] if found is not None and found[:1] == statemap.NODE else None

    def bucket(self, nibbles: str) -> list[tuple[bytes, bytes]]:
        return statemap.rows_of(self.at(nibbles) or b"")

    def proof(self, path: bytes) -> statemap.Lookup:
        return statemap.lookup(path, node=self.node, rows=self.bucket)


def place(nibbles: str) -> Place:
    return place_of(bytes.fromhex(nibbles.ljust(64, "0")), len(nibbles))


def prefixes(rows: Rows) -> set[str]:
    return {path.hex()[:depth] for path in rows for depth in range(65)}


# Few distinct leading nibbles, so that paths are close and trees deep.
CLOSE = st.builds(
    lambda head, tail: bytes.fromhex((head + tail.hex())[:64]),
    st.sampled_from(["", "0", "00", "000", "0000000000", "f", "ff" * 20, "ff" * 31]),
    st.binary(min_size=32, max_size=32),
)
BLOCKS = st.lists(st.dictionaries(CLOSE, st.binary(max_size=3), max_size=60), max_size=6)


@given(BLOCKS)
@settings(max_examples=60, deadline=None)
def test_the_root_is_the_definitions_after_every_block(blocks: list[Rows]) -> None:
    grown = Memory(cached=3)
    for block in blocks:
        assert grown.put(block) == naive(grown.rows)
    for path, value in grown.rows.items():
        assert grown.map.get(path) == value
    seen = 0
    for nibbles in prefixes(grown.rows) if grown.rows else ():
        under = {path: value for path, value in grown.rows.items() if path.hex().startswith(nibbles)}
        if (body := grown.node(nibbles)) is not None:
            assert sha256(b"\x13" + node_of(body)[1]).digest() == naive(under, len(nibbles))
        elif grown.at(nibbles) is not None:
            assert grown.bucket(nibbles) == sorted(under.items())
        seen += grown.at(nibbles) is not None
    assert seen == len(grown.stored)


@given(
    st.dictionaries(CLOSE, st.binary(max_size=3), max_size=120), st.integers(1, 40), st.randoms(use_true_random=False)
)
@settings(max_examples=40, deadline=None)
def test_neither_order_nor_batching_matters(rows: Rows, size: int, dice: random.Random) -> None:
    at_once = Memory()
    at_once.put(rows)
    order = list(rows.items())
    dice.shuffle(order)
    in_batches = Memory()
    for at in range(0, len(order), size):
        in_batches.put(dict(order[at : at + size]))
    one_by_one = Memory(cached=1)
    for path, value in reversed(order):
        one_by_one.put({path: value})
    assert at_once.map.root == in_batches.map.root == one_by_one.map.root
    assert at_once.stored == in_batches.stored == one_by_one.stored


@given(BLOCKS)
@settings(max_examples=40, deadline=None)
def test_what_a_block_changed_leads_back(blocks: list[Rows]) -> None:
    grown = Memory()
    for block in blocks:
        known = dict(grown.rows)
        grown.put(block)
        changes, stored = grown.journal[-1]
        values = [row for values, _ in changes.undo.values() for row in values]
        nodes = [row for _, nodes in changes.undo.values() for row in nodes]
        assert sorted(values) == sorted([path, known[path]] if path in known else [path] for path in block)
        assert {at for at, *_ in nodes} == set(changes.nodes)
        for at, *undo in nodes:
            before = stored.get(at, b"")
            if undo:
                assert statemap.undone(grown.stored[at][1:], undo[0]) == before[1:]
            else:
                assert before[:1] != statemap.NODE


@given(st.lists(st.dictionaries(CLOSE, st.binary(max_size=3), min_size=1, max_size=40), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_the_file_still_proves_every_state_there_was(blocks: list[Rows]) -> None:
    """Through SQLite, deep places and all."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"{map_store.SCHEMA}; CREATE TABLE checkpoints (size INTEGER PRIMARY KEY)")
    store_ = map_store.MapStore(connection, EMPTY)
    rows: Rows = {}
    known = []
    for size, block in enumerate(blocks, 1):
        changes = store_._map.plan(block)
        store_.put(size, changes)
        store_.apply(size, changes)
        connection.execute("INSERT INTO checkpoints VALUES (?)", (size,))
        rows = rows | block
        known.append((store_.root, rows))
        assert map_store.MapStore(connection, store_.root).root == store_.root
    paths = list(rows)
    for path in [*paths, *(near(path, 1) for path in paths)]:
        assert map_store.value_at(connection, path) == rows.get(path)
    for size, (root, then) in enumerate(known, 1):
        at = map_store.MapAt(connection, size)
        for path in [*paths[:40], *(near(path, 1) for path in paths[:5])]:
            found = statemap.lookup(path, node=at._node, rows=at._rows)
            assert found.value == then.get(path)
            assert statemap.root_of(path, found.bucket, found.siblings) == root


@given(st.dictionaries(CLOSE, st.binary(max_size=3), max_size=80), st.lists(CLOSE, max_size=10))
@settings(max_examples=40, deadline=None)
def test_every_key_is_provable_and_so_is_every_absence(rows: Rows, others: list[bytes]) -> None:
    grown = Memory()
    grown.put(rows)
    for path in [*rows, *others, *(near(path, 1) for path in rows)]:
        found = grown.proof(path)
        assert found.value == rows.get(path)
        assert statemap.root_of(path, found.bucket, found.siblings) == grown.map.root
        assert (path in [pair[:32] for pair in found.bucket]) == (path in rows)


def many(count: int, seed: int = 1) -> Rows:
    dice = random.Random(seed)
    return {dice.randbytes(32): dice.randbytes(dice.randrange(20)) for _ in range(count)}


@pytest.mark.parametrize("count", [0, 1, BUCKET, BUCKET + 1, 300])
def test_a_map_opened_again_goes_on(count: int) -> None:
    rows = many(count)
    grown = Memory()
    root = grown.put(rows)
    grown.open(root)
    grown.put(many(40, seed=2))
    assert grown.map.root == naive(grown.rows)


def home(grown: Memory, path: bytes) -> Place:
    """Where the bucket of a path is."""
    depth = max(depth for depth in range(65) if place_of(path, depth) in grown.stored)
    return place_of(path, depth)


def spoil_value(grown: Memory, path: bytes) -> None:
    stored = grown.stored[home(grown, path)]
    grown.stored[home(grown, path)] = stored[:-1] + bytes((stored[-1] ^ 1,))


def spoil_bucket(grown: Memory, path: bytes) -> None:
    stored = grown.stored[home(grown, path)]
    grown.stored[home(grown, path)] = stored[:40] + bytes((stored[40] ^ 1,)) + stored[41:]


def spoil_by_removal(grown: Memory, path: bytes) -> None:
    del grown.stored[home(grown, path)]


def spoil_by_addition(grown: Memory, path: bytes) -> None:
    at = home(grown, path)
    grown.stored[at], _, _ = bucket_put(grown.stored[at], [(near(path, 1), b"")])


def spoil_by_cutting(grown: Memory, path: bytes) -> None:
    grown.stored[home(grown, path)] = grown.stored[home(grown, path)][:-1]


def spoil_by_exchange(grown: Memory, path: bytes) -> None:
    grown.stored[home(grown, path)] = grown.stored[place("0")]


def spoil_node(grown: Memory, path: bytes) -> None:
    grown.stored[place_of(path, 1)] = statemap.NODE + bytes(514)


def spoil_top(grown: Memory, path: bytes) -> None:
    grown.stored[place("")] = statemap.NODE + bytes(514)


def near(path: bytes, bit: int) -> bytes:
    return bytes([*path[:31], path[31] ^ bit])


SPOILS = [
    spoil_value,
    spoil_bucket,
    spoil_by_removal,
    spoil_by_addition,
    spoil_by_cutting,
    spoil_by_exchange,
    spoil_node,
    spoil_top,
]


@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize("spoil", SPOILS)
def test_what_the_last_root_does_not_cover_is_noticed(spoil: Callable[[Memory, bytes], None], reading: bool) -> None:
    grown = Memory()
    root = grown.put(many(2000))
    path = sorted(grown.rows)[700]
    spoil(grown, path)

    def open_and_go_on() -> None:
        grown.open(root)
        if reading:
            grown.map.get(path)
        else:
            grown.put({near(path, 2): b"new"})

    with pytest.raises(LedgerError, match="ledger-damaged"):
        open_and_go_on()


def test_buckets_out_of_place_prove_nothing() -> None:
    grown = Memory()
    grown.put(many(600))
    path = sorted(grown.rows)[300]
    found = grown.proof(path)
    assert len(found.bucket) > 1
    foreign = bytes([path[0] ^ 0x80, *path[1:]]) + bytes(32)
    forged: list[Sequence[bytes]] = [
        found.bucket[::-1],
        [found.bucket[0], *found.bucket],
        [*found.bucket, foreign],
        [found.bucket[0][:63], *found.bucket[1:]],
        [path[:31] + bytes([at]) + bytes(32) for at in range(17)],
    ]
    for bucket in forged:
        with pytest.raises(LedgerError, match="proof-wrong"):
            statemap.root_of(path, bucket, found.siblings)
    for siblings in ([found.siblings[0][:160]], [bytes(192)] * 65):
        with pytest.raises(LedgerError, match="proof-wrong"):
            statemap.root_of(path, found.bucket, siblings)


# Over an engine.

SECRET = sha256(b"the secret of a grant").digest()


@pytest.fixture
def busy(town: Town) -> Town:
    """A town with some forty grants, one of them used."""
    town.register()
    town.submit(HOME, grant_record(SECRET))
    for _ in range(4):
        town.submit(HOME, *(grant_record(secrets.token_bytes(32)) for _ in range(10)))
    town.submit(STREET, usage_record(SECRET))
    return town


def key_of(secret: bytes) -> bytes:
    return state.grant_key(sha256(secret).digest())


def history_of(town: Town, secret: bytes) -> list[bytes]:
    return [town.reader.entry(index) for index in town.reader.handle_entries(sha256(secret).digest())]


def test_the_checkpoint_carries_the_root_of_the_state(busy: Town) -> None:
    head = checkpoint.verify(busy.reader.checkpoint(), VERIFIER)
    stored = busy.reader._rows.connection.execute("SELECT body FROM map")
    rows = dict(row for (body,) in stored if body[:1] != statemap.NODE for row in statemap.rows_of(body))
    assert len(rows) > 40
    assert head.state_root == naive(rows)
    assert checkpoint.parse("o\n1\n" + head.text.split("\n")[2] + "\n").state_root is None


@pytest.mark.parametrize("lines", [["state AAAA"], ["state " + "A" * 43 + "="] * 2, ["state !"]])
def test_a_malformed_state_line_is_refused(lines: Iterable[str]) -> None:
    with pytest.raises(LedgerError, match="checkpoint-malformed"):
        checkpoint.Checkpoint("o", 1, bytes(32), tuple(lines)).state_root  # noqa: B018


def test_a_state_proof_says_what_the_state_is(busy: Town) -> None:
    handle = sha256(SECRET).digest()
    found = state_proof.verify(busy.reader.state_proof(state.grant_key(handle)), VERIFIER.vkey)
    known = busy.reader.grant(handle)
    assert known is not None
    assert found.value is not None
    assert found.size == busy.reader.size
    assert (found.value[0], found.value[5], found.value[8]) == (HOME, known.uses_left, known.chain)
    agency = state_proof.verify(busy.reader.state_proof(state.agency_key(PSB)), VERIFIER.vkey).value
    assert agency is not None
    assert agency[1] == busy.reader.agency(PSB).ledger_key


def test_absence_is_proven_also_beside_what_is_there(busy: Town) -> None:
    handle = sha256(SECRET).digest()
    for absent in (near(handle, 1), bytes(32), secrets.token_bytes(32)):
        found = state_proof.verify(busy.reader.state_proof(state.grant_key(absent)), VERIFIER.vkey)
        assert found.value is None
        state_proof.verify_history(handle=absent, entries=[], proven=found)


def test_nothing_is_proven_of_keys_that_are_not_in_the_map(busy: Town) -> None:
    """Or an anchored certificate could be "proven" not to be there."""
    with pytest.raises(LedgerError, match="state-key-unknown"):
        busy.reader.state_proof(state.issue_key(bytes(32)))
    proof = state_proof.parse(busy.reader.state_proof(state.grant_key(bytes(32))))
    other = state_proof.build(key=state.issue_key(bytes(32)), found=proof.found, checkpoint=proof.checkpoint)
    with pytest.raises(LedgerError, match="state-key-unknown"):
        state_proof.verify(other, VERIFIER.vkey)


def test_a_history_is_complete_or_told_apart(busy: Town) -> None:
    handle = sha256(SECRET).digest()
    proven = state_proof.verify(busy.reader.state_proof(state.grant_key(handle)), VERIFIER.vkey)
    entries = history_of(busy, SECRET)
    state_proof.verify_history(handle=handle, entries=entries, proven=proven)
    stranger = busy.reader.entry(busy.reader.size - 3)
    for wrong in ([], entries[:-1], entries[1:], entries[::-1], [*entries, entries[-1]], [*entries, stranger]):
        with pytest.raises(LedgerError, match="history-incomplete"):
            state_proof.verify_history(handle=handle, entries=wrong, proven=proven)
    with pytest.raises(LedgerError, match="proof-wrong"):
        state_proof.verify_history(handle=bytes(32), entries=entries, proven=proven)
    nothing = state_proof.VerifiedState(state.grant_key(handle), None, proven.size)
    with pytest.raises(LedgerError, match="history-incomplete"):
        state_proof.verify_history(handle=handle, entries=entries, proven=nothing)


def test_mutated_proofs_are_refused(busy: Town) -> None:
    """Under one change of a character a proof says the same, or nothing; or that another key is not there either."""
    dice = random.Random(7)
    texts = [busy.reader.state_proof(key_of(SECRET)), busy.reader.state_proof(state.grant_key(bytes(32)))]
    for text in texts:
        true = state_proof.verify(text, VERIFIER.vkey)
        for _ in range(1500):
            at = dice.randrange(len(text))
            letter = dice.choice("ABCabc019+/= \n-")
            mutated = dice.choice(
                [text[:at] + letter + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + letter + text[at:]]
            )
            try:
                found = state_proof.verify(mutated, VERIFIER.vkey)
            except LedgerError:
                continue
            assert found == true or (found.key, found.value) == (state_proof.parse(mutated).key, None)
            assert found.value == true.value


def test_a_proof_forged_by_parts_is_refused(busy: Town) -> None:
    text = busy.reader.state_proof(key_of(SECRET))
    proof = state_proof.parse(text)
    value = cbor2.loads(proof.found.value or b"")
    value[5] = 9
    rebuilt = statemap.Lookup(cbor2.dumps(value), proof.found.bucket, proof.found.siblings)
    gone = statemap.Lookup(None, proof.found.bucket, proof.found.siblings)
    path = path_of(proof.key)
    without = tuple(pair for pair in proof.found.bucket if pair[:32] != path)
    shorter = statemap.Lookup(None, without, proof.found.siblings)
    for found in (rebuilt, gone, shorter):
        forged = state_proof.build(key=proof.key, found=found, checkpoint=proof.checkpoint)
        with pytest.raises(LedgerError, match="proof-wrong"):
            state_proof.verify(forged, VERIFIER.vkey)
    other = state_proof.build(key=state.grant_key(bytes(32)), found=proof.found, checkpoint=proof.checkpoint)
    with pytest.raises(LedgerError, match="proof-wrong"):
        state_proof.verify(other, VERIFIER.vkey)
    head = checkpoint.verify(proof.checkpoint, VERIFIER)
    stateless = checkpoint.sign(verifier=VERIFIER, size=head.size, root=head.root, signer=secret_key(0).sign)
    with pytest.raises(LedgerError, match="proof-wrong"):
        state_proof.verify(state_proof.build(key=proof.key, found=proof.found, checkpoint=stateless), VERIFIER.vkey)
    stranger = note.Verifier(VERIFIER.name, bytes(32))
    with pytest.raises(LedgerError, match="note-unsigned"):
        state_proof.verify(text, stranger.vkey)
    for version, code in (("@v2", "version-unknown"), ("@x", "malformed")):
        with pytest.raises(LedgerError, match=f"state-proof-{code}"):
            state_proof.verify(text.replace("@v1", version, 1), VERIFIER.vkey)


def checkpoints(town: Town) -> list[int]:
    connection = town.reader._rows.connection
    return [size for (size,) in connection.execute("SELECT size FROM checkpoints ORDER BY size")]


def test_every_retained_checkpoint_still_proves_its_own_state(town: Town) -> None:
    """As it was said when the checkpoint was new: values, absences and roots."""
    town.register()
    grants = [secrets.token_bytes(32) for _ in range(60)]
    keys = [key_of(secret) for secret in grants] + [state.agency_key(PSB), state.matter_key(1), state.matter_key(2)]
    said: dict[int, list[str]] = {}
    for at in range(0, 60, 6):
        town.submit(HOME, *(grant_record(secret) for secret in grants[at : at + 6]))
        said[town.reader.size] = town.reader.state_proofs(keys)
        town.submit(STREET, *(usage_record(secret) for secret in grants[at : at + 2]))
        said[town.reader.size] = town.reader.state_proofs(keys)
        town.submit(HOME, records.withdraw(secret=grants[at]))
        said[town.reader.size] = town.reader.state_proofs(keys)
    for size, texts in said.items():
        assert town.reader.state_proofs(keys, size) == texts
    for text in said[min(said)]:
        state_proof.verify(text, VERIFIER.vkey)


def test_older_checkpoints_are_refused_and_forgotten(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_store, "RETAINED", 3)
    town.engine.close()
    town.open()
    town.register()
    secret = town.grant()
    for _ in range(2):
        town.submit(STREET, usage_record(secret))
    sizes = checkpoints(town)
    for size in sizes[-3:]:
        assert state_proof.verify(town.reader.state_proof(key_of(secret), size), VERIFIER.vkey).size == size
    for size in (*sizes[:-3], 0, 2, 10**9):
        with pytest.raises(LedgerError, match="checkpoint-not-retained"):
            town.reader.state_proof(key_of(secret), size)
    kept = town.reader._rows.connection.execute("SELECT DISTINCT size FROM map_undo ORDER BY size")
    assert [size for (size,) in kept] == sizes[-2:]
    town.engine.close()
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []


def test_what_the_journal_let_go_of_is_made_again_from_the_entries(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_store, "RETAINED", 2)
    town.engine.close()
    town.open()
    town.register()
    town.submit(HOME, grant_record(SECRET))
    said = {}
    for _ in range(2):
        said[town.reader.size] = town.reader.state_proofs([key_of(SECRET), state.grant_key(bytes(32))])
        town.submit(STREET, usage_record(SECRET), usage_record(b"refused"))
    town.submit(HOME, *(grant_record(secrets.token_bytes(32)) for _ in range(40)))
    for size, (there, absent) in said.items():
        with pytest.raises(LedgerError, match="checkpoint-not-retained"):
            town.reader.state_proof(key_of(SECRET), size)
        made = state_proof.verify(past_state.prove(town.directory, key_of(SECRET), size), VERIFIER.vkey)
        assert made == state_proof.verify(there, VERIFIER.vkey)
        made = state_proof.verify(past_state.prove(town.directory, state.grant_key(bytes(32)), size), VERIFIER.vkey)
        assert made == state_proof.verify(absent, VERIFIER.vkey)
    with pytest.raises(LedgerError, match="checkpoint-not-retained"):
        past_state.prove(town.directory, key_of(SECRET), 2)
    with pytest.raises(LedgerError, match="state-key-unknown"):
        past_state.prove(town.directory, b"", 1)


def test_a_restart_keeps_the_root_and_goes_on(busy: Town) -> None:
    head = checkpoint.verify(busy.reader.checkpoint(), VERIFIER)
    busy.engine.close()
    busy.open()
    busy.submit(STREET, usage_record(SECRET))
    after = checkpoint.verify(busy.reader.checkpoint(), VERIFIER)
    assert after.state_root != head.state_root
    busy.engine.close()
    assert fsck.check(busy.directory, vkey=VERIFIER.vkey).findings == []


def test_a_spoilt_map_stops_the_sequencer_before_it_signs(busy: Town) -> None:
    """What lies under the last signed root is noticed when it is next read, and nothing is built on it."""
    before = busy.reader.checkpoint()
    busy.engine.close()
    with sqlite3.connect(busy.directory / store.FILE) as writer:
        path = path_of(key_of(SECRET))
        places = [place_of(path, depth) - 2**63 for depth in range(1, 5)]
        spoilt = f"UPDATE map SET body = substr(body, 1, length(body) - 1) || x'80' WHERE place IN {tuple(places)}"
        assert writer.execute(spoilt).rowcount > 0
    busy.open()
    with pytest.raises(LedgerError, match="sequencer-stopped"):
        busy.engine.submit(busy.signed(HOME, *(grant_record(secrets.token_bytes(32)) for _ in range(200)))).result(10)
    assert busy.reader.checkpoint() == before


def test_fsck_finds_an_altered_node(busy: Town) -> None:
    busy.engine.close()
    with sqlite3.connect(busy.directory / store.FILE) as writer:
        assert writer.execute("UPDATE map SET body = x'ff' || zeroblob(514) WHERE body >= x'ff'").rowcount == 1
    assert {finding.kind for finding in fsck.check(busy.directory, vkey=VERIFIER.vkey).findings} == {"map"}


def test_receipts_are_what_they_were(busy: Town) -> None:
    found = receipt.verify(busy.reader.receipt(5), VERIFIER.vkey)
    assert found.index == 5
