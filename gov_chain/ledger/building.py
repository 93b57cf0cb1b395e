"""A store made anew from entries alone: each transaction executed again, everything derived from what it did.

The caller brings the entries in the log's order, whole transactions at a time, says where blocks end by its own
SQLite transactions, and compares what was made with a checkpoint it trusts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gov_chain.ledger import runs, store
from gov_chain.ledger.core import genesis, machine, records, state, statemap, tiles, tree, validators
from gov_chain.ledger.core.checkpoint import Checkpoint, commitments
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.replay import replay, transactions
from gov_chain.ledger.core.state import Value, View
from gov_chain.ledger.map_store import MapStore


class Building:
    """An empty store (`store.create`) that is being filled."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = store.Rows(connection)
        self._map = MapStore(connection, statemap.EMPTY)
        self._edge = tiles.Edge(0, lambda level, index: b"")
        self.ledger_id = b""
        self.checkpoint_key = b""
        """The key that genesis names."""

    @property
    def size(self) -> int:
        return self._edge.size

    def checkpoint(self, origin: str) -> Checkpoint:
        """What covers the entries so far."""
        extensions = commitments(self._map.root, validators.digest(self._rows.state(state.VALIDATORS)))
        return Checkpoint(origin, self._edge.size, self._edge.root, extensions)

    def add(self, bodies: Sequence[bytes]) -> None:
        """Execute these entries: genesis alone first, then whole transactions. Raises `LedgerError`."""
        self._edge = self._edge.copy()
        written = self._execute(bodies) if self._edge.size else self._found(bodies)
        self._edge.extend(tree.leaf_hashes(bodies))
        store.put_tiles(self._connection, self._edge)
        self._map.write(self._edge.size, written)

    def _execute(self, bodies: Sequence[bytes]) -> dict[bytes, Value]:
        view = View(self._rows.state)
        executed = []
        first = self._edge.size
        for logged in transactions(bodies):
            done = replay(view, logged, ledger_id=self.ledger_id, first=first)
            executed.append(done)
            first += len(logged)
        store.append(self._connection, executed, view.written)
        return view.written

    def _found(self, bodies: Sequence[bytes]) -> dict[bytes, Value]:
        if len(bodies) != 1:
            raise LedgerError("ledger-damaged", log="genesis stands alone under its checkpoint")
        founding = genesis.parse(bodies[0])
        self.ledger_id, self.checkpoint_key = genesis.ledger_id(bodies[0]), founding.checkpoint_key
        view = machine.found(bodies[0])
        runs.put(self._connection, runs.cut(0, 0, [records.GENESIS], bodies))
        store.put_state(self._connection, view.written)
        store.put_history(self._connection, view.history)
        return view.written
