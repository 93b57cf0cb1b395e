"""The log's Merkle tree and its proofs: RFC 9162 §2.1 (the tree of RFC 6962), SHA-256.

Nodes are named (level, index): level 0 are the leaves' hashes, and node (l, i) covers leaves
i·2^l … (i+1)·2^l − 1, all of which exist. Provers take a function that returns such nodes, so that
they run alike over memory, tiles and a database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gov_chain.core import hot
from gov_chain.ledger.core.errors import LedgerError

EMPTY_ROOT = hot.sha256(b"")
Node = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    return hot.sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    return hot.sha256(b"\x01" + left + right)


def fold(stack: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees given from left (largest) to right."""
    if not stack:
        return EMPTY_ROOT
    right = stack[-1]
    for left in reversed(stack[:-1]):
        right = hot.sha256(b"\x01" + left + right)
    return right


def leaf_hashes(entries: Sequence[bytes]) -> list[bytes]:
    return hot.hashes(0, entries)


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree's root over leaf hashes."""
    return fold(grow([], 0, leaves))


def grow(stack: list[bytes], size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The perfect subtrees of a tree of `size` leaves after adding `leaves`; `stack` is changed in place."""
    hot.grow(stack, size, leaves)
    return stack


def peaks(size: int, node: Node) -> list[bytes]:
    """The perfect subtrees of a tree of `size` leaves, left (largest) to right."""
    return _cover(0, size, node)


def _cover(start: int, end: int, node: Node) -> list[bytes]:
    """Perfect subtrees covering [start, end); `start` is a multiple of the largest of them."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(node(level, start >> level))
        start += 1 << level
    return found


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Siblings from the leaf up (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise LedgerError("entry-unknown", log=f"{index} of {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(fold(_cover(middle, end, node)))
            end = middle
        else:
            path.append(fold(_cover(start, middle, node)))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """Proof that the tree of `second` leaves extends that of `first` (RFC 9162 §2.1.4.1)."""
    if not 0 <= first <= second:
        raise LedgerError("proof-wrong", log=f"{first} > {second}")
    if first in (0, second):
        return []
    path = []
    start, end, whole = 0, second, True
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(fold(_cover(middle, end, node)))
            end = middle
        else:
            path.append(fold(_cover(start, middle, node)))
            start, whole = middle, False
    if not whole:
        path.append(fold(_cover(start, end, node)))
    return path[::-1]


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `LedgerError("proof-wrong")` unless the leaf hash is at `index` of the tree (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        raise LedgerError("proof-wrong", log="index beyond the tree")
    here, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != 32:
            raise LedgerError("proof-wrong", log="proof too long")
        if here & 1 or here == last:
            current = node_hash(sibling, current)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        here, last = here >> 1, last >> 1
    if last != 0 or current != root:
        raise LedgerError("proof-wrong", log="inclusion")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises `LedgerError("proof-wrong")` unless the second tree extends the first (RFC 9162 §2.1.4.2)."""
    if first > second or (first == second and (first_root != second_root or proof)):
        raise LedgerError("proof-wrong", log="consistency: sizes")
    if first == second:
        return
    if first == 0:
        if proof or first_root != EMPTY_ROOT:
            raise LedgerError("proof-wrong", log="consistency: from empty")
        return
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path or any(len(each) != 32 for each in path):
        raise LedgerError("proof-wrong", log="consistency: too short")
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise LedgerError("proof-wrong", log="consistency: too long")
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    if last != 0 or old != first_root or new != second_root:
        raise LedgerError("proof-wrong", log="consistency: roots")
