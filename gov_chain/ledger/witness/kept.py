"""Cosignatures the log has collected, and how each witness answered last: a file beside the store.

Not in the store itself: witnesses answer late, and nothing of theirs may hold up a commit. A cosignature is filed
under the SHA-256 of the text it signs, so that it can only ever be shown under that very text.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.cosignature import Cosignature

FILE = "cosignatures.sqlite3"
KEEP = 10_000
"""Cosigned checkpoints kept; receipts carry their own."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cosignatures (body BLOB NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
    line TEXT NOT NULL, PRIMARY KEY (body, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cosignatures_size ON cosignatures (size);
CREATE TABLE IF NOT EXISTS answers (vkey TEXT PRIMARY KEY, url TEXT NOT NULL, time INTEGER NOT NULL,
    state TEXT NOT NULL, size INTEGER NOT NULL, cosigned INTEGER NOT NULL, detail TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class LastAnswer:
    vkey: str
    url: str
    time: int
    state: str
    size: int
    cosigned: int
    """The largest size it cosigned; 0 if none."""
    detail: str


class Kept:
    """The file of one ledger directory, made if need be, for writing. One connection a call: calls are rare."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        if not self._path.exists():
            # Readers open the file as soon as it is there: it appears with its tables.
            draft = self._path.with_suffix(f".{secrets.token_hex(4)}")
            with closing(_open(draft)) as connection:
                connection.executescript(_SCHEMA)
            draft.replace(self._path)

    def _open(self) -> sqlite3.Connection:
        return _open(self._path)

    def keep(self, head: Checkpoint, made: Cosignature) -> None:
        """A verified cosignature of `head`."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT OR REPLACE INTO cosignatures VALUES (?, ?, ?, ?)",
                (digest(head.text), made.cosigner.name, head.size, made.line),
            )
            connection.execute(
                "DELETE FROM cosignatures WHERE size < "
                "(SELECT size FROM cosignatures ORDER BY size DESC LIMIT 1 OFFSET ?)",
                (KEEP,),
            )
            connection.execute("COMMIT")

    def note_answer(self, answer: LastAnswer) -> None:
        with closing(self._open()) as connection:
            connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (vkey) DO UPDATE SET url = excluded.url, "
                "time = excluded.time, state = excluded.state, size = excluded.size, "
                "cosigned = max(cosigned, excluded.cosigned), detail = excluded.detail",
                (answer.vkey, answer.url, answer.time, answer.state, answer.size, answer.cosigned, answer.detail),
            )

    def answers(self) -> list[LastAnswer]:
        with closing(self._open()) as connection:
            rows = connection.execute(
                "SELECT vkey, url, time, state, size, cosigned, detail FROM answers ORDER BY vkey"
            )
            return [LastAnswer(*row) for row in rows]


class Shown:
    """The same file for a reader: one connection, for one thread. Without the file nothing was cosigned."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._connection: sqlite3.Connection | None = None

    def lines(self, text: str) -> str:
        """Cosignature lines for a checkpoint's text, by name; empty if there are none."""
        rows = self._rows("SELECT line FROM cosignatures WHERE body = ? ORDER BY name", digest(text))
        return "".join(line for (line,) in rows)

    def sizes(self) -> list[int]:
        """Cosigned sizes, largest first, a few."""
        return [size for (size,) in self._rows("SELECT DISTINCT size FROM cosignatures ORDER BY size DESC LIMIT 8")]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if self._connection is None:
            if not self._path.exists():
                return []
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA busy_timeout = 10000")
        return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    return connection


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
