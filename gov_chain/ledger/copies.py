"""A ledger's directory without its node: no settings, no keys, no database. For mirrors, auditors, moves.

The verifier key is then what the files say: the origin in the checkpoint, the key in genesis. Whoever relies on it
compares it with the key the consortium published; `--vkey` does that at once. In a consortium a copy is signed by the
node it was taken from, as `<origin>/<agency>`: its key has to be named.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from gov_chain.ledger import store
from gov_chain.ledger.core import checkpoint, genesis, note
from gov_chain.ledger.core.errors import LedgerError

DEFAULT_DATA = "var"


def is_node(data: Path) -> bool:
    """Whether this is a node's data, with its keys or its database, and not a copy of the ledger alone."""
    return any((data / name).exists() for name in ("keys", "node.sqlite3", "node.json"))


def directory(data: str | None) -> Path:
    """Where the store is: `data` itself, or `ledger` below it. Raises `LedgerError("ledger-missing")`."""
    root = Path(data or os.environ.get("GOVCHAIN_DATA", DEFAULT_DATA))
    for each in (root, root / "ledger"):
        if (each / store.FILE).exists():
            return each
    raise LedgerError("ledger-missing", log=str(root))


def verifier(of: Path, *, vkey: str = "") -> note.Verifier:
    """The key the ledger in `of` is signed by, its latest checkpoint verified.

    Raises `LedgerError`: ledger-damaged, or what the checkpoint lacks; note-unsigned if it is not signed by `vkey`.
    """
    with closing(store.open_reading(of / store.FILE)) as connection:
        rows = store.Rows(connection)
        text, first = rows.checkpoint(), rows.entry(0)
    if text is None or first is None:
        raise LedgerError("ledger-damaged", log="no genesis or no checkpoint")
    founding = genesis.parse(first)
    found = note.Verifier(checkpoint.parse(note.split(text)[0]).origin, founding.checkpoint_key)
    pinned = note.parse_vkey(vkey) if vkey else found
    checkpoint.verify(text, pinned)
    if pinned != found and not (founding.validators and pinned.name.startswith(f"{found.name}/")):
        raise LedgerError("ledger-damaged", log="the checkpoint key is not the one genesis names")
    return pinned
