"""Quorum certificates beside the store, and how far each validator's shares have come.

A certificate is filed under the SHA-256 of the text it certifies, so that it can only ever be shown under that very
text. Those of a change of validators stay for ever: who pinned the first set follows the later ones through them.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.witness.kept import digest

FILE = "certificates.sqlite3"
KEEP = 100_000
"""Certificates kept; receipts carry their own."""

_SCHEMA = """
CREATE TABLE certificates (size INTEGER PRIMARY KEY, body BLOB NOT NULL, line TEXT NOT NULL,
    changes INTEGER NOT NULL);
CREATE TABLE shares (bls_key BLOB PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
"""


class Certificates:
    """The file of one ledger directory, made if need be, for its one writer."""

    def __init__(self, directory: Path) -> None:
        path = directory / FILE
        if not path.exists():
            # Readers open the file as soon as it is there: it appears with its tables.
            draft = path.with_suffix(f".{secrets.token_hex(4)}")
            with closing(_open(draft)) as connection:
                connection.executescript(_SCHEMA)
            draft.replace(path)
        self._connection = _open(path)

    def keep(self, made: list[tuple[Checkpoint, str, bool]], heard: Mapping[bytes, int]) -> None:
        """Verified certificates as (checkpoint, line, whether it changes the set); the largest size of each key."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT OR IGNORE INTO certificates VALUES (?, ?, ?, ?)",
            [(head.size, digest(head.text), line, int(changes)) for head, line, changes in made],
        )
        connection.executemany("INSERT OR REPLACE INTO shares VALUES (?, ?)", heard.items())
        connection.execute(
            "DELETE FROM certificates WHERE changes = 0 AND size < "
            "(SELECT size FROM certificates ORDER BY size DESC LIMIT 1 OFFSET ?)",
            (KEEP,),
        )
        connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class Certified:
    """The same file for a reader: one connection, for one thread. Without the file nothing is certified."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._connection: sqlite3.Connection | None = None

    def line(self, size: int, text: str) -> str:
        """The certificate of a checkpoint's text; empty if there is none."""
        rows = self._rows("SELECT line FROM certificates WHERE size = ? AND body = ?", size, digest(text))
        return str(rows[0][0]) if rows else ""

    def latest(self) -> int:
        """The largest certified size; 0 if none."""
        rows = self._rows("SELECT coalesce(max(size), 0) FROM certificates")
        return int(rows[0][0]) if rows else 0

    def sizes(self, count: int) -> list[int]:
        """The newest certified sizes, and every one of a change of validators, in order."""
        rows = self._rows(
            "SELECT size FROM certificates WHERE changes = 1 UNION "
            "SELECT size FROM (SELECT size FROM certificates ORDER BY size DESC LIMIT ?) ORDER BY size",
            count,
        )
        return [size for (size,) in rows]

    def heard(self) -> dict[bytes, int]:
        """The largest size a share of each key came for."""
        return dict(self._rows("SELECT bls_key, size FROM shares"))

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
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
    connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    return connection
