"""The authenticated state map: one root over every mapped key of the state and its value.

The map's shape depends on its keys alone, not on the order they came in. A key's path is SHA-256(key), read as
64 nibbles. The hash of the subtree of all paths that begin with some nibbles is

    no path          32 zero bytes
    at most BUCKET   SHA-256(11 ‖ path ‖ value hash ‖ …), by path                            a bucket
    more             SHA-256(13 ‖ four groups), a group being SHA-256(12 ‖ four children)    an inner node

where value hash = SHA-256(10 ‖ canonical CBOR of the value), the numbers are bytes in hexadecimal, and an inner node
has sixteen children, one a nibble. Sixteen keep few nodes to write a block; hashing them by fours keeps proofs short.
Keys are never removed.

Stored at each place (`place_of` so many nibbles) is what is there: a bucket's rows, or an inner node's children.

`StateMap.plan` works out one block and changes nothing; `apply` takes it over once it is stored. What is read for it is
first held against the hashes of the root before, so nothing that this root did not cover comes under the next; what a
key's value is (`get`) has been held against them too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from gov_chain.core import hot
from gov_chain.core.hot import Node, Place, place_of
from gov_chain.core.hot.definition import BUCKET, CHILDREN, Undo, bucket_rows, nibble, part_of, tell_above
from gov_chain.ledger.core.errors import LedgerError

DIGEST = 32
EMPTY = bytes(DIGEST)
PATH = 64
"""Nibbles of a path."""

ReadNode = Callable[[str], bytes | None]
"""The body of the inner node over paths beginning with some nibbles (hexadecimal)."""
ReadRows = Callable[[str], Sequence[tuple[bytes, bytes]]]
"""(path, value) of every path beginning with some nibbles, by path."""

_VALUE, _BUCKET, _GROUP, _NODE = b"\x10", b"\x11", b"\x12", b"\x13"
_NIBBLE = {digit: number for number, digit in enumerate("0123456789abcdef")}
_BODY = 2 + CHILDREN * DIGEST
NODE = b"\xff"
"""Before the body of a stored node; no bucket begins so."""


def path_of(key: bytes) -> bytes:
    return hot.sha256(key)


def value_hash(value: bytes) -> bytes:
    return sha256(_VALUE + value).digest()


def bucket_hash(pairs: Sequence[bytes]) -> bytes:
    """`pairs` are path ‖ value hash, by path."""
    return sha256(_BUCKET + b"".join(pairs)).digest() if pairs else EMPTY


@dataclass(slots=True)
class Changes:
    """What one block makes of the map."""

    before: bytes
    """The root it starts from."""
    root: bytes
    nodes: dict[Place, Node] = field(default_factory=dict)
    buckets: dict[Place, bytes] = field(default_factory=dict)
    undo: Undo = field(default_factory=dict)
    """What leads back, by part of the map, in no order. Of a node: what `undone` needs."""

    def stored(self) -> list[tuple[Place, bytes]]:
        """(place, what is there now) of every place that changes."""
        return [(place, NODE + node[0]) for place, node in self.nodes.items()] + list(self.buckets.items())


class StateMap:
    """The map while it grows, over what its caller stores; keeps up to `cached` nodes and buckets in memory.

    After an error it no longer matches what is stored, and is to be made anew from there.
    """

    def __init__(self, *, read: Callable[[Place], bytes | None], root: bytes, cached: int = 1 << 16) -> None:
        """`read` says what is stored at a place, and `root` is the one last signed.

        Raises `LedgerError("ledger-damaged")` when what is stored has another.
        """
        self._read = read
        self._cached = cached
        self._nodes: dict[Place, Node] = {}
        self._buckets: dict[Place, bytes] = {}
        self.root = root
        top = read(place_of(EMPTY, 0))
        self._split_up = top is not None and top[:1] == NODE
        """Whether there are inner nodes at all; else the bucket at the top is the map, and always in memory."""
        self._load(EMPTY)

    def get(self, path: bytes) -> bytes | None:
        """The value at a path, None if there is none; raises `LedgerError("ledger-damaged")`."""
        found = hot.find(self._nodes, self._buckets, path)
        if found is False:
            self._load(path)
            found = hot.find(self._nodes, self._buckets, path)
            assert found is not False
        return found

    def plan(self, written: Mapping[bytes, bytes]) -> Changes:
        """What the block makes of the map that writes these values (path → canonical CBOR). Changes nothing."""
        changes = Changes(self.root, self.root)
        if not written:
            return changes
        rows = sorted(written.items())
        try:
            put = hot.put_rows(self._nodes, self._buckets, rows)
        except KeyError:  # some of it is not in memory
            for path in hot.absent(self._nodes, self._buckets, rows):
                self._load(path)
            put = hot.put_rows(self._nodes, self._buckets, rows)
        changes.buckets, overfull, levels, changes.undo, top = put
        for path, depth, bucket in overfull:
            now = _split(path, depth, bucket, changes)
            if depth:
                tell_above(levels, path, depth, now, True)
            else:
                top = now
        nodes, root = hot.put_nodes(self._nodes, levels, changes.undo)
        changes.nodes |= nodes
        changes.root = root or top or self.root
        return changes

    def apply(self, changes: Changes) -> None:
        """Take over a plan made of the map as it is, now that what it writes is stored."""
        for place in changes.nodes:
            self._buckets.pop(place, None)  # those that were split
        self._nodes.update(changes.nodes)
        self._buckets.update(changes.buckets)
        self.root = changes.root
        self._split_up = bool(self._nodes)
        self.trim()

    def trim(self) -> None:
        """Let go of what is too much to keep. Not between a plan and its `apply`."""
        if self._split_up:
            for kept in (self._nodes, self._buckets):
                while len(kept) > self._cached:
                    del kept[next(iter(kept))]

    def _load(self, path: bytes) -> None:
        """Bring the way to a path, and the bucket it is or would be in, into memory."""
        depth = hot.locate(self._nodes, path)
        while depth < 0 and self._split_up:
            self._load_node(path, -1 - depth)
            depth = hot.locate(self._nodes, path)
        depth = max(depth, 0)
        place = place_of(path, depth)
        expected = self._expected(path, depth)
        if place in self._buckets:
            return
        bucket = self._read(place) or b""
        if (bucket or expected != EMPTY) and not hot.bucket_holds(bucket, expected):
            raise _damaged(path, depth)
        if bucket or depth == 0:
            self._buckets[place] = bucket

    def _load_node(self, path: bytes, depth: int) -> None:
        place = place_of(path, depth)
        stored = self._read(place)
        if stored is None or len(stored) != 1 + _BODY or stored[:1] != NODE:
            raise _damaged(path, depth)
        node = hot.node_of(stored[1:])
        if sha256(_NODE + node[1]).digest() != self._expected(path, depth):
            raise _damaged(path, depth)
        self._nodes[place] = node

    def _expected(self, path: bytes, depth: int) -> bytes:
        """The hash of what is at a place, as the node above it says."""
        if depth == 0:
            return self.root
        at = 2 + nibble(path, depth - 1) * DIGEST
        return self._nodes[place_of(path, depth - 1)][0][at : at + DIGEST]


def _split(path: bytes, depth: int, bucket: bytes, into: Changes) -> bytes:
    """The hash of a new inner node over more rows than a bucket holds; it and what is below it go into the changes."""
    children = []
    for slot, part in enumerate(hot.bucket_split(bucket, depth)):
        if not part:
            continue
        under = part[4 : 4 + DIGEST]
        count = int.from_bytes(part[:4])
        if count > BUCKET:
            children.append((slot, _split(under, depth + 1, part, into), True))
        else:
            into.buckets[place_of(under, depth + 1)] = part
            children.append((slot, sha256(_BUCKET + part[4 : 4 + count * 2 * DIGEST]).digest(), False))
    place = place_of(path, depth)
    into.nodes[place], now, _ = hot.node_put(_BARE, children)
    into.undo.setdefault(part_of(path, depth), ([], []))[1].append([place])
    return now


def top_hash(stored: bytes | None) -> bytes:
    """The root over what is stored at the top; raises `LedgerError("ledger-damaged")`."""
    try:
        if stored is not None and stored[:1] == NODE:
            return sha256(_NODE + hot.node_of(stored[1:])[1]).digest()
        return bucket_hash([pair for pair, _ in bucket_rows(stored or b"")])
    except ValueError as error:
        raise LedgerError("ledger-damaged", log="state map top") from error


_BARE = hot.node_of(bytes(_BODY))


def _damaged(path: bytes, depth: int) -> LedgerError:
    place = path.hex()[:depth]
    return LedgerError("ledger-damaged", log=f"state map: what is at {place!r} is not what was last signed")


def rows_of(stored: bytes) -> list[tuple[bytes, bytes]]:
    """(path, value) of a stored bucket's rows, by path; raises `LedgerError("ledger-damaged")`."""
    try:
        return [(pair[:DIGEST], value) for pair, value in bucket_rows(stored)]
    except ValueError as error:
        raise LedgerError("ledger-damaged", log="state map bucket") from error


