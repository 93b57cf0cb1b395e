"""What the hot steps mean. `_native.c` does the same faster; a test holds the two equal, refusals included."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import cbor2

MAX_DEPTH = 6
"""Arrays within arrays."""
PERMITTED = "only unsigned integers, byte strings and arrays are canonical here"

Shape = tuple[Any, ...]
"""(INTEGER, least, limit), (BYTES, size), (ROW, shapes), (MANY, shape, least, most), (CHOICE, number → shapes of the
row after the number) or (ASKED, a function that says whether the value fits). Numbers stay below 2^64."""

INTEGER, BYTES, ROW, MANY, CHOICE, ASKED = range(6)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def hashes(tag: int, items: Sequence[bytes]) -> list[bytes]:
    """SHA-256(tag byte ‖ item) of each item."""
    before = bytes((tag,))
    new = hashlib.sha256
    return [new(before + item).digest() for item in items]


def grow(stack: list[bytes], size: int, leaves: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Add leaf hashes to the tree (RFC 9162) of `size` leaves whose perfect subtrees, largest first, are `stack`.

    The stack is changed in place. Returned are the (level, hash) of finished nodes that tiles keep (every eighth
    level), in the order they came about. Raises `ValueError` for a stack that is not one of this size.
    """
    if len(stack) != size.bit_count():
        raise ValueError("not the stack of this size")
    new = hashlib.sha256
    finished = []
    for current in leaves:
        here, level = size, 0
        while here & 1:
            current = new(b"\x01" + stack.pop() + current).digest()  # noqa: PLW2901
            here >>= 1
            level += 1
            if not level & 7:
                finished.append((level, current))
        stack.append(current)
        size += 1
    return finished


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after another, each after its length in two bytes; raises `ValueError` for one too long for that."""
    if any(len(entry) > 0xFFFF for entry in entries):
        raise ValueError("an entry too long for a bundle")
    return b"".join([part for entry in entries for part in (len(entry).to_bytes(2), entry)])


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; raises `ValueError`."""
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start])
        if max(at, start) > len(data):
            raise ValueError("a bundle cut short")
        entries.append(data[start:at])
    return entries


def encode(value: Any) -> bytes:
    """Deterministic CBOR (RFC 8949 §4.2.1) of ints from 0 to 2^64 - 1, bytes, and lists or tuples of these.

    Raises `ValueError` for anything else.
    """
    _check(value, MAX_DEPTH)
    return cbor2.dumps(value)


