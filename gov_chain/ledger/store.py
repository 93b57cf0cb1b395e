"""The ledger's SQLite file: entries, tiles, state, indexes, checkpoints; and how far its engine came.

One process writes it (the engine); any number read. Everything is derived from `entries` and rebuilt from
them by `fsck`. Rows of `entries` and `checkpoints` are only ever inserted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from gov_chain.core import hot
from gov_chain.ledger import map_store, runs
from gov_chain.ledger.core import statemap, tiles
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.machine import Executed
from gov_chain.ledger.core.state import Value, map_only

FILE = "ledger.sqlite3"
LOCK = "lock"
APPLICATION_ID = 0x47434C31
VERSION = 5
HANDLE_PREFIX = 8
"""Bytes of a handle kept in its index; readers ask by two."""
HEADER_PREFIX = 16
END = 1 << 62
"""Beyond every entry."""

SCHEMA = """
CREATE TABLE tiles (place INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE history (key BLOB NOT NULL, idx INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (key, idx))
    WITHOUT ROWID;
CREATE TABLE handles (handle BLOB NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (handle, idx)) WITHOUT ROWID;
CREATE TABLE transactions (header BLOB PRIMARY KEY, idx INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, time INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE engine (one INTEGER PRIMARY KEY CHECK (one = 1), height INTEGER NOT NULL, app_hash BLOB NOT NULL);
"""


_WHOLE_SCHEMA = runs.SCHEMA + SCHEMA + map_store.SCHEMA


def schema() -> dict[str, str]:
    """Name → definition of every table and index a store has, and of nothing else."""
    with contextlib.closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(_WHOLE_SCHEMA)
        return definitions(empty)


def definitions(connection: sqlite3.Connection) -> dict[str, str]:
    """Tables, indexes, triggers and views there are."""
    found = connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_schema")
    return {name: " ".join(sql.split()) for name, sql in found}


def tile_place(level: int, index: int) -> int:
    return level << 48 | index


def create(path: Path) -> sqlite3.Connection:
    """An empty store, open for writing; the caller fills it and commits."""
    connection = open_writing(path, existing=False)
    connection.executescript(_WHOLE_SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    return connection


def open_writing(path: Path, *, existing: bool = True) -> sqlite3.Connection:
    """The writer's connection: WAL, and an fsync before every commit returns.

    `secure_delete` keeps no stale copies of rows in the file: a flipped byte either hits what is read, or nothing.
    The write-ahead log may grow to 64 MiB under load: the state's rows are written at random, and a page that several
    blocks change goes to the file once.
    """
    mode = "rw" if existing else "rwc"
    # An engine calls from whichever thread its request came in on, one at a time.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    if existing:
        check_version(connection)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -65536;"
        "PRAGMA wal_autocheckpoint = 16384;"
    )
    connection.execute("PRAGMA busy_timeout = 10000")
    return connection


def check_version(connection: sqlite3.Connection) -> None:
    """Raises `LedgerError`: ledger-format-old, ledger-format-new, or ledger-damaged if it is no ledger at all."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise LedgerError("ledger-damaged", log="the file is not marked as a ledger")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != VERSION:
        code = "ledger-format-old" if found < VERSION else "ledger-format-new"
        raise LedgerError(code, log=f"store version {found}, not {VERSION}")


def sync_log(path: Path) -> None:
    """fsync SQLite's write-ahead log if there is one. SQLite does so at a commit, not when it takes over a crash's."""
    with contextlib.suppress(FileNotFoundError), path.with_name(f"{path.name}-wal").open("rb") as log:
        os.fsync(log.fileno())


def lock(directory: Path, name: str = LOCK) -> BinaryIO:
    """The directory's lock file, held until it is closed or the process ends; raises `sequencer-running`."""
    file = (directory / name).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise LedgerError("sequencer-running", log=str(directory)) from error
    return file


def open_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection for one thread; raises `LedgerError("ledger-missing")`."""
    if not path.exists():
        raise LedgerError("ledger-missing", log=str(path))
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA busy_timeout = 10000")
    return connection


class Rows:
    """What both sides read. Values come back as the rules know them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def one(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.connection.execute(query, parameters).fetchone()
        return None if row is None else row[0]

    def size(self) -> int:
        return runs.size(self.connection)

    def entry(self, index: int) -> bytes | None:
        return runs.entry(self.connection, index)

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """Entries `start` … `end - 1`, as far as there are any."""
        return runs.between(self.connection, start, end)

    def tile(self, level: int, index: int) -> bytes:
        """What there is of a tile; raises `LedgerError("ledger-damaged")` if nothing is."""
        found = self.one("SELECT hashes FROM tiles WHERE place = ?", tile_place(level, index))
        if found is None:
            raise LedgerError("ledger-damaged", log=f"tile {level}/{index} is missing")
        return bytes(found)

    def state(self, key: bytes) -> Value | None:
        if map_only(key):
            found = map_store.value_at(self.connection, statemap.path_of(key))
        else:
            found = self.one("SELECT value FROM state WHERE key = ?", key)
        return None if found is None else map_store.value_of(found)

    def state_at(self, key: bytes, size: int) -> Value | None:
        """What a historic key was when the log had `size` entries."""
        row = self.connection.execute(
            "SELECT value FROM history WHERE key = ? AND idx < ? ORDER BY idx DESC LIMIT 1", (key, size)
        ).fetchone()
        return None if row is None else map_store.value_of(row[0])

    def history(self, key: bytes, size: int) -> list[tuple[int, Value]]:
        """What a historic key was after each of the first `size` entries that wrote it, oldest first."""
        rows = self.connection.execute(
            "SELECT idx, value FROM history WHERE key = ? AND idx < ? ORDER BY idx", (key, size)
        )
        return [(index, map_store.value_of(value)) for index, value in rows]

    def checkpoint(self, size: int | None = None) -> str | None:
        """The latest checkpoint, or that of a size."""
        found: str | None = (
            self.one("SELECT text FROM checkpoints ORDER BY size DESC LIMIT 1")
            if size is None
            else self.one("SELECT text FROM checkpoints WHERE size = ?", size)
        )
        return found

    def transaction(self, header_digest: bytes) -> int | None:
        """Index of the leaf of the transaction whose header has this SHA-256."""
        found: int | None = self.one("SELECT idx FROM transactions WHERE header = ?", header_digest[:HEADER_PREFIX])
        return found


def append(connection: sqlite3.Connection, executed: Iterable[Executed], written: dict[bytes, Value]) -> None:
    """Insert what transactions added, with their indexes, and the state they changed. No commit."""
    entries: list[runs.Run] = []
    handles: list[tuple[bytes, int]] = []
    transactions: list[tuple[bytes, int]] = []
    history: dict[tuple[bytes, int], Value] = {}
    for each in executed:
        transactions.append((sha256(each.header_bytes).digest()[:HEADER_PREFIX], each.first))
        history.update(each.history)
        entries += runs.cut(each.first, each.agency, each.kinds, each.entries)
        handles += [
            (handle[:HANDLE_PREFIX], index)
            for index, handle in enumerate(each.handles, each.first)
            if handle is not None
        ]
    runs.put(connection, entries)
    connection.executemany("INSERT INTO handles VALUES (?, ?)", sorted(handles))
    connection.executemany("INSERT INTO transactions VALUES (?, ?)", transactions)
    put_history(connection, history)
    put_state(connection, written)


def put_history(connection: sqlite3.Connection, history: dict[tuple[bytes, int], Value]) -> None:
    """What historic keys were after each entry that wrote them."""
    connection.executemany(
        "INSERT INTO history VALUES (?, ?, ?)",
        [(key, index, hot.encode(value)) for (key, index), value in history.items()],
    )


def put_state(connection: sqlite3.Connection, written: dict[bytes, Value]) -> None:
    """What is not in the state map alone; `map_store` writes that."""
    connection.executemany(
        "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        sorted([(key, hot.encode(value)) for key, value in written.items() if not map_only(key)]),
    )


def put_tiles(connection: sqlite3.Connection, edge: tiles.Edge) -> None:
    connection.executemany(
        "INSERT INTO tiles VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET hashes = excluded.hashes",
        [(tile_place(level, index), hashes) for level, index, hashes in edge.changed()],
    )


def put_checkpoint(connection: sqlite3.Connection, size: int, time: int, text: str) -> None:
    connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (size, time, text))


def put_engine(connection: sqlite3.Connection, height: int, app_hash: bytes) -> None:
    """How far an engine that numbers its blocks has come: one row."""
    connection.execute("INSERT OR REPLACE INTO engine VALUES (1, ?, ?)", (height, app_hash))
