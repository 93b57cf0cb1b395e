"""One node's ledger, store and rules together, fed by any engine: an engine decides the order, and nothing else.

`execute` works a block out and keeps nothing of it: it may be asked for any number of blocks, the same one again or
others, of which one is committed or none. `commit` writes that one, in a single SQLite transaction, and what is durable
after each of its steps is:

 1. open the transaction, insert entries, indexes, state, tiles and the state map             nothing
 2. re-derive the root from the entries as inserted, prove consistency with the last
    checkpoint from the tiles as inserted; the state map's root too comes from rows as
    inserted, and each row it was made from was held against the last checkpoint's root       nothing
 3. only then have the checkpoint signed                                                      nothing
 4. commit: SQLite fsyncs its log                                                             all of it

A crash before 4 leaves the former block. A crash within 4 may leave a block that is written and not yet fsynced: a
start fsyncs what it finds before it lets anyone rely on it.

A replica is used by one thread at a time; its engine sees to that, and holds the directory's lock (`store.lock`).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from gov_chain.ledger import bell, store
from gov_chain.ledger.core import (
    checkpoint,
    entries,
    genesis,
    machine,
    note,
    state,
    tiles,
    transaction,
    tree,
    validators,
)
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import REGISTRY_KEY, Value, View, map_only
from gov_chain.ledger.core.statemap import Changes
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.map_store import MapStore
from gov_chain.ledger.uncollected import uncollected

Verify = Callable[[str], Checkpoint]
"""The checkpoint in a signed note; raises `LedgerError` unless the right key signed it."""
Sign = Callable[[str], str]
"""The signed note of a checkpoint's body."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a replica stands: the last block committed."""

    time: int
    """Block time of the last entry."""
    checkpoint: Checkpoint
    height: int | None = None
    """The engine's number of the last block, if it numbers them. A block may add no entry."""

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def app_hash(self) -> bytes:
        """SHA-256 of the checkpoint's body: what a consortium's engine agrees on after each block."""
        return sha256(self.checkpoint.text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Block:
    """A block worked out: what `commit` will write, and what everyone in it is to be answered."""

    before: Head
    """It follows this one, and none other."""
    after: Head
    """Has the height of `before`: `commit` is told the block's own."""
    answers: tuple[Committed | LedgerError, ...]
    """One a transaction, in order. An error refused that one whole."""
    executed: tuple[machine.Executed, ...]
    """Of the transactions that were not refused."""
    written: dict[bytes, Value]
    edge: tiles.Edge
    map: Changes


class Replica:
    """The ledger in one directory, as its one writer has it."""

    def __init__(self, directory: Path, *, verify: Verify) -> None:
        """Open the store and check that its end is what was last signed: every start and every recovery.

        Raises `LedgerError`: ledger-missing, ledger-damaged, ledger-format-old, ledger-format-new, or `verify`'s.
        """
        self.path = directory / store.FILE
        self._verify = verify
        with contextlib.ExitStack() as unless_good:
            connection = unless_good.enter_context(contextlib.closing(store.open_writing(self.path)))
            try:
                self._open(connection)
            except sqlite3.Error as error:
                raise LedgerError("ledger-damaged", log=str(error)) from error
            store.sync_log(self.path)
            # Durable from here on, also what a crash left unfsynced.
            unless_good.pop_all()

    def _open(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = rows = store.Rows(connection)
        size = rows.size()
        signed = rows.checkpoint()
        first = rows.entry(0)
        if signed is None or first is None:
            raise LedgerError("ledger-damaged", log="no genesis or no checkpoint")
        head = self._verify(signed)
        self._edge = tiles.Edge(size, rows.tile)
        if head.size != size or head.root != self._edge.root:
            raise LedgerError("ledger-damaged", log=f"entries end at {size}, the checkpoint says {head.size}")
        if head.state_root is None:
            raise LedgerError("ledger-damaged", log="the checkpoint carries no state root")
        self._map = MapStore(connection, head.state_root)
        last = rows.entry(size - 1)
        assert last is not None
        time, _, _ = entries.unwrap(last)
        self.genesis = genesis.parse(first)
        self.ledger_id = genesis.ledger_id(first)
        self.signed = signed
        """The last checkpoint as it was signed."""
        self.head = Head(time, head, self._height(head))
        self._peaks = list(self._edge.peaks)
        self._registry: dict[bytes, Value] = {}

    def _height(self, head: Checkpoint) -> int | None:
        row = self._connection.execute("SELECT height, app_hash FROM engine").fetchone()
        if row is None:
            return None
        height, app_hash = row
        if app_hash != Head(0, head).app_hash:
            raise LedgerError("ledger-damaged", log=f"block {height} ended under another checkpoint")
        return int(height)

    def reopened(self) -> Replica:
        """The same directory's ledger, after the file was replaced. Close this one before."""
        return Replica(self.path.parent, verify=self._verify)

    @property
    def rows(self) -> store.Rows:
        """What is committed, for reading."""
        return self._rows

    def close(self) -> None:
        self._connection.close()

    def fold(self) -> None:
        """Bring SQLite's write-ahead log into the file, so that a copy of the file is the whole ledger."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def view(self) -> View:
        """The committed state, to judge against and to try things out on: what is put there goes nowhere."""
        return View(self._state)

    def execute(self, transactions: Sequence[transaction.Transaction | bytes], *, time: int) -> Block:
        """Work out the block of these transactions, in this order; bytes that are none are refused as that one.

        Block time is `time`, or the last block's if that is later. Raises `LedgerError("ledger-damaged")` for a
        store that no longer is what was last signed; then make another replica.
        """
        with uncollected():
            return self._execute(transactions, time=max(time, self.head.time))

    def _execute(self, transactions: Sequence[transaction.Transaction | bytes], *, time: int) -> Block:
        before = self.head
        view = View(self._state)
        executed: list[machine.Executed] = []
        answers: list[Committed | LedgerError] = []
        size = before.size
        # All reads in one: outside a transaction, each would lock the file anew.
        self._connection.execute("BEGIN")
        try:
            for each in transactions:
                try:
                    parsed = transaction.parse(each) if isinstance(each, bytes) else each
                    done = machine.execute(view, parsed, ledger_id=self.ledger_id, time=time, first=size)
                except LedgerError as error:
                    if error.code == "ledger-damaged":
                        raise
                    answers.append(error)
                    continue
                executed.append(done)
                answers.append(Committed(time, size, tuple(done.positions), done.refused))
                size += len(done.entries)
            edge = self._edge.copy()
            edge.extend(tree.leaf_hashes([entry for done in executed for entry in done.entries]))
            map_ = self._map.plan(view.written)
            validator_set = validators.digest(view.get(state.VALIDATORS))
        finally:
            self._map.forget()
            self._connection.execute("ROLLBACK")
        after = before
        if executed:
            extensions = checkpoint.commitments(map_.root, validator_set)
            after = replace(
                before,
                time=time,
                checkpoint=Checkpoint(before.checkpoint.origin, size, edge.root, extensions),
            )
        return Block(before, after, tuple(answers), tuple(executed), view.written, edge, map_)

    def commit(self, block: Block, *, sign: Sign, height: int | None = None) -> str:
        """Write the block; the signed checkpoint. Durable when this returns, under the engine's `height` if it has one.

        A block that adds no entry keeps the last checkpoint, and writes its height alone. Raises `LedgerError`,
        `sqlite3.Error`, `OSError` or what `sign` raises: then nothing is written, and a new replica is to be made.
        """
        if block.before != self.head:
            raise ValueError("the block follows another one")
        with uncollected():
            return self._commit(block, sign, height)

    def _commit(self, block: Block, sign: Sign, height: int | None) -> str:
        text = self.signed
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        if block.executed:
            store.append(connection, block.executed, block.written)
            store.put_tiles(connection, block.edge)
            self._map.put(block.after.size, block.map)
            peaks = self._rederived(block.after.checkpoint)
            text = sign(block.after.checkpoint.text)
            if note.split(text)[0] != block.after.checkpoint.text:
                raise LedgerError("ledger-damaged", log="another text was signed than the checkpoint's")
            store.put_checkpoint(connection, block.after.size, block.after.time, text)
        if height is not None:
            store.put_engine(connection, height, block.after.app_hash)
        connection.execute("COMMIT")
        # Durable from here on.
        bell.ring(self.path.parent)
        if block.executed:
            self._map.apply(block.after.size, block.map)
            self._registry.update({key: value for key, value in block.written.items() if len(key) <= REGISTRY_KEY})
            self._edge, self._peaks, self.signed = block.edge, peaks, text
        self.head = replace(block.after, height=self.head.height if height is None else height)
        return text

    def _state(self, key: bytes) -> Value | None:
        """A stored value. Agencies, types and matters, which every record asks for, are kept in memory."""
        if map_only(key):
            return self._map.get(key)
        if len(key) > REGISTRY_KEY:
            return self._rows.state(key)
        value = self._registry.get(key)
        if value is None:
            value = self._rows.state(key)
            if value is not None:
                self._registry[key] = value
        return value

    def _rederived(self, planned: Checkpoint) -> list[bytes]:
        """The tree's perfect subtrees, from the rows as they will be committed; raises unless they make `planned`."""
        before = self.head.checkpoint
        leaves = tree.leaf_hashes(list(self._rows.entries(before.size, store.END)))
        size = before.size + len(leaves)
        peaks = tree.grow(list(self._peaks), before.size, leaves)
        root = tree.fold(peaks)
        if (planned.size, planned.root) != (size, root):
            raise LedgerError("ledger-damaged", log="the tree in memory is not that of the entries")
        tree.verify_consistency(
            first=before.size,
            second=size,
            first_root=before.root,
            second_root=root,
            proof=tree.consistency_proof(before.size, size, tiles.nodes(self._rows.tile, cached=64)),
        )
        return peaks
