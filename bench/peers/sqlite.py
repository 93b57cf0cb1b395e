"""Bare SQLite, the same journal mode, one fsync a batch: nothing is checked, hashed or signed.

`Bare` inserts the records' bytes into one table. `Indexed` keeps what an application would, to answer the same
questions: each record under its kind and agency, the handle it is about, and the present value of what it is about.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import cbor2

from gov_chain.ledger import store
from gov_chain.ledger.core import records


class Bare:
    def __init__(self, path: Path) -> None:
        self.connection = store.open_writing(path, existing=False)
        self.connection.execute("CREATE TABLE rows (idx INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def insert_all(self, batches: Sequence[Sequence[bytes]]) -> float:
        """Seconds until all are durable, a transaction a batch."""
        rows = [[(body,) for body in batch] for batch in batches]
        connection = self.connection
        start = time.perf_counter()
        for batch in rows:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO rows (body) VALUES (?)", batch)
            connection.execute("COMMIT")
        return time.perf_counter() - start

    def close(self) -> None:
        self.connection.close()


class Indexed:
    SCHEMA = """
    CREATE TABLE entries (idx INTEGER PRIMARY KEY, kind INTEGER NOT NULL, agency INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE INDEX entries_kind ON entries (kind);
    CREATE INDEX entries_agency ON entries (agency);
    CREATE TABLE handles (handle BLOB NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (handle, idx)) WITHOUT ROWID;
    CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    """

    def __init__(self, path: Path) -> None:
        self.connection = store.open_writing(path, existing=False)
        self.connection.executescript(self.SCHEMA)
        self._size = 0

    def insert_all(self, batches: Sequence[Sequence[bytes]]) -> float:
        """Seconds until all are durable, a transaction a batch."""
        prepared = [self._rows(batch) for batch in batches]
        connection = self.connection
        start = time.perf_counter()
        for entries, handles, values in prepared:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", entries)
            connection.executemany("INSERT INTO handles VALUES (?, ?)", handles)
            connection.executemany(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", values
            )
            connection.execute("COMMIT")
        return time.perf_counter() - start

    def _rows(
        self, batch: Sequence[bytes]
    ) -> tuple[list[tuple[int, int, int, bytes]], list[tuple[bytes, int]], list[tuple[bytes, bytes]]]:
        entries, handles, values = [], [], []
        for body in batch:
            record = cbor2.loads(body)
            handle = records.handle_of(record)
            entries.append((self._size, record[0], 1, body))
            if handle is not None:
                handles.append((handle[: store.HANDLE_PREFIX], self._size))
            # A value is about as long as the record that makes it.
            values.append((handle or record[-1], body))
            self._size += 1
        return entries, handles, sorted(values)

    def close(self) -> None:
        self.connection.close()
