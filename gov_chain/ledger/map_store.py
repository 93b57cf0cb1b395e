"""The state map in the ledger's file: rows and inner nodes in one table, and the way back for the last checkpoints.

`map` holds, in the order of the map, every key's row (path → value) and every inner node (`core.statemap`).
`map_undo` holds, for each checkpoint's block, what the rows and nodes it changed were before (NULL: not there), so
that proofs can be made under any of the last `RETAINED` checkpoints; older rows go in the block's own transaction.
"""

from __future__ import annotations

import sqlite3
from collections import deque

import cbor2

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
        value: Value = cbor2.loads(stored)
    except (cbor2.CBORDecodeError, TypeError, ValueError) as error:
        raise LedgerError("ledger-damaged", log=f"a stored value is not CBOR: {error}") from error
    return value


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

    def write(self, size: int, written: dict[bytes, Value]) -> None:
        """Take in what the block up to `size` entries has written, and forget what need not be kept. No commit."""
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
            rows[path] = cbor2.dumps(value)
        self._seen.clear()
        connection = self._connection
        paths = sorted(rows)
        connection.executemany(_PUT, [(path, rows[path]) for path in paths])
        changes = self._map.update(before)
        connection.executemany(_PUT, sorted(changes.nodes))
        undo = [(size, path, before[path]) for path in paths]
        undo += [(size, place, body) for place, body in changes.undo]
        undo.sort()
        connection.executemany("INSERT INTO map_undo VALUES (?, ?, ?)", undo)
        self._check()
        self._sizes.append(size)
        if len(self._sizes) == RETAINED:
            connection.execute("DELETE FROM map_undo WHERE size <= ?", (self._sizes[0],))

    def forget(self) -> None:
        """The block was given up before anything was written."""
        self._seen.clear()

    def _check(self) -> None:
        """The root to be signed is that of the top as stored; what lies below was held against the last one."""
        body = self._body(statemap.place_of(""))
        if body is not None and statemap.Node.of(body).hash() != self._map.root:
            raise LedgerError("ledger-damaged", log="the state map in memory is not the one stored")

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
