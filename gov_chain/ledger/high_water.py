"""The highest checkpoint this node knows it signed, kept outside the ledger's directory.

A ledger restored from an old copy would sign a second history over the first. `<data>/ledger-high-water` is a copy of
the newest checkpoint, written when the engine comes to rest, every few seconds under load, and at close: never in
the way of a commit. At start the ledger must reach that size with that root.

It does not see what was committed in the seconds before a crash, nor the loss of the whole data directory: for
that there are witnesses.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.witnessing import WitnessError

log = logging.getLogger(__name__)

FILE = "ledger-high-water"


def mark(path: Path, signed: str) -> None:
    """Replace the mark, whole. A disk that refuses costs a warning: the mark is a second look, not the record."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("x") as file:
            file.write(signed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        log.warning("high-water mark not written: %s", error)
        draft.unlink(missing_ok=True)


def read(path: Path, verifier: note.Verifier) -> Checkpoint | None:
    """The mark; None if there is none. Raises `mark-unreadable` if it is not a checkpoint this node's key signed."""
    try:
        return checkpoint.verify(path.read_text(), verifier)
    except FileNotFoundError:
        return None
    except (LedgerError, OSError, UnicodeDecodeError) as error:
        raise WitnessError("mark-unreadable", log=f"{path.name}: {error}") from error


def compare(known: Checkpoint, *, size: int, root_at: Callable[[int], bytes]) -> None:
    """Raises unless a ledger of `size` entries contains what `known` says; `root_at(size)` is its root at a size."""
    if known.size > size:
        raise LedgerError("ledger-behind", log=f"{known.size} entries were signed, the ledger ends at {size}")
    if root_at(known.size) != known.root:
        raise WitnessError("ledger-forked", log=f"another root was signed at {known.size}")
