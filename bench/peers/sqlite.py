"""Bare SQLite: the records' bytes into one table, the same journal mode, one fsync a batch, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from gov_chain.ledger import store


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
