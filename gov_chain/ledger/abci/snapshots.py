"""State sync: a new node gets the log in chunks, checks each, and executes it again.

A snapshot is the log itself up to a block: nothing derived travels, and a node that offers one copies nothing, since
entries never change. Chunk i holds entries i·2^level … of the log, each after its length in two bytes. The
snapshot's metadata is the canonical array [level, checkpoint's body, [root of each chunk's entries…]]:

 1. SHA-256 of the body is the app hash, which CometBFT's light client has verified against the validators
 2. the chunks' roots fold to the body's root, so a snapshot whose list is false is rejected before it is fetched
 3. each chunk's entries have the root listed: a poisoned one is fetched again, its sender asked no more
 4. the first entry is the genesis this node was set up with
 5. every transaction is executed again; the state's root and the validators are those of the body

The store is made beside the node's own and takes its place when it is whole and on disk. Source: CometBFT v0.38,
spec/abci, "State Sync"; limits of its reactor: 4,000,000 bytes of metadata, 16,000,000 a chunk.
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gov_chain.core.codec import NotCanonical, decode, encode
from gov_chain.ledger import store
from gov_chain.ledger.building import Building
from gov_chain.ledger.core import checkpoint, entries, genesis, note, records, tiles, tree
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.shapes import DIGEST, Many, Uint
from gov_chain.ledger.replica import Head, Sign

FORMAT = 1
KEPT = 4
"""Snapshots on offer."""
LEAST_LEVEL, MOST_LEVEL = 10, 16
CHUNKS = 1024
"""Chunks of one snapshot, while they are not of the largest level."""
MAX_CHUNKS = 100_000
MAX_CHUNK = 16_000_000
DRAFT = "restoring"
_LENGTH = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The log up to a block."""

    level: int
    head: Checkpoint
    roots: tuple[bytes, ...]

    @property
    def metadata(self) -> bytes:
        return encode([self.level, self.head.text.encode(), list(self.roots)])

    def span(self, chunk: int) -> tuple[int, int]:
        """The entries of a chunk: first, and one beyond the last."""
        return chunk << self.level, min(chunk + 1 << self.level, self.head.size)