def undone(body: bytes, undo: bytes) -> bytes:
    """An inner node's body before an update; raises `LedgerError("ledger-damaged")`."""
    touched = int.from_bytes(undo[2:4])
    if len(body) != _BODY or len(undo) != 4 + DIGEST * touched.bit_count():
        raise LedgerError("ledger-damaged", log="state map journal")
    children = bytearray(body[2:])
    at = 4
    for slot in range(CHILDREN):
        if touched >> slot & 1:
            children[slot * DIGEST : (slot + 1) * DIGEST] = undo[at : at + DIGEST]
            at += DIGEST
    return undo[:2] + children


@dataclass(frozen=True, slots=True)
class Lookup:
    """The way from the root to where a path is or would be: the bucket there, and what else each node's hash needs."""

    value: bytes | None
    """Canonical CBOR; None: no such key."""
    bucket: tuple[bytes, ...]
    """path ‖ value hash."""
    siblings: tuple[bytes, ...]
    """For each inner node, from the bucket up: the three children beside, then the three other groups (192 bytes)."""


def lookup(path: bytes, *, node: ReadNode, rows: ReadRows) -> Lookup:
    """Read a path's way from what is stored. Nothing is checked but its form: a verifier does."""
    nibbles = path.hex()
    siblings = []
    depth = 0
    body = node("")
    while body is not None:
        if len(body) != _BODY:
            raise LedgerError("ledger-damaged", log="state map node")
        hashes = [body[at : at + DIGEST] for at in range(2, _BODY, DIGEST)]
        groups = [sha256(_GROUP + b"".join(hashes[at : at + 4])).digest() for at in range(0, CHILDREN, 4)]
        slot = _NIBBLE[nibbles[depth]]
        first = slot & ~3
        beside = [hashes[at] for at in range(first, first + 4) if at != slot]
        siblings.append(b"".join(beside + groups[: slot >> 2] + groups[(slot >> 2) + 1 :]))
        depth += 1
        body = node(nibbles[:depth]) if int.from_bytes(body[:2]) >> slot & 1 else None
    found = rows(nibbles[:depth])
    value = next((value for at, value in found if at == path), None)
    return Lookup(value, tuple(at + value_hash(value) for at, value in found), tuple(reversed(siblings)))


