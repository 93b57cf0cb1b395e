"""What a cosigner has signed. On disk before anyone hears of it.

One SQLite file, made together with the first start of a key and never without it: a key whose memory is gone signs
nothing. Sizes only ascend, and a size is signed once. Old rows go, those of a change of validators stay: newcomers
follow the sets through them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gov_chain.ledger.cosigner.errors import CosignerError
from gov_chain.ledger.cosigner.shares import Share

FILE = "cosigner.sqlite3"
KEEP = 10_000
"""Shares kept for those who come late."""

_SCHEMA = """
CREATE TABLE whose (one INTEGER PRIMARY KEY CHECK (one = 1), ledger_id BLOB NOT NULL, bls_key BLOB NOT NULL);
CREATE TABLE signed (size INTEGER PRIMARY KEY, root BLOB NOT NULL, set_digest BLOB NOT NULL, body BLOB NOT NULL,
    signature BLOB NOT NULL, changes INTEGER NOT NULL);
CREATE TABLE evidence (bls_key BLOB NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL, set_digest BLOB NOT NULL,
    signature BLOB NOT NULL, PRIMARY KEY (bls_key, size, body)) WITHOUT ROWID;
"""
MAX_EVIDENCE = 1000


@dataclass(frozen=True, slots=True)
class Signed:
    share: Share
    root: bytes
    changes: bool
    """Whether the checkpoint names another set than the one that signs it."""


class Memory:
    """One cosigner's file; safe for several threads."""

    def __init__(self, directory: Path, *, ledger_id: bytes, bls_key: bytes, new: bool = False) -> None:
        """`new`: make it, for a key that has never signed.

        Raises `CosignerError`: cosigner-memory-missing, cosigner-foreign.
        """
        self._path = directory / FILE
        self._key = bls_key
        if not self._path.exists():
            if not new:
                raise CosignerError("cosigner-memory-missing", log=str(directory))
            self._make(directory, ledger_id)
        with closing(self._open()) as connection:
            row = connection.execute("SELECT ledger_id, bls_key FROM whose").fetchone()
        if row != (ledger_id, bls_key):
            raise CosignerError("cosigner-foreign", log=str(directory))

    def _make(self, directory: Path, ledger_id: bytes) -> None:
        """Whole and on disk under its name, or not there."""
        draft = self._path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with closing(_connect(draft)) as connection, connection:
            connection.executescript(f"BEGIN; {_SCHEMA}")
            connection.execute("INSERT INTO whose VALUES (1, ?, ?)", (ledger_id, self._key))
        draft.rename(self._path)
        at = os.open(directory, os.O_RDONLY)
        os.fsync(at)
        os.close(at)

    def _open(self) -> sqlite3.Connection:
        return _connect(self._path)

    def last(self) -> Signed | None:
        """What was signed last."""
        rows = self._select("ORDER BY size DESC LIMIT 1")
        return rows[0] if rows else None

    def after(self, size: int, limit: int) -> list[Share]:
        """What was signed beyond `size`, in order."""
        return [each.share for each in self._select("WHERE size > ? ORDER BY size LIMIT ?", size, limit)]

    def at(self, size: int) -> Share | None:
        rows = self._select("WHERE size = ?", size)
        return rows[0].share if rows else None

    def remember(self, signed: Sequence[Signed]) -> None:
        """Durable when this returns. Raises `CosignerError("ledger-forked")` for a size at or below the last one."""
        with closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            (last,) = connection.execute("SELECT coalesce(max(size), 0) FROM signed").fetchone()
            if signed and signed[0].share.size <= last:
                raise CosignerError("ledger-forked", log=f"{last} is signed already")
            connection.executemany(
                "INSERT INTO signed VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        each.share.size,
                        each.root,
                        each.share.set_digest,
                        each.share.body_digest,
                        each.share.signature,
                        int(each.changes),
                    )
                    for each in signed
                ],
            )
            connection.execute(
                "DELETE FROM signed WHERE changes = 0 AND size < "
                "(SELECT size FROM signed ORDER BY size DESC LIMIT 1 OFFSET ?)",
                (KEEP,),
            )

    def accuse(self, one: Share, other: Share) -> bool:
        """Keep two verified shares of one key and size that differ; whether they are new."""
        with closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            (count,) = connection.execute("SELECT count(*) FROM evidence").fetchone()
            if count >= MAX_EVIDENCE:
                return False
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)",
                [(each.bls_key, each.size, each.body_digest, each.set_digest, each.signature) for each in (one, other)],
            )
            return connection.total_changes > before

    def evidence(self) -> list[tuple[Share, Share]]:
        """Pairs that prove a key signed two checkpoints of one size (`records.equivocation`)."""
        with closing(self._open()) as connection:
            rows = connection.execute(
                "SELECT bls_key, size, set_digest, body, signature FROM evidence ORDER BY bls_key, size, body"
            ).fetchall()
        shares = [Share(key, size, of, body, signature) for key, size, of, body, signature in rows]
        pairs = pairwise(shares)
        return [(one, two) for one, two in pairs if (one.bls_key, one.size) == (two.bls_key, two.size)]

    def _select(self, rest: str, *values: int) -> list[Signed]:
        with closing(self._open()) as connection:
            rows = connection.execute(
                f"SELECT size, root, set_digest, body, signature, changes FROM signed {rest}",  # noqa: S608
                values,
            ).fetchall()
        return [
            Signed(Share(self._key, size, of, body, signature), root, bool(changes))
            for size, root, of, body, signature, changes in rows
        ]


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    # EXTRA also fsyncs the directory after the journal is deleted: what was shared survives a power cut.
    connection.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;")
    return connection
