"""The log's entries in the ledger's file: runs, each a part of one transaction that lies in one entry bundle.

    entries    first, agency, kinds, bodies    a run: the index of its first entry, who signed, a byte for each entry's
                                               kind, and the entries as a bundle of tlog-tiles: each after its length
                                               as a big-endian 16-bit number
    kinds      kind, first                     which runs have a kind in them

A run begins with its transaction's own leaf, or where a bundle begins. So a block of a thousand records is five rows,
and a bundle is served as it lies. Runs are only ever inserted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from gov_chain.core import hot
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.tiles import WIDTH

SCHEMA = """
CREATE TABLE entries (first INTEGER PRIMARY KEY, agency INTEGER NOT NULL, kinds BLOB NOT NULL, bodies BLOB NOT NULL);
CREATE INDEX entries_agency ON entries (agency);
CREATE TABLE kinds (kind INTEGER NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (kind, first)) WITHOUT ROWID;
"""

Run = tuple[int, int, bytes, bytes]


def cut(first: int, agency: int, kinds: Sequence[int], bodies: Sequence[bytes]) -> Iterator[Run]:
    """The runs of one transaction, whose leaf has index `first`."""
    at = 0
    while at < len(bodies):
        end = at + WIDTH - (first + at) % WIDTH
        yield first + at, agency, bytes(kinds[at:end]), hot.bundle(bodies[at:end])
        at = end


def put(connection: sqlite3.Connection, runs: Iterable[Run]) -> None:
    """Insert them. No commit."""
    rows = list(runs)
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
    connection.executemany(
        "INSERT INTO kinds VALUES (?, ?)", sorted((kind, first) for first, _, kinds, _ in rows for kind in set(kinds))
    )


def unbundled(first: int, bodies: object) -> list[bytes]:
    """The entries of a run; raises `LedgerError("ledger-damaged")`."""
    try:
        if type(bodies) is bytes:
            return hot.unbundle(bodies)
    except ValueError as error:
        raise LedgerError("ledger-damaged", log=f"entries from {first}: {error}") from error
    raise LedgerError("ledger-damaged", log=f"entries from {first} are no bytes")


def size(connection: sqlite3.Connection) -> int:
    """The number of entries."""
    row = connection.execute("SELECT first + length(kinds) FROM entries ORDER BY first DESC LIMIT 1").fetchone()
    if row is not None and type(row[0]) is not int:
        raise LedgerError("ledger-damaged", log="the last entries cannot be read")
    return 0 if row is None else row[0]


def entry(connection: sqlite3.Connection, index: int) -> bytes | None:
    row = connection.execute(
        "SELECT first, bodies FROM entries WHERE first <= ? ORDER BY first DESC LIMIT 1", (index,)
    ).fetchone()
    if row is None:
        return None
    first, bodies = row
    found = unbundled(first, bodies)
    return found[index - first] if index - first < len(found) else None


def between(connection: sqlite3.Connection, start: int, end: int) -> Iterator[bytes]:
    """Entries `start` … `end - 1`, in order, as far as there are any."""
    rows = connection.execute(
        "SELECT first, bodies FROM entries WHERE first < ?"
        " AND first >= coalesce((SELECT max(first) FROM entries WHERE first <= ?), 0) ORDER BY first",
        (end, start),
    )
    for first, bodies in rows:
        yield from unbundled(first, bodies)[max(start - first, 0) : end - first]


def selected(
    connection: sqlite3.Connection, *, after: int, kind: int | None, agency: int | None, newest: bool
) -> Iterator[tuple[int, bytes]]:
    """(index, entry) of every entry with index > `after` of one kind or agency if given, the newest or oldest first."""
    table, where, values = "entries", ["entries.first > ?"], [after - WIDTH]
    if kind is not None:
        table = "kinds JOIN entries ON entries.first = kinds.first"
        where.append("kinds.kind = ?")
        values.append(kind)
    if agency is not None:
        where.append("agency = ?")
        values.append(agency)
    rows = connection.execute(
        f"SELECT entries.first, kinds, bodies FROM {table} WHERE {' AND '.join(where)}"  # noqa: S608
        f" ORDER BY entries.first {'DESC' if newest else 'ASC'}",
        values,
    )
    for first, kinds, bodies in rows:
        found = [
            (index, body)
            for index, (of, body) in enumerate(zip(kinds, unbundled(first, bodies), strict=False), first)
            if index > after and kind in (None, of)
        ]
        yield from reversed(found) if newest else found


def count(connection: sqlite3.Connection, start: int, end: int) -> dict[int, int]:
    """Number of entries `start` … `end - 1` by kind. Both are where transactions begin or the log ends."""
    counts: dict[int, int] = {}
    for (kinds,) in connection.execute("SELECT kinds FROM entries WHERE first >= ? AND first < ?", (start, end)):
        for kind in set(kinds):
            counts[kind] = counts.get(kind, 0) + kinds.count(kind)
    return counts


def transaction_of(connection: sqlite3.Connection, index: int, kind: int) -> int | None:
    """The last run before or at `index` that begins with a leaf of this kind."""
    row = connection.execute("SELECT max(first) FROM kinds WHERE kind = ? AND first <= ?", (kind, index)).fetchone()
    return None if row[0] is None else int(row[0])
