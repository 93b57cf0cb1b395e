"""The state map in the ledger's file: rows and inner nodes in one table, and the way back for the last checkpoints.

`map` holds, in the order of the map, every key's row (path → value) and every inner node (`core.statemap`).
`map_undo` holds, for each checkpoint's block, what the rows and nodes it changed were before (NULL: not there), so
that proofs can be made under any of the last `RETAINED` checkpoints; older rows go in the block's own transaction.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from dataclasses import dataclass

from gov_chain.core import hot
from gov_chain.ledger.core import statemap
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import MAPPED, Value

RETAINED = 1024
"""Checkpoints, the newest included, under which proofs of the state can be made."""

SCHEMA = """
CREATE TABLE map (place BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE map_undo (size INTEGER NOT NULL, place BLOB NOT NULL, body BLOB, PRIMARY KEY (size, place)) WITHOUT ROWID;
"""

_PUT = "INSERT INTO map VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET body = excluded.body"
_BODY = "SELECT body FROM map WHERE place = ?"
_ROWS = "SELECT place, body FROM map WHERE place BETWEEN ? AND ? AND length(place) = 32"
_FORMER = """
SELECT undo.body FROM checkpoints JOIN map_undo AS undo ON undo.size = checkpoints.size AND undo.place = ?
WHERE checkpoints.size > ? ORDER BY checkpoints.size DESC
"""
_FORMER_ROWS = """
SELECT undo.place, undo.body FROM checkpoints
JOIN map_undo AS undo ON undo.size = checkpoints.size AND undo.place BETWEEN ? AND ? AND length(undo.place) = 32
WHERE checkpoints.size > ? ORDER BY checkpoints.size DESC
"""


def value_of(stored: bytes) -> Value:
    """A value as the rules know it; raises `LedgerError("ledger-damaged")`."""
    try:
        value: Value = hot.decode(stored)
    except (TypeError, ValueError) as error:
        raise LedgerError("ledger-damaged", log=f"a stored value is not CBOR: {error}") from error
    return value


@dataclass(frozen=True, slots=True)
class MapBlock:
    """What a block's written values make of the map, worked out and not yet stored."""

    rows: dict[bytes, bytes]
    """Path → canonical CBOR of the value."""
    before: dict[bytes, bytes | None]
    """What was stored at each of these paths."""
    changes: statemap.Changes

    @property
    def root(self) -> bytes:
        return self.changes.root


class MapStore:
    """The map as its one writer has it. After an error of its own or of SQLite, make another."""

    def __init__(self, connection: sqlite3.Connection, root: bytes) -> None:
        """`root` is the one last signed; raises `LedgerError("ledger-damaged")` when the stored map has another."""
        self._connection = connection
        self._seen: dict[bytes, tuple[bytes, bytes | None]] = {}
        self._map = statemap.StateMap(node=self._body, rows=self._rows, root=root)
        sizes = connection.execute("SELECT size FROM checkpoints ORDER BY size DESC LIMIT ?", (RETAINED,))
        self._sizes = deque((size for (size,) in reversed(sizes.fetchall())), maxlen=RETAINED)

    @property
    def root(self) -> bytes:
        return self._map.root

    def get(self, key: bytes) -> Value | None:
        """A key's value as stored."""
        path = statemap.path_of(key)
        body = self._body(path)
        self._seen[key] = path, body
        return None if body is None else value_of(body)

    def plan(self, written: dict[bytes, Value]) -> MapBlock:
        """What these values make of the map. Nothing is stored, and the map stays what it is."""
        rows: dict[bytes, bytes] = {}
        before: dict[bytes, bytes | None] = {}
        for key, value in written.items():
            if key[0] not in MAPPED:
                continue
            seen = self._seen.get(key)
            if seen is None:
                path = statemap.path_of(key)
                seen = path, self._body(path)
            path, before[path] = seen
            rows[path] = hot.encode(value)
        self._seen.clear()
        return MapBlock(rows, before, self._map.plan(rows))

    def put(self, size: int, block: MapBlock) -> None:
        """Store what a block up to `size` entries makes of the map, and drop what need not be kept. No commit.

        Raises `LedgerError("ledger-damaged")`. After the commit, and only then, comes `apply`.
        """
        connection = self._connection
        paths = sorted(block.rows)
        connection.executemany(_PUT, [(path, block.rows[path]) for path in paths])
        connection.executemany(_PUT, sorted(block.changes.stored()))
        undo = [(size, path, block.before[path]) for path in paths]
        undo += [(size, place, body) for place, body in block.changes.undo]
        undo.sort()
        connection.executemany("INSERT INTO map_undo VALUES (?, ?, ?)", undo)
        # The root to be signed is that of the top as stored; what lies below was held against the last one.
        top = self._body(statemap.place_of(""))
        if top is not None and statemap.Node.of(top).hash() != block.root:
            raise LedgerError("ledger-damaged", log="the state map in memory is not the one stored")
        if len(self._sizes) >= RETAINED - 1:
            # The oldest that stays is the one after which RETAINED - 1 come, this block's included.
            oldest = self._sizes[len(self._sizes) - (RETAINED - 1)]
            connection.execute("DELETE FROM map_undo WHERE size <= ?", (oldest,))

    def apply(self, size: int, block: MapBlock) -> None:
        """Take over a block that has been committed."""
        self._map.apply(block.changes)
        self._sizes.append(size)

    def write(self, size: int, written: dict[bytes, Value]) -> None:
        """All three, for a map that only its maker sees before the commit."""
        block = self.plan(written)
        self.put(size, block)
        self.apply(size, block)

    def forget(self) -> None:
        """What was read is not about to be written."""
        self._seen.clear()

    def _body(self, place: bytes) -> bytes | None:
        row = self._connection.execute(_BODY, (place,)).fetchone()
        return None if row is None else row[0]

    def _rows(self, low: bytes, high: bytes) -> list[tuple[bytes, bytes]]:
        return self._connection.execute(_ROWS, (low, high)).fetchall()


class ScratchMap(MapStore):
    """A map of its own, empty at first, in a file that is gone when it is closed."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect("", isolation_level=None)
        self.connection.executescript(f"{SCHEMA}; CREATE TABLE checkpoints (size INTEGER); BEGIN")
        super().__init__(self.connection, statemap.EMPTY)

    def at(self, size: int) -> MapAt:
        return MapAt(self.connection, size)

    def close(self) -> None:
        self.connection.close()


class MapAt:
    """The map as it was under the checkpoint of `size` entries, for reading; one read transaction holds it still."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        """Raises `LedgerError("checkpoint-not-retained")`."""
        newer = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM checkpoints WHERE size > ? LIMIT ?)", (size, RETAINED)
        ).fetchone()[0]
        if newer >= RETAINED:
            raise LedgerError("checkpoint-not-retained", log=str(size))
        self._connection = connection
        self._size = size
        self._newest = newer == 0

    def lookup(self, key: bytes) -> statemap.Lookup:
        return statemap.lookup(statemap.path_of(key), node=self._node, rows=self._rows)

    def _node(self, place: bytes) -> bytes | None:
        row = self._connection.execute(_BODY, (place,)).fetchone()
        if row is None:
            return None
        body: bytes = row[0]
        for (undo,) in () if self._newest else self._connection.execute(_FORMER, (place, self._size)):
            if undo is None:
                return None
            body = statemap.undone(body, undo)
        return body

    def _rows(self, low: bytes, high: bytes) -> list[tuple[bytes, bytes]]:
        rows = dict(self._connection.execute(_ROWS, (low, high)))
        for path, former in () if self._newest else self._connection.execute(_FORMER_ROWS, (low, high, self._size)):
            if former is None:
                rows.pop(path, None)
            else:
                rows[path] = former
        return sorted(rows.items())
