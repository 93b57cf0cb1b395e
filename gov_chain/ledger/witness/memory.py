"""What a witness remembers: for each log, the checkpoint it cosigned last. On disk before anyone hears of it.

One SQLite file. Comparing with the last checkpoint and replacing it is one transaction, so of two submissions
that race, one sees what the other did. Checkpoints that contradict one already cosigned are kept as evidence.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.core.checkpoint import Checkpoint

FILE = "witness.sqlite3"
MAX_EVIDENCE = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (origin TEXT PRIMARY KEY, time INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS evidence (origin TEXT NOT NULL, text TEXT NOT NULL, other TEXT NOT NULL,
                                     PRIMARY KEY (origin, text)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    time: int
    text: str
    """The checkpoint with the log's signature and the witness's own."""

    @property
    def checkpoint(self) -> Checkpoint:
        return checkpoint.parse(note.split(self.text)[0])


class Memory:
    """One witness's file; safe for several threads and processes."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = directory / FILE
        with closing(self._open()) as connection:
            connection.executescript(_SCHEMA)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        # EXTRA also fsyncs the directory after the journal is deleted: what was answered survives a power cut.
        connection.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;")
        return connection

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Exclusive access; on disk when the block ends, nothing of it if it raises."""
        with closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield Turn(connection)

    def logs(self) -> dict[str, Remembered]:
        """What was cosigned last, by origin."""
        with closing(self._open()) as connection:
            rows = connection.execute("SELECT origin, time, text FROM logs ORDER BY origin").fetchall()
        return {origin: Remembered(time, text) for origin, time, text in rows}

    def evidence(self) -> list[tuple[str, str]]:
        """Pairs of checkpoints that contradict each other, each signed by the log."""
        with closing(self._open()) as connection:
            return connection.execute("SELECT other, text FROM evidence ORDER BY origin").fetchall()


class Turn:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def latest(self, origin: str) -> Remembered | None:
        row = self._connection.execute("SELECT time, text FROM logs WHERE origin = ?", (origin,)).fetchone()
        return Remembered(*row) if row else None

    def remember(self, origin: str, remembered: Remembered) -> None:
        self._connection.execute(
            "INSERT INTO logs VALUES (?, ?, ?) "
            "ON CONFLICT (origin) DO UPDATE SET time = excluded.time, text = excluded.text",
            (origin, remembered.time, remembered.text),
        )

    def keep_evidence(self, origin: str, text: str, other: str) -> None:
        (count,) = self._connection.execute("SELECT count(*) FROM evidence").fetchone()
        if count < MAX_EVIDENCE:
            self._connection.execute("INSERT OR IGNORE INTO evidence VALUES (?, ?, ?)", (origin, text, other))