def root_of(path: bytes, bucket: Sequence[bytes], siblings: Sequence[bytes]) -> bytes:
    """The root that a bucket and siblings lead to; raises `LedgerError("proof-wrong")` for a bucket out of place.

    Every pair lies under the nibbles of `path` that lead here, in order, and no more than a bucket holds.
    """
    depth = len(siblings)
    nibbles = path.hex()
    paths = [pair[:DIGEST] for pair in bucket]
    if (
        depth > PATH
        or len(bucket) > BUCKET
        or any(len(pair) != 2 * DIGEST for pair in bucket)
        or any(one >= other for one, other in pairwise(paths))
        or any(not each.hex().startswith(nibbles[:depth]) for each in paths)
    ):
        raise LedgerError("proof-wrong", log="state proof: bucket")
    current = bucket_hash(bucket)
    for row in siblings:
        depth -= 1
        if len(row) != 6 * DIGEST:
            raise LedgerError("proof-wrong", log="state proof: siblings")
        slot = _NIBBLE[nibbles[depth]]
        inside = (slot & 3) * DIGEST
        group = sha256(_GROUP + row[:inside] + current + row[inside : 3 * DIGEST]).digest()
        before = (3 + (slot >> 2)) * DIGEST
        current = sha256(_NODE + row[3 * DIGEST : before] + group + row[before:]).digest()
    return current