def decode(data: bytes) -> Any:
    """The value whose deterministic CBOR `data` is, arrays as lists; raises `ValueError` for anything else."""
    try:
        value = cbor2.loads(data)
        _check(value, MAX_DEPTH)
    except (cbor2.CBORDecodeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if cbor2.dumps(value) != data:
        raise ValueError("another encoding of the same value")
    return value


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is int:
        if not 0 <= value < 2**64:
            raise ValueError(PERMITTED)
    elif kind is list or kind is tuple:
        if depth == 0:
            raise ValueError("nested too deeply")
        for item in value:
            _check(item, depth - 1)
    elif kind is not bytes:
        raise ValueError(PERMITTED)


def fits(value: Any, shape: Shape) -> bool:
    """Whether a decoded value is of the shape."""
    kind, one = shape[0], shape[1]
    if kind == INTEGER:
        return type(value) is int and one <= value < shape[2]
    if kind == BYTES:
        return type(value) is bytes and len(value) == one
    if kind == ASKED:
        return bool(one(value))
    if type(value) is not list:
        return False
    if kind == ROW:
        return _row(value, one)
    if kind == MANY:
        return shape[2] <= len(value) <= shape[3] and all(fits(item, one) for item in value)
    if not value or type(value[0]) is not int:
        return False
    row = one.get(value[0])
    return row is not None and _row(value[1:], row)


def _row(value: list[Any], shapes: tuple[Shape, ...]) -> bool:
    if len(value) != len(shapes):
        return False
    for item, shape in zip(value, shapes, strict=True):  # noqa: SIM110 - a loop: `all` over a generator is slower
        if not fits(item, shape):
            return False
    return True


def records(items: Sequence[bytes], shapes: Mapping[int, Shape]) -> list[list[Any] | int | None]:
    """Each item decoded, if it is the canonical encoding of an array whose first item is a number and that fits the
    shape of this number; None if not; the number alone if that has no shape.
    """
    found: list[list[Any] | int | None] = []
    for item in items:
        try:
            record = decode(item)
        except ValueError:
            found.append(None)
            continue
        if type(record) is not list or not record or type(record[0]) is not int:
            found.append(None)
        elif record[0] not in shapes:
            found.append(record[0])
        else:
            found.append(record if fits(record, shapes[record[0]]) else None)
    return found


# The state map's buckets and inner nodes, as they are stored: `gov_chain.ledger.core.statemap` says what they are for.
#
# A bucket: count (4 bytes), count × (path ‖ value hash), count × length of the value (4 bytes), the values; by path.
# No bytes at all are the bucket without rows. A node: (body, groups), the body being 16 bits (which children are nodes
# themselves) and sixteen hashes, the groups being the hashes of four children each.

DIGEST = 32
BUCKET = 16
"""Rows of a bucket, at most. `bucket_put` makes longer ones, to be split."""
CHILDREN = 16
FLAT = 16
"""Depths below this have numbers for places; deeper ones, where nobody's keys come by chance, have bytes."""
_PAIR = 2 * DIGEST
_GROUP = 4 * DIGEST
_BODY = 2 + CHILDREN * DIGEST

Place = int | bytes
"""Where the paths beginning with so many nibbles have their node or bucket."""
Node = tuple[bytes, bytes]
Nodes = dict[Place, Node]
Buckets = dict[Place, bytes]
"""Those in memory."""


def bucket_rows(bucket: bytes) -> list[tuple[bytes, bytes]]:
    """(path ‖ value hash, value) of each row; raises `ValueError`."""
    if not bucket:
        return []
    count = int.from_bytes(bucket[:4])
    lengths = 4 + count * _PAIR
    at = lengths + 4 * count
    if len(bucket) < 4 or count == 0 or len(bucket) < at:
        raise ValueError("not a bucket")
    rows = []
    for row in range(count):
        size = int.from_bytes(bucket[lengths + 4 * row : lengths + 4 * row + 4])
        rows.append((bucket[4 + row * _PAIR : 4 + (row + 1) * _PAIR], bucket[at : at + size]))
        at += size
    if at != len(bucket):
        raise ValueError("not a bucket")
    return rows


def _bucket(rows: Sequence[tuple[bytes, bytes]]) -> bytes:
    if not rows:
        return b""
    pairs, values = [pair for pair, _ in rows], [value for _, value in rows]
    lengths = [len(value).to_bytes(4) for value in values]
    return b"".join((len(rows).to_bytes(4), *pairs, *lengths, *values))


def bucket_holds(bucket: bytes, expected: bytes) -> bool:
    """Whether this is a bucket with this hash, and each of its values has the hash that stands beside its path."""
    try:
        rows = bucket_rows(bucket)
    except ValueError:
        return False
    return (
        0 < len(rows) <= BUCKET
        and hashes(0x11, [bucket[4 : 4 + len(rows) * _PAIR]])[0] == expected
        and hashes(0x10, [value for _, value in rows]) == [pair[DIGEST:] for pair, _ in rows]
    )


def bucket_find(bucket: bytes, path: bytes) -> bytes | None:
    """The value at a path."""
    return next((value for pair, value in bucket_rows(bucket) if pair[:DIGEST] == path), None)


def bucket_put(bucket: bytes, changes: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes | None, list[bytes | None]]:
    """The bucket with these (path, value) in it, its hash, and the former value at each of the paths.

    Changes come by path, each path once. No hash: it has become longer than a bucket may be.
    """
    paths = [path for path, _ in changes]
    if any(one >= other for one, other in itertools.pairwise(paths)):
        raise ValueError("changes out of order")
    old = {pair[:DIGEST]: (pair, value) for pair, value in bucket_rows(bucket)}
    former = [old[path][1] if path in old else None for path in paths]
    for (path, value), digest in zip(changes, hashes(0x10, [value for _, value in changes]), strict=True):
        old[path] = path + digest, value
    made = _bucket([old[path] for path in sorted(old)])
    if not made:
        raise ValueError("not a bucket")
    return made, None if len(old) > BUCKET else hashes(0x11, [made[4 : 4 + len(old) * _PAIR]])[0], former


def bucket_split(bucket: bytes, depth: int) -> list[bytes]:
    """The rows of each child: those whose path has its number as the nibble at `depth`."""
    parts: list[list[tuple[bytes, bytes]]] = [[] for _ in range(CHILDREN)]
    for pair, value in bucket_rows(bucket):
        parts[nibble(pair, depth)].append((pair, value))
    return [_bucket(part) for part in parts]


def nibble(path: bytes, depth: int) -> int:
    return path[depth >> 1] & 15 if depth & 1 else path[depth >> 1] >> 4


def node_of(body: bytes) -> Node:
    if len(body) != _BODY:
        raise ValueError("not a node")
    groups = hashes(0x12, [body[at : at + _GROUP] for at in range(2, _BODY, _GROUP)])
    return body, b"".join(groups)


def node_put(node: Node, changes: list[tuple[int, bytes, bool]]) -> tuple[Node, bytes, bytes]:
    """The node with these (slot, hash, is a node itself) children, its hash, and what leads back (`undone`)."""
    before = node[0]
    body = bytearray(before)
    inner, touched = int.from_bytes(before[:2]), 0
    for slot, digest, is_node in changes:
        body[2 + slot * DIGEST : 2 + (slot + 1) * DIGEST] = digest
        inner |= is_node << slot
        touched |= 1 << slot
    body[:2] = inner.to_bytes(2)
    former = [before[2 + slot * DIGEST : 2 + (slot + 1) * DIGEST] for slot in range(CHILDREN) if touched >> slot & 1]
    made = node_of(bytes(body))
    return made, hashes(0x13, [made[1]])[0], before[:2] + touched.to_bytes(2) + b"".join(former)


def place_of(path: bytes, depth: int) -> Place:
    """The place of the first `depth` nibbles of a path."""
    if depth < FLAT:
        shift = 64 - 4 * depth
        return int.from_bytes(path[:8]) >> shift << shift | depth
    head = path[: (depth + 1) // 2]
    return (head[:-1] + bytes((head[-1] & 0xF0,)) if depth & 1 else head) + bytes((depth,))


def locate(nodes: Nodes, path: bytes) -> int:
    """The depth of a path's bucket; or -1 - the depth of the node on its way there that is not among these."""
    depth = 0
    while True:
        node = nodes.get(place_of(path, depth))
        if node is None:
            return -1 - depth
        if not int.from_bytes(node[0][:2]) >> nibble(path, depth) & 1:
            return depth + 1
        depth += 1


def _bucket_at(nodes: Nodes, buckets: Buckets, path: bytes) -> tuple[int, bytes | None]:
    """A path's bucket and its depth; None: it, or the way to it, is not in memory."""
    depth = locate(nodes, path)
    if depth == -1:
        return 0, buckets.get(place_of(path, 0))
    if depth < 0:
        return depth, None
    at = 2 + nibble(path, depth - 1) * DIGEST
    empty = nodes[place_of(path, depth - 1)][0][at : at + DIGEST] == bytes(DIGEST)
    return depth, buckets.get(place_of(path, depth), b"" if empty else None)


def find(nodes: Nodes, buckets: Buckets, path: bytes) -> bytes | Literal[False] | None:
    """The value at a path; None: there is no such key; False: where it would be is not in memory.

    Where there is no node at the top, the bucket at the top is the whole map.
    """
    _, bucket = _bucket_at(nodes, buckets, path)
    return False if bucket is None else bucket_find(bucket, path)


def absent(nodes: Nodes, buckets: Buckets, rows: list[tuple[bytes, bytes]]) -> list[bytes]:
    """The paths of these (path, value) whose place is not in memory."""
    return [path for path, _ in rows if _bucket_at(nodes, buckets, path)[1] is None]


Level = dict[Place, tuple[bytes, list[tuple[int, bytes, bool]]]]
"""Nodes of one depth of which children change: place → (a path under it, [(slot, hash, is a node itself)…])."""
Undo = dict[int, tuple[list[list[Any]], list[list[Any]]]]
"""Part → ([[path, former value] or [path]…], [[place, what leads back] or [place]…]).

The part of a path, and of a node at depth 2 or more, is the first byte; that of the nodes above is `TOP`.
"""
TOP = 256


def put_rows(
    nodes: Nodes, buckets: Buckets, rows: list[tuple[bytes, bytes]]
) -> tuple[dict[Place, bytes], list[tuple[bytes, int, bytes]], list[Level], Undo, bytes | None]:
    """Put (path, value), sorted by path, into the buckets in memory; nothing given is changed.

    Returned are the buckets made; those too long, as (a path in it, depth, bucket), to be split; by depth, the nodes
    above the others; what leads back; and the hash of the bucket at the top if that is what was made. Raises
    `KeyError` if something is not in memory.
    """
    made: dict[Place, bytes] = {}
    overfull: list[tuple[bytes, int, bytes]] = []
    levels: list[Level] = []
    undo: Undo = {}
    top = None
    together: dict[tuple[int, Place], list[tuple[bytes, bytes]]] = {}
    for path, value in rows:
        depth, bucket = _bucket_at(nodes, buckets, path)
        if bucket is None:
            raise KeyError("not in memory")
        together.setdefault((depth, place_of(path, depth)), []).append((path, value))
    for (depth, place), puts in together.items():
        path = puts[0][0]
        after, whole, former = bucket_put(_bucket_at(nodes, buckets, path)[1] or b"", puts)
        for (at, _), was in zip(puts, former, strict=True):
            undo.setdefault(at[0], ([], []))[0].append([at] if was is None else [at, was])
        if whole is None:
            overfull.append((path, depth, after))
            continue
        made[place] = after
        if depth:
            tell_above(levels, path, depth, whole, False)
        else:
            top = whole
    return made, overfull, levels, undo, top


def tell_above(levels: list[Level], path: bytes, depth: int, digest: bytes, is_node: bool) -> None:
    """Note for the node above what is now at `depth` on the way to a path."""
    while len(levels) < depth:
        levels.append({})
    children = levels[depth - 1].setdefault(place_of(path, depth - 1), (path, []))[1]
    children.append((nibble(path, depth - 1), digest, is_node))


def put_nodes(nodes: Nodes, levels: list[Level], undo: Undo) -> tuple[dict[Place, Node], bytes | None]:
    """Put what `levels` notes into the nodes in memory, from the deepest up; the nodes made, and the root.

    Nodes given are not changed; `levels` is filled on the way, and `undo` gets what leads back.
    """
    made: dict[Place, Node] = {}
    top = None
    for depth in range(len(levels) - 1, -1, -1):
        for place, (path, children) in levels[depth].items():
            if place not in nodes:
                raise KeyError("not in memory")
            made[place], now, back = node_put(nodes[place], children)
            undo.setdefault(part_of(path, depth), ([], []))[1].append([place, back])
            if depth:
                tell_above(levels, path, depth, now, True)
            else:
                top = now
    return made, top


def part_of(path: bytes, depth: int) -> int:
    return TOP if depth < 2 else path[0]
