"""The authenticated state map: one root over every mapped key of the state and its value.

The map's shape depends on its keys alone, not on the order they came in. A key's path is SHA-256(key), read as
64 nibbles. The hash of the subtree of all paths that begin with some nibbles is

    no path          32 zero bytes
    at most BUCKET   SHA-256(11 ‖ path ‖ value hash ‖ …), by path                            a bucket
    more             SHA-256(13 ‖ four groups), a group being SHA-256(12 ‖ four children)    an inner node

where value hash = SHA-256(10 ‖ canonical CBOR of the value), the numbers are bytes in hexadecimal, and an inner node
has sixteen children, one a nibble. Sixteen keep few nodes to write a block; hashing them by fours keeps proofs short.
Keys are never removed.

Stored are the keys' rows (path → value), which are the buckets, and each inner node's children. A row's place is its
path; an inner node's place is its nibbles and their number, so that it lies beside the rows under it.

`StateMap.plan` works out one block and changes nothing; `apply` takes it over once it is stored. Rows read for it are
first held against the hashes of the root before, so nothing that this root did not cover comes under the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from gov_chain.ledger.core.errors import LedgerError

BUCKET = 16
"""Keys of a bucket, at most."""
CHILDREN = 16
DIGEST = 32
EMPTY = bytes(DIGEST)
PATH = 64
"""Nibbles of a path."""

ReadNode = Callable[[bytes], bytes | None]
"""The stored body of the inner node at a place."""
ReadRows = Callable[[bytes, bytes], Sequence[tuple[bytes, bytes]]]
"""(path, value) of every row from one path to another, both included, by path."""

_VALUE, _BUCKET, _GROUP, _NODE = b"\x10", b"\x11", b"\x12", b"\x13"
_NIBBLE = {digit: number for number, digit in enumerate("0123456789abcdef")}
_GROUP_BYTES = 4 * DIGEST
_BODY = 2 + CHILDREN * DIGEST


def path_of(key: bytes) -> bytes:
    return sha256(key).digest()


def value_hash(value: bytes) -> bytes:
    return sha256(_VALUE + value).digest()


def bucket_hash(pairs: Sequence[bytes]) -> bytes:
    """`pairs` are path ‖ value hash, by path."""
    return sha256(_BUCKET + b"".join(pairs)).digest() if pairs else EMPTY


def group_hash(children: bytes) -> bytes:
    return sha256(_GROUP + children).digest()


def node_hash(groups: Sequence[bytes]) -> bytes:
    return sha256(_NODE + b"".join(groups)).digest()


def place_of(nibbles: str) -> bytes:
    """Where the inner node over paths beginning with `nibbles` (hexadecimal) is stored."""
    depth = len(nibbles)
    return bytes.fromhex(nibbles + "0" if depth & 1 else nibbles) + bytes((depth,))


def span_of(nibbles: str) -> tuple[bytes, bytes]:
    """The first and the last path beginning with `nibbles`."""
    return bytes.fromhex(nibbles.ljust(PATH, "0")), bytes.fromhex(nibbles.ljust(PATH, "f"))


class Node:
    """An inner node. `inner` has a bit for each child that is an inner node itself, not a bucket or empty."""

    __slots__ = ("children", "groups", "inner")

    def __init__(self, inner: int, children: bytes, groups: list[bytes] | None = None) -> None:
        self.inner = inner
        self.children = children
        if groups is None:
            groups = [group_hash(children[at : at + _GROUP_BYTES]) for at in range(0, len(children), _GROUP_BYTES)]
        self.groups = groups

    @classmethod
    def of(cls, body: bytes) -> Node:
        """Raises `LedgerError("ledger-damaged")` for a body that is none."""
        if len(body) != _BODY:
            raise LedgerError("ledger-damaged", log="state map node")
        return cls(int.from_bytes(body[:2]), body[2:])

    @property
    def body(self) -> bytes:
        return self.inner.to_bytes(2) + self.children

    def hash(self) -> bytes:
        return node_hash(self.groups)

    def child(self, slot: int) -> bytes:
        return self.children[slot * DIGEST : (slot + 1) * DIGEST]


@dataclass(slots=True)
class Changes:
    """What one block makes of the map. Stored are `nodes`; `undo` leads back from them to what they were."""

    before: bytes
    """The root it starts from."""
    root: bytes
    inner: bool
    """Whether the whole map is more than a bucket."""
    nodes: dict[str, Node] = field(default_factory=dict)
    undo: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    """(place, what `undone` needs; None: there was no such node)."""

    def stored(self) -> list[tuple[bytes, bytes]]:
        """(place, body) of every inner node it writes."""
        return [(place_of(nibbles), node.body) for nibbles, node in self.nodes.items()]


class StateMap:
    """The map while it grows, over rows that its caller stores; keeps up to `cached` inner nodes in memory.

    After an error it no longer matches what is stored, and is to be made anew from there.
    """

    def __init__(self, *, node: ReadNode, rows: ReadRows, root: bytes, cached: int = 1 << 16) -> None:
        """`root` is the one last signed; raises `LedgerError("ledger-damaged")` when what is stored has another."""
        self._read = node
        self._rows = rows
        self._cached = cached
        self._nodes: dict[str, Node] = {}
        self.root = root
        self._inner = node(place_of("")) is not None
        if self._inner:
            self._node("", root)
        elif bucket_hash([path + value_hash(value) for path, value in rows(*span_of(""))]) != root:
            raise LedgerError("ledger-damaged", log="state map: root bucket")

    def plan(self, written: Mapping[bytes, bytes]) -> Changes:
        """What the block makes of the map that writes these values (path → canonical CBOR). Changes nothing."""
        self._written = written
        self._paths = sorted(path.hex() for path in written)
        self._changes = changes = Changes(self.root, self.root, self._inner)
        count = len(self._paths)
        if count and self._inner:
            changes.root = self._under("", 0, count, self.root)
        elif count:
            changes.root, changes.inner = self._bucket("", 0, count, self.root)
        return changes

    def apply(self, changes: Changes) -> None:
        """Take over a plan made of the map as it is, now that what it writes is stored."""
        self._nodes.update(changes.nodes)
        self.root, self._inner = changes.root, changes.inner
        while len(self._nodes) > self._cached:
            del self._nodes[next(iter(self._nodes))]

    def _under(self, nibbles: str, start: int, end: int, expected: bytes) -> bytes:
        """The new hash of an inner node, of which written paths `start` … `end - 1` lie below."""
        former = self._node(nibbles, expected)
        inner, children = former.inner, bytearray(former.children)
        paths = self._paths
        depth = len(nibbles)
        touched = 0
        were = []
        at = start
        while at < end:
            digit = paths[at][depth]
            to = at + 1
            while to < end and paths[to][depth] == digit:
                to += 1
            slot = _NIBBLE[digit]
            where = slot * DIGEST
            was = bytes(children[where : where + DIGEST])
            if inner >> slot & 1:
                now = self._under(nibbles + digit, at, to, was)
            else:
                now, split = self._bucket(nibbles + digit, at, to, was)
                if split:
                    inner |= 1 << slot
            if now != was:
                children[where : where + DIGEST] = now
                touched |= 1 << slot
                were.append(was)
            at = to
        if not touched:
            return expected
        groups = former.groups.copy()
        for group in range(4):
            if touched >> 4 * group & 15:
                where = group * _GROUP_BYTES
                groups[group] = sha256(_GROUP + children[where : where + _GROUP_BYTES]).digest()
        node = self._changes.nodes[nibbles] = Node(inner, bytes(children), groups)
        undo = former.inner.to_bytes(2) + touched.to_bytes(2) + b"".join(were)
        self._changes.undo.append((place_of(nibbles), undo))
        return node.hash()

    def _bucket(self, nibbles: str, start: int, end: int, expected: bytes) -> tuple[bytes, bool]:
        """The new hash of a bucket in which written paths `start` … `end - 1` are, and whether it became a node."""
        pairs = {path: sha256(_VALUE + value).digest() for path, value in self._rows(*span_of(nibbles))}
        if bucket_hash([path + digest for path, digest in pairs.items()]) != expected:
            raise LedgerError("ledger-damaged", log=f"state map: rows under {nibbles!r} are not those last signed")
        for at in range(start, end):
            path = bytes.fromhex(self._paths[at])
            pairs[path] = sha256(_VALUE + self._written[path]).digest()
        merged = [path + pairs[path] for path in sorted(pairs)]
        if len(merged) <= BUCKET:
            return bucket_hash(merged), False
        return self._split(nibbles, merged), True

    def _split(self, nibbles: str, pairs: Sequence[bytes]) -> bytes:
        """The hash of a new inner node over more pairs than a bucket holds."""
        depth = len(nibbles)
        slots: list[list[bytes]] = [[] for _ in range(CHILDREN)]
        for pair in pairs:
            byte = pair[depth >> 1]
            slots[byte & 15 if depth & 1 else byte >> 4].append(pair)
        inner = 0
        children = bytearray()
        for slot, below in enumerate(slots):
            if len(below) > BUCKET:
                inner |= 1 << slot
                children += self._split(f"{nibbles}{slot:x}", below)
            else:
                children += bucket_hash(below)
        node = self._changes.nodes[nibbles] = Node(inner, bytes(children))
        self._changes.undo.append((place_of(nibbles), None))
        return node.hash()

    def _node(self, nibbles: str, expected: bytes) -> Node:
        """An inner node, from memory or as stored; what is stored has to have the hash its parent says."""
        node = self._nodes.pop(nibbles, None)
        if node is None:
            body = self._read(place_of(nibbles))
            node = None if body is None else Node.of(body)
            if node is None or node.hash() != expected:
                raise LedgerError(
                    "ledger-damaged", log=f"state map: the node at {nibbles!r} is not the one last signed"
                )
        self._nodes[nibbles] = node  # at the end: the least recently used are at the front
        return node


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
    """Read a path's way from what is stored. Nothing is checked: a verifier does."""
    nibbles = path.hex()
    siblings = []
    depth = 0
    body = node(place_of(""))
    while body is not None:
        here = Node.of(body)
        slot = _NIBBLE[nibbles[depth]]
        first = slot & ~3
        beside = [here.child(at) for at in range(first, first + 4) if at != slot]
        siblings.append(b"".join(beside + here.groups[: slot >> 2] + here.groups[(slot >> 2) + 1 :]))
        depth += 1
        body = node(place_of(nibbles[:depth])) if here.inner >> slot & 1 else None
    found = rows(*span_of(nibbles[:depth]))
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
