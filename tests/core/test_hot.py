"""The compiled hot steps are the defined ones: same results, same refusals."""

import copy
import os
import random
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gov_chain.core import hot
from gov_chain.core.hot import definition
from gov_chain.ledger.core import records

if hot.NATIVE:
    from gov_chain.core.hot import _native as native
elif os.environ.get("CI"):
    pytest.fail("the compiled hot steps were not built at set-up")
else:
    pytest.skip("no compiler at set-up: the Python definition is all there is", allow_module_level=True)

VALUES = st.recursive(
    st.integers(-3, 2**65) | st.binary(max_size=80) | st.booleans() | st.none() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=6) | st.tuples(inner, inner),
    max_leaves=30,
)
NUMBERS = st.integers(0, 2**64 - 1) | st.sampled_from(
    [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
)
CANONICAL = st.recursive(NUMBERS | st.binary(max_size=300), lambda inner: st.lists(inner, max_size=30), max_leaves=60)


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """The result, or that it was refused."""
    try:
        return call(*args)
    except ValueError:
        return ValueError


def both(name: str, *args: Any) -> Any:
    mine = outcome(getattr(native, name), *args)
    assert mine == outcome(getattr(definition, name), *args)
    return mine


@given(VALUES | CANONICAL)
@settings(max_examples=400, deadline=None)
def test_encode(value: Any) -> None:
    data = both("encode", value)
    if data is not ValueError:
        both("decode", data)


@given(st.binary(max_size=60))
@settings(max_examples=400, deadline=None)
def test_decode_of_anything(data: bytes) -> None:
    both("decode", data)


def test_decode_of_altered_records() -> None:
    """A byte changed, dropped or put in, anywhere."""
    dice = random.Random(3)
    whole = [
        records.usage(handle=bytes(32), matter=300, version=2, masks=[70000, 3], context_digest=bytes(32)),
        records.grant(
            handle=bytes(32), matter=1, version=1, masks=[3], not_after=2**33, uses=9, consent_digest=bytes(32)
        ),
        definition.encode([[[[[[1, b""]]]], 2**64 - 1]]),
    ]
    refused = 0
    for _ in range(6000):
        data = bytearray(dice.choice(whole))
        at = dice.randrange(len(data))
        data[at : at + dice.randrange(3)] = bytes([dice.randrange(256)] * dice.randrange(3))
        refused += both("decode", bytes(data)) is ValueError
    assert 1000 < refused < 6000


@pytest.mark.parametrize("depth", range(9))
def test_depth(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    assert (both("encode", value) is ValueError) == (depth > definition.MAX_DEPTH)
    both("decode", b"\x81" * depth + b"\x01")


def test_decode_of_what_is_announced_and_not_there() -> None:
    for data in (
        b"\x9b" + b"\x7f" + b"\xff" * 7,
        b"\x5b" + b"\xff" * 8,
        b"\x9a\xff\xff\xff\xff",
        b"\x98",
        b"\x81" * 5000,
    ):
        assert both("decode", data) is ValueError


@pytest.mark.parametrize("size", [*range(130), 4096, 65535])
def test_hashes(size: int) -> None:
    items = [bytes([at]) * size for at in range(3)]
    both("sha256", items[0])
    assert both("hashes", size % 256, items) == [sha256(bytes([size % 256]) + item).digest() for item in items]


@given(st.integers(0, 2000), st.integers(0, 600))
@settings(max_examples=60, deadline=None)
def test_grow(before: int, more: int) -> None:
    leaves = [sha256(b"%d" % at).digest() for at in range(before + more)]
    mine: list[bytes] = []
    defined: list[bytes] = []
    for start, batch in ((0, leaves[:before]), (before, leaves[before:])):
        assert native.grow(mine, start, batch) == definition.grow(defined, start, batch)
        assert mine == defined
    assert both("grow", mine, 2 * (before + more) + 1, []) is ValueError


def test_fits() -> None:
    """Every kind's shape, over records of every kind with one item made something else."""
    dice = random.Random(4)
    whole = [
        [10, 1, 1, bytes(32), [1, 2, 3]],
        [11, 1, 1, bytes(32), [[1, 1, 3, 0], [2, 1, 1, 1]], 60, 2, 30],
        [31, bytes(32)],
        [32, bytes(32), 1, 1, [1, 2], bytes(32)],
        [40, 1, [1, 4, bytes(32), bytes(33), bytes(33), bytes(32)], 2**39],
        [40, 1, [5, 4, 1], 2**39],
        [40, 1, [9, 1, 90000], 2**39],
    ]
    others = [
        0,
        1,
        -1,
        2**16,
        2**32,
        2**40,
        2**64,
        True,
        None,
        b"",
        bytes(32),
        bytes(33),
        [],
        [1],
        [[]],
        "1",
        1.0,
        (1,),
    ]
    fitted = 0
    for _ in range(20000):
        value = list(dice.choice(whole))
        at = dice.randrange(len(value))
        if type(value[at]) is list and dice.random() < 0.7:
            inner = list(value[at])
            inner[dice.randrange(len(inner))] = dice.choice(others)
            value[at] = inner
        else:
            value[at] = dice.choice(others)
        if dice.random() < 0.1:
            value.append(dice.choice(others))
        for kind in records.KINDS.values():
            fitted += both("fits", value, kind.shape)
    assert fitted > 500


@pytest.mark.parametrize(
    "shape", [(), (9, 1), (0, 1), (1, b""), (2, [1]), (3, (0, 0, 1), 0), (4, {1: 3}), 7, (2, ((),))]
)
def test_what_is_no_shape_is_an_error_and_no_crash(shape: Any) -> None:
    for value in (0, b"", [], [1], [0]):
        try:
            native.fits(value, shape)
        except TypeError:
            continue


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=60, deadline=None)
def test_bundles(entries: list[bytes]) -> None:
    data = both("bundle", entries)
    assert both("unbundle", data) == entries
    for end in range(min(len(data), 40)):
        both("unbundle", data[:end])
    both("unbundle", b"".join(entries))


def test_an_entry_too_long_for_a_bundle() -> None:
    assert both("unbundle", both("bundle", [bytes(65535)])) == [bytes(65535)]
    assert both("bundle", [bytes(65536)]) is ValueError


CLOSE = st.builds(
    lambda head, tail: bytes.fromhex((head + tail.hex())[:64]),
    st.sampled_from(["", "0", "00", "0000000000", "ff" * 9, "ff" * 31]),
    st.binary(min_size=32, max_size=32),
)
ROWS = st.dictionaries(CLOSE, st.binary(max_size=40), min_size=1, max_size=40)


@given(ROWS, ROWS, st.integers(0, 12))
@settings(max_examples=150, deadline=None)
def test_buckets(rows: dict[bytes, bytes], more: dict[bytes, bytes], depth: int) -> None:
    before, hash_, former = both("bucket_put", b"", sorted(rows.items()))
    assert (hash_ is None, former) == (len(rows) > definition.BUCKET, [None] * len(rows))
    after, hash_, former = both("bucket_put", before, sorted(more.items()))
    assert former == [rows.get(path) for path in sorted(more)]
    for path, value in (rows | more).items():
        assert both("bucket_find", after, path) == value
    assert both("bucket_find", after, bytes(31) + b"\x05") is None or bytes(31) + b"\x05" in rows | more
    assert both("bucket_holds", after, hash_ or bytes(32)) == (hash_ is not None)
    assert not both("bucket_holds", after, bytes(32))
    if len({path.hex()[:depth] for path in rows | more}) == 1:
        parts = both("bucket_split", after, depth)
        assert sum(int.from_bytes(part[:4]) for part in parts) == len(rows | more)


def test_buckets_that_are_none() -> None:
    """A byte changed, dropped or put in, anywhere: the same said by both, and never held to be what it was."""
    dice = random.Random(5)
    rows = sorted((dice.randbytes(32), dice.randbytes(dice.randrange(9))) for _ in range(5))
    whole, hash_, _ = definition.bucket_put(b"", rows)
    assert hash_ is not None
    assert native.bucket_holds(whole, hash_)
    for _ in range(4000):
        data = bytearray(whole)
        at = dice.randrange(len(data))
        data[at : at + dice.randrange(3)] = bytes([dice.randrange(256)] * dice.randrange(3))
        spoilt = bytes(data)
        assert both("bucket_holds", spoilt, hash_) == (spoilt == whole)
        both("bucket_find", spoilt, rows[3][0])
    for data in (b"", b"\0", bytes(4), b"\xff" * 4, b"\xff" * 400, whole[:4], whole[:-1], whole + b"\0"):
        assert not both("bucket_holds", data, hash_)
        both("bucket_find", data, rows[0][0])
        both("bucket_split", data, 0)
        both("bucket_put", data, [])
    assert both("bucket_put", b"", [rows[0], rows[0]]) is ValueError
    assert both("bucket_put", b"", [rows[1], rows[0]]) is ValueError


@given(st.lists(st.tuples(st.integers(0, 15), st.binary(min_size=32, max_size=32), st.booleans()), max_size=12))
@settings(max_examples=100, deadline=None)
def test_nodes(changes: list[tuple[int, bytes, bool]]) -> None:
    node = both("node_of", b"\x12\x34" + bytes(range(256)) * 2)
    node, _, _ = both("node_put", node, changes)
    both("node_put", node, changes[::-1])
    assert both("node_of", node[0]) == node
    assert both("node_of", node[0][1:]) is ValueError


@given(CLOSE, st.integers(0, 63), st.booleans())
@settings(max_examples=200, deadline=None)
def test_locate(path: bytes, depth: int, complete: bool) -> None:
    """Nodes all the way to some depth, the last one's children buckets; or one missing on the way."""
    nodes = {}
    for at in range(depth + 1):
        inner = 1 << definition.nibble(path, at) if at < depth else 0
        nodes[definition.place_of(path, at)] = definition.node_of(inner.to_bytes(2) + bytes(512))
    if not complete:
        del nodes[definition.place_of(path, depth // 2)]
    assert both("locate", nodes, path) == (depth + 1 if complete else -1 - depth // 2)


@given(ROWS, st.lists(ROWS, max_size=4), st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_a_map_block_by_block(rows: dict[bytes, bytes], blocks: list[dict[bytes, bytes]], forgotten: int) -> None:
    """Through `StateMap`, which uses both alike: what each says of rows put, found, missing, and of the nodes above."""
    nodes: definition.Nodes = {}
    buckets: definition.Buckets = {definition.place_of(bytes(32), 0): b""}
    known: dict[bytes, bytes] = {}
    for block in [rows, *blocks]:
        given_ = sorted(block.items())
        for path in [*known, *block]:
            assert both("find", nodes, buckets, path) == known.get(path)
        assert both("absent", nodes, buckets, given_) == []
        made, overfull, levels, undo, _ = both("put_rows", nodes, buckets, given_)
        new: definition.Nodes = {}
        for path, depth, bucket in overfull:
            # A level down only, as if these were all short enough: what is above is told the same.
            children = []
            for slot, part in enumerate(both("bucket_split", bucket, depth)):
                if part:
                    under = part[4:36]
                    made[definition.place_of(under, depth + 1)] = part
                    children.append((slot, sha256(part).digest(), False))
            node, now, _ = both("node_put", definition.node_of(bytes(514)), children)
            new[definition.place_of(path, depth)] = node
            buckets.pop(definition.place_of(path, depth), None)
            if depth:
                definition.tell_above(levels, path, depth, now, True)
        told = [copy.deepcopy((levels, undo)) for _ in range(2)]
        mine, defined = (
            module.put_nodes(nodes, *each) for module, each in zip((native, definition), told, strict=True)
        )
        assert (mine, told[0]) == (defined, told[1])
        nodes |= mine[0] | new
        buckets |= made
        known |= block
    for place in list(buckets)[forgotten:]:
        del buckets[place]
    missing = both("absent", nodes, buckets, sorted(known.items()))
    for path in known:
        assert (both("find", nodes, buckets, path) is False) == (path in missing)
    if missing:
        for module in (native, definition):
            with pytest.raises(KeyError):
                module.put_rows(nodes, buckets, sorted(known.items()))


def test_records() -> None:
    shapes = {number: kind.shape for number, kind in records.KINDS.items()}
    good = records.withdraw(secret=bytes(32))
    items = [
        good,
        good[:-1],
        b"",
        b"\x00",
        b"\x80",
        b"\x81\x40",
        b"\x82\x18\xff\x00",
        b"\x81\x18\x1f",
        b"\x82\x18\x1f\x00",
    ]
    assert both("records", items, shapes) == [[31, bytes(32)], *[None] * 5, 255, None, None]


def test_places_are_apart() -> None:
    paths = [bytes(32), b"\xff" * 32, b"\x0f" * 32]
    places = {(path.hex()[:depth], depth): both("place_of", path, depth) for path in paths for depth in range(65)}
    assert len(set(places.values())) == len(places)
    assert all(type(place) is bytes or 0 <= place < 2**64 for place in places.values())


def test_without_the_compiled_steps_the_ledger_is_the_same() -> None:
    code = (
        "from gov_chain.core import hot; from gov_chain.ledger.core import records;"
        "print(hot.NATIVE, records.withdraw(secret=bytes(32)).hex())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"GOVCHAIN_PURE_PYTHON": pure},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for pure in ("0", "1")
    ]
    assert said[0] == ["True", said[1][1]]
    assert said[1][0] == "False"
