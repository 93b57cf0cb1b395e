"""A ledger moved to another machine: `export` writes its entries and checkpoints, `import_` makes it anew from them.

The file is a first line, then items: a letter, a 32-bit length, that many bytes.

    E   an entry, in the log's order
    C   the signed checkpoint that covers the entries so far
    Z   the end: SHA-256 of everything before it

Nothing derived travels. Import executes every transaction again, compares the tree and the state map with each
signed checkpoint, runs `fsck` over the result, and only then gives it its name: there is a whole ledger or none.
The keys do not travel either, nor documents and the node's own database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from gov_chain.core.errors import GovChainError, Message
from gov_chain.ledger import fsck, store
from gov_chain.ledger.building import Building
from gov_chain.ledger.core import checkpoint, entries, note
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.uncollected import uncollected

FIRST_LINE = b"govchain-ledger-export/1\n"
MAX_ITEM = 1 << 20
_HEAD = struct.Struct(">cI")
DRAFT = "importing"

Progress = Callable[[int], None]
"""Called with the number of entries done."""


def export(directory: Path, file: Path) -> int:
    """Write the ledger in `directory` to a new file; the number of entries. Safe beside a running node.

    The file appears under its name when it is whole and on disk. Raises `TransferError("file-exists")`.
    """
    if file.exists():
        raise TransferError("file-exists", log=file.name)
    draft = file.with_name(f"{file.name}.draft")
    with closing(store.open_reading(directory / store.FILE)) as connection, draft.open("wb") as out:
        size = _write(connection, out)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)
    finally:
        draft.unlink()
    _sync(file.parent)
    return size


def _write(connection: sqlite3.Connection, out: BinaryIO) -> int:
    digest = sha256()

    def put(data: bytes) -> None:
        digest.update(data)
        out.write(data)

    connection.execute("BEGIN")
    put(FIRST_LINE)
    size = 0
    for covered, text in connection.execute("SELECT size, text FROM checkpoints ORDER BY size"):
        for body in store.Rows(connection).entries(size, covered):
            put(_HEAD.pack(b"E", len(body)) + body)
            size += 1
        if size != covered:
            raise LedgerError("ledger-damaged", log=f"the checkpoint of {covered} covers {size} entries")
        put(_item(b"C", text.encode()))
    out.write(_item(b"Z", digest.digest()))
    return size


def import_(file: Path, directory: Path, *, vkey: str = "", progress: Progress | None = None) -> int:
    """Make the ledger of an exported file in `directory`; the number of entries.

    With `vkey` every checkpoint must be signed by that key; otherwise by the one genesis names.
    Raises `TransferError("export-malformed")`, or `LedgerError`: ledger-founded-already, ledger-damaged, or what
    refuses an entry.
    """
    final = directory / store.FILE
    if final.exists():
        raise LedgerError("ledger-founded-already", log=str(directory))
    draft = directory / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    try:
        with uncollected(), closing(store.create(draft / store.FILE)) as connection, file.open("rb") as data:
            size = _build(connection, _blocks(_items(data)), vkey, progress)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        report = fsck.check(draft, vkey=vkey)
        if not report.ok:
            first = report.findings[0]
            raise LedgerError("ledger-damaged", log=f"{first.kind} {first.where}: {first.detail}")
        # Whole, checked and on disk: it may have its name. A second import that got here first keeps it.
        try:
            os.link(draft / store.FILE, final)
        except FileExistsError as error:
            raise LedgerError("ledger-founded-already", log=str(directory)) from error
        _sync(directory)
    finally:
        shutil.rmtree(draft)
    return size


class TransferError(GovChainError):
    messages = {
        "export-malformed": Message(422, "导出文件不完整或已损坏。", "The exported file is incomplete or damaged."),
        "file-exists": Message(
            409, "目标文件已存在。", "There is such a file already.", "请换一个文件名。", "Name another."
        ),
    }


def _build(
    connection: sqlite3.Connection, blocks: Iterator[tuple[list[bytes], str]], vkey: str, progress: Progress | None
) -> int:
    """Fill the store block by block, as the engine did; the number of entries."""
    pinned = note.parse_vkey(vkey) if vkey else None
    building = Building(connection)
    for bodies, text in blocks:
        connection.execute("BEGIN IMMEDIATE")
        building.add(bodies)
        verifier = pinned or note.Verifier(text.partition("\n")[0], building.checkpoint_key)
        head = checkpoint.verify(text, verifier)
        if verifier.public_key != building.checkpoint_key:
            raise LedgerError("ledger-damaged", log="the checkpoint key is not the one genesis names")
        if head.text != building.checkpoint(head.origin).text:
            raise LedgerError("ledger-damaged", log=f"the entries do not make the checkpoint of {head.size}")
        time, _, _ = entries.unwrap(bodies[-1])
        store.put_checkpoint(connection, head.size, time, text)
        connection.execute("COMMIT")
        if progress is not None:
            progress(building.size)
    if building.size == 0:
        raise TransferError("export-malformed", log="no entries")
    return building.size


def _blocks(items: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[list[bytes], str]]:
    """(entries, checkpoint) of each block."""
    bodies: list[bytes] = []
    for tag, data in items:
        if tag == b"E":
            bodies.append(data)
        elif tag == b"C" and bodies:
            try:
                yield bodies, data.decode()
            except UnicodeDecodeError as error:
                raise TransferError("export-malformed", log=str(error)) from error
            bodies = []
        else:
            raise TransferError("export-malformed", log=f"item {tag!r}")
    if bodies:
        raise TransferError("export-malformed", log="entries under no checkpoint")


def _items(data: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(letter, bytes) of each item before the end, which has to hold. The last one comes only after that."""
    digest = sha256()

    def take(count: int, *, counted: bool = True) -> bytes:
        found = data.read(count)
        if len(found) != count:
            raise TransferError("export-malformed", log="cut short")
        if counted:
            digest.update(found)
        return found

    if take(len(FIRST_LINE)) != FIRST_LINE:
        raise TransferError("export-malformed", log="first line")
    while True:
        before = digest.digest()
        tag, length = _HEAD.unpack(take(_HEAD.size))
        if length > MAX_ITEM:
            raise TransferError("export-malformed", log=f"item of {length} bytes")
        body = take(length)
        if tag == b"Z":
            if body != before or data.read(1):
                raise TransferError("export-malformed", log="checksum, or bytes after the end")
            return
        yield tag, body


def _item(tag: bytes, body: bytes) -> bytes:
    return _HEAD.pack(tag, len(body)) + body


def _sync(directory: Path) -> None:
    at = os.open(directory, os.O_RDONLY)
    os.fsync(at)
    os.close(at)
