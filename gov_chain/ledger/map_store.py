"""The state map in the ledger's file, and the way back for the last checkpoints.

`map` holds what is at each place of the map, a bucket or an inner node (`core.statemap`), in the map's order; places
too deep for a number are in `map_deep`. `map_undo` holds, for each checkpoint's block, what it changed was before, so
that proofs can be made under any of the last `RETAINED` checkpoints; older rows go in the block's own transaction. A
row there is canonical CBOR of what a block changed in one part of it:

    [[[path, former value], or [path] if there was none …], [[place, what leads back], or [place] if no node was …]]
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator

from gov_chain.core import hot
from gov_chain.core.hot import Place, place_of
from gov_chain.core.hot.definition import FLAT, Undo, part_of
from gov_chain.ledger.core import statemap
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import MAPPED, Value
from gov_chain.ledger.core.statemap import Changes

RETAINED = 1024
"""Checkpoints, the newest included, under which proofs of the state can be made."""

SCHEMA = """
CREATE TABLE map (place INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE map_deep (place BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE map_undo (size INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (size, part))
    WITHOUT ROWID;
"""

_PUT = "INSERT INTO {} VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET body = excluded.body"
_PUT_FLAT, _PUT_DEEP = _PUT.format("map"), _PUT.format("map_deep")
_FLAT = "SELECT body FROM map WHERE place = ?"
_DEEP = "SELECT body FROM map_deep WHERE place = ?"
_FORMER = """
SELECT undo.body FROM checkpoints JOIN map_undo AS undo ON undo.size = checkpoints.size
WHERE checkpoints.size > ? AND undo.part BETWEEN ? AND ? ORDER BY checkpoints.size DESC
"""
_SIGN = 1 << 63
"""SQLite's integers have a sign: places are stored as their distance from here, which keeps their order."""


def value_of(stored: bytes) -> Value:
    """A value as the rules know it; raises `LedgerError("ledger-damaged")`."""
    try:
        value: Value = hot.decode(stored)
    except (TypeError, ValueError) as error:
        raise LedgerError("ledger-damaged", log=f"a stored value is not CBOR: {error}") from error
    return value


def read(connection: sqlite3.Connection, place: Place) -> bytes | None:
    """What is stored at a place."""
    if type(place) is int:
        row = connection.execute(_FLAT, (place - _SIGN,)).fetchone()
    else:
        row = connection.execute(_DEEP, (place,)).fetchone()
    return None if row is None else row[0]


_WAY = f"SELECT body FROM map WHERE place IN ({', '.join('?' * FLAT)}) ORDER BY place & 15 DESC LIMIT 1"  # noqa: S608
_DEEP_WAY = f"SELECT body FROM map_deep WHERE place IN ({', '.join('?' * (statemap.PATH - FLAT + 1))})"  # noqa: S608
_DEEP_WAY += " ORDER BY length(place) DESC, place DESC LIMIT 1"


def value_at(connection: sqlite3.Connection, path: bytes) -> bytes | None:
    """What is stored at a path, for who reads beside the writer: a statement sees one moment of the map."""
    flat = [place - _SIGN for depth in range(FLAT) if type(place := place_of(path, depth)) is int]
    deepest = connection.execute(_WAY, flat).fetchone()
    if deepest is not None and deepest[0][:1] == statemap.NODE:
        # Nothing is there, or it lies where only keys made to be close come.
        deep = [place_of(path, depth) for depth in range(FLAT, statemap.PATH + 1)]
        deepest = connection.execute(_DEEP_WAY, deep).fetchone()
    if deepest is None or deepest[0][:1] == statemap.NODE:
        return None
    return dict(statemap.rows_of(deepest[0])).get(path)


class MapStore:
    """The map as its one writer has it. After an error of its own or of SQLite, make another."""

    def __init__(self, connection: sqlite3.Connection, root: bytes) -> None:
        """`root` is the one last signed; raises `LedgerError("ledger-damaged")` when the stored map has another."""
        self._connection = connection
        self._paths: dict[bytes, bytes] = {}
        self._map = statemap.StateMap(read=lambda place: read(connection, place), root=root)
        sizes = connection.execute("SELECT size FROM checkpoints ORDER BY size DESC LIMIT ?", (RETAINED,))
        self._sizes = deque((size for (size,) in reversed(sizes.fetchall())), maxlen=RETAINED)

    @property
    def root(self) -> bytes:
        return self._map.root

    def get(self, key: bytes) -> Value | None:
        """A key's value, held against the root last signed."""
        path = self._paths[key] = hot.sha256(key)
        body = self._map.get(path)
        return None if body is None else hot.decode(body)

    def plan(self, written: dict[bytes, Value]) -> Changes:
        """What these values make of the map. Nothing is stored, and the map stays what it is."""
        paths = self._paths
        rows = {
            paths.get(key) or statemap.path_of(key): hot.encode(value)
            for key, value in written.items()
            if key[0] in MAPPED
        }
        return self._map.plan(rows)

    def put(self, size: int, changes: Changes) -> None:
        """Store what a block up to `size` entries makes of the map, and drop what need not be kept. No commit.

        Raises `LedgerError("ledger-damaged")`. After the commit, and only then, comes `apply`.
        """
        connection = self._connection
        stored = changes.stored()
        connection.executemany(_PUT_FLAT, sorted((place - _SIGN, body) for place, body in stored if type(place) is int))
        connection.executemany(_PUT_DEEP, [(place, body) for place, body in stored if type(place) is not int])
        if self._sizes:  # from the first checkpoint there is no way back
            connection.executemany("INSERT INTO map_undo VALUES (?, ?, ?)", _undo(size, changes.undo))
        # The root to be signed is that of the top as stored; what lies below was held against the last one.
        top = read(connection, place_of(statemap.EMPTY, 0))
        if statemap.top_hash(top) != changes.root:
            raise LedgerError("ledger-damaged", log="the state map in memory is not the one stored")
        if len(self._sizes) >= RETAINED - 1:
            # The oldest that stays is the one after which RETAINED - 1 come, this block's included.
            oldest = self._sizes[len(self._sizes) - (RETAINED - 1)]
            connection.execute("DELETE FROM map_undo WHERE size <= ?", (oldest,))

    def apply(self, size: int, changes: Changes) -> None:
        """Take over a block that has been committed."""
        self._map.apply(changes)
        self._sizes.append(size)

    def write(self, size: int, written: dict[bytes, Value]) -> None:
        """All three, for a map that only its maker sees before the commit."""
        changes = self.plan(written)
        self.put(size, changes)
        self.apply(size, changes)
        self.forget()

    def forget(self) -> None:
        """A block has been worked out: what it asked for is not about to be asked for again."""
        self._paths.clear()
        self._map.trim()


def _undo(size: int, undo: Undo) -> list[tuple[int, int, bytes]]:
    """A block's rows of the journal: one way to write them, whatever order the map came by them in."""
    rows = []
    for part, (values, nodes) in sorted(undo.items()):
        values.sort()
        nodes.sort(key=lambda row: (type(row[0]) is bytes, row[0]))
        rows.append((size, part, hot.encode([values, nodes])))
    return rows


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
        self._parts: dict[tuple[int, int], list[Value]] = {}

    def lookup(self, key: bytes) -> statemap.Lookup:
        return statemap.lookup(statemap.path_of(key), node=self._node, rows=self._rows)

    def _node(self, nibbles: str) -> bytes | None:
        path, depth = bytes.fromhex(nibbles.ljust(statemap.PATH, "0")), len(nibbles)
        place = place_of(path, depth)
        stored = read(self._connection, place)
        body = None if stored is None or stored[:1] != statemap.NODE else stored[1:]
        part = part_of(path, depth)
        for _, nodes in self._undone(part, part):
            for at, *undo in nodes:
                if at == place:
                    body = statemap.undone(body or b"", undo[0]) if undo else None
        return body

    def _rows(self, nibbles: str) -> list[tuple[bytes, bytes]]:
        low, high = (bytes.fromhex(nibbles.ljust(statemap.PATH, filler)) for filler in "0f")
        depth = len(nibbles)
        rows: dict[bytes, bytes] = {}
        for stored in self._stored(low, high, depth):
            rows.update((path, value) for path, value in statemap.rows_of(stored) if low <= path <= high)
        for values, _ in self._undone(low[0], high[0]):
            for path, *former in values:
                if not low <= path <= high:
                    continue
                if former:
                    rows[path] = former[0]
                else:
                    rows.pop(path, None)
        return sorted(rows.items())

    def _stored(self, low: bytes, high: bytes, depth: int) -> Iterator[bytes]:
        """Every bucket at a place or below it."""
        if self._newest:
            stored = read(self._connection, place_of(low, depth))
            if stored is not None:
                yield stored
            return
        ends = (int.from_bytes(low[:8]) - _SIGN, int.from_bytes(high[:8]) - _SIGN)
        for (stored,) in self._connection.execute("SELECT body FROM map WHERE place BETWEEN ? AND ?", ends):
            if stored[:1] != statemap.NODE:
                yield stored
        deep = "SELECT body FROM map_deep WHERE place BETWEEN ? AND ?"
        for (stored,) in self._connection.execute(deep, (low[:7], high + b"\xff")):
            if stored[:1] != statemap.NODE:
                yield stored

    def _undone(self, first: int, last: int) -> list[Value]:
        """What the blocks after this checkpoint changed in some parts of the map, the newest first."""
        if self._newest:
            return []
        found = self._parts.get((first, last))
        if found is None:
            rows = self._connection.execute(_FORMER, (self._size, first, last))
            found = self._parts[first, last] = [value_of(body) for (body,) in rows]
        return found