class Offers:
    """Snapshots of the last blocks that this node was asked to offer. Reads the store; keeps nothing on disk."""

    def __init__(self, rows: store.Rows) -> None:
        self._rows = rows
        self._heads: OrderedDict[int, Checkpoint] = OrderedDict()
        self._made: dict[int, Snapshot] = {}

    def add(self, height: int, head: Checkpoint) -> None:
        self._heads[height] = head
        if len(self._heads) > KEPT:
            oldest, _ = self._heads.popitem(last=False)
            self._made.pop(oldest, None)

    def items(self) -> list[tuple[int, Snapshot]]:
        for height, head in self._heads.items():
            if height not in self._made:
                self._made[height] = self._make(head)
        return sorted(self._made.items())

    def _make(self, head: Checkpoint) -> Snapshot:
        level = min(max(LEAST_LEVEL, (head.size // CHUNKS).bit_length()), MOST_LEVEL)
        node = tiles.nodes(self._rows.tile, cached=64)
        whole, rest = divmod(head.size, 1 << level)
        roots = [node(level, chunk) for chunk in range(whole)]
        if rest:
            roots.append(tree.root(tree.leaf_hashes(list(self._entries(whole << level, head.size)))))
        return Snapshot(level, head, tuple(roots))

    def chunk(self, height: int, index: int) -> bytes:
        """A chunk's bytes; empty if there is no such chunk (any more)."""
        offer = self._made.get(height)
        if offer is None or not 0 <= index < len(offer.roots):
            return b""
        data = b"".join(_LENGTH.pack(len(body)) + body for body in self._entries(*offer.span(index)))
        return data if len(data) <= MAX_CHUNK else b""

    def _entries(self, start: int, end: int) -> Iterator[bytes]:
        return self._rows.entries(start, end)


def verified(metadata: bytes, *, app_hash: bytes, origin: str) -> Snapshot:
    """The snapshot that this metadata describes, if the app hash covers it; raises `LedgerError("snapshot-wrong")`."""
    try:
        level, body, roots = decode(metadata)
        head = checkpoint.parse(body.decode())
    except (NotCanonical, TypeError, ValueError, AttributeError, LedgerError) as error:
        raise LedgerError("snapshot-wrong", log=f"metadata: {type(error).__name__}") from error
    if not Uint(MOST_LEVEL + 1, LEAST_LEVEL).fits(level) or not Many(DIGEST, MAX_CHUNKS, 1).fits(roots):
        raise LedgerError("snapshot-wrong", log="metadata: shape")
    if sha256(body).digest() != app_hash or head.origin != origin:
        raise LedgerError("snapshot-wrong", log="another checkpoint than the one agreed on")
    if len(roots) != -(-head.size // (1 << level)):
        raise LedgerError("snapshot-wrong", log="number of chunks")
    if tree.root(roots) != head.root:
        raise LedgerError("snapshot-wrong", log="the chunks' roots are not the log's")
    return Snapshot(level, head, tuple(roots))


def opened(chunk: bytes) -> list[bytes]:
    """A chunk's entries; raises `LedgerError("snapshot-wrong")`."""
    found = []
    at = 0
    while at < len(chunk):
        end = at + 2 + int.from_bytes(chunk[at : at + 2])
        if end > len(chunk) or at + 2 > len(chunk):
            raise LedgerError("snapshot-wrong", log="a chunk cut short")
        found.append(chunk[at + 2 : end])
        at = end
    return found


class Restoring:
    """A store being made from a verified snapshot's chunks, in their order."""

    def __init__(self, directory: Path, snapshot: Snapshot, *, height: int, ledger_id: bytes) -> None:
        self._directory = directory
        self._snapshot = snapshot
        self._height = height
        self._ledger_id = ledger_id
        self._draft = directory / f"{store.FILE}.{DRAFT}"
        discard(directory)
        self._connection = store.create(self._draft)
        self._building = Building(self._connection)
        self._next = 0
        self._rest: list[bytes] = []

    def add(self, index: int, chunk: bytes) -> None:
        """Raises `LedgerError("snapshot-wrong")` for a chunk that is not the one described; nothing has changed."""
        bodies = opened(chunk)
        start, end = self._snapshot.span(index)
        if index != self._next or len(bodies) != end - start:
            raise LedgerError("snapshot-wrong", log=f"chunk {index}: {len(bodies)} entries")
        if tree.root(tree.leaf_hashes(bodies)) != self._snapshot.roots[index]:
            raise LedgerError("snapshot-wrong", log=f"chunk {index} is not the one described")
        self._next += 1
        self._execute(bodies, last=self.complete)

    @property
    def complete(self) -> bool:
        return self._next == len(self._snapshot.roots)

    def _execute(self, bodies: Sequence[bytes], *, last: bool) -> None:
        """All whole transactions so far; what is left of one that the next chunk continues waits for it."""
        self._connection.execute("BEGIN IMMEDIATE")
        if self._building.size == 0:
            if genesis.ledger_id(bodies[0]) != self._ledger_id:
                raise LedgerError("another-consortium", log="the snapshot has another genesis")
            self._building.add(bodies[:1])
            bodies = bodies[1:]
        waiting = [*self._rest, *bodies]
        until = len(waiting) if last else max(_begins(waiting), default=0)
        if until:
            self._building.add(waiting[:until])
        self._rest = waiting[until:]
        self._connection.execute("COMMIT")

    def finish(self, sign: Sign) -> None:
        """Compare with the checkpoint, sign it, and give the store its name. Raises `LedgerError("snapshot-wrong")`."""
        head = self._snapshot.head
        if self._building.checkpoint(head.origin).text != head.text:
            raise LedgerError("snapshot-wrong", log="the entries do not make the state agreed on")
        connection = self._connection
        with closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            last = store.Rows(connection).entry(head.size - 1)
            assert last is not None
            time, _, _ = entries.unwrap(last)
            text = sign(head.text)
            assert note.split(text)[0] == head.text
            store.put_checkpoint(connection, head.size, time, text)
            # Before this checkpoint there was none: there is no way back to a moment within it.
            connection.execute("DELETE FROM map_undo")
            store.put_engine(connection, self._height, Head(time, head).app_hash)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # Whole and on disk. The rename is what makes it the ledger; whoever reads the old file must open anew.
        for leftover in ("-wal", "-shm"):
            (self._directory / f"{store.FILE}{leftover}").unlink(missing_ok=True)
        self._draft.rename(self._directory / store.FILE)
        at = os.open(self._directory, os.O_RDONLY)
        os.fsync(at)
        os.close(at)

    def give_up(self) -> None:
        self._connection.close()
        discard(self._directory)


def discard(directory: Path) -> None:
    """Remove what a restore that was given up has left."""
    for ending in ("", "-wal", "-shm"):
        (directory / f"{store.FILE}.{DRAFT}{ending}").unlink(missing_ok=True)


def _begins(bodies: Sequence[bytes]) -> list[int]:
    """Where transactions begin."""
    return [at for at, body in enumerate(bodies) if entries.unwrap(body)[2][0] == records.TRANSACTION]
