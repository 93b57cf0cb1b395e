"""The newest checkpoint, in a small file beside the store: what the store must never fall behind.

SQLite drops the end of its write-ahead log from the first wrong bit on, and cannot tell a damaged block from one
whose writing was cut short. This file can: it is written once a block is durable and before anyone is answered.

It is not fsynced. It outlives the process all the same, costs microseconds, and after a power cut it is at worst
older than the store, which is right too. The checkpoint in it is signed, so a damaged one is known for what it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError

FILE = "newest"
ROOM = 4096
"""Bytes the file always has: writing it again needs no space on a full disk."""


class Newest:
    """The file, open for writing by the one sequencer."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, text: str) -> None:
        """Raises `OSError`."""
        os.pwrite(self._file, text.encode().ljust(ROOM, b"\0"), 0)

    def close(self) -> None:
        os.close(self._file)


def read(directory: Path, verifier: note.Verifier) -> Checkpoint | None:
    """The checkpoint last written, None if there is none; raises `LedgerError` if it is damaged."""
    try:
        data = (directory / FILE).read_bytes().rstrip(b"\0")
    except FileNotFoundError:
        return None
    if not data:
        return None
    try:
        return checkpoint.verify(data.decode(), verifier)
    except UnicodeDecodeError as error:
        raise LedgerError("checkpoint-malformed", log=str(error)) from error
