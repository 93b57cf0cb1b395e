"""State proofs under checkpoints older than the map's journal goes back: the state is made again from the entries."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from gov_chain.ledger import store
from gov_chain.ledger.core import checkpoint, genesis, machine, note, state_proof
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.replay import replay, transactions
from gov_chain.ledger.core.state import MAPPED, View
from gov_chain.ledger.map_store import ScratchMap


def prove(directory: Path, key: bytes, size: int) -> str:
    """Proof of a key's value, or its absence, under the checkpoint of `size`. Takes as long as the log is.

    Raises `LedgerError`: state-key-unknown, checkpoint-not-retained (there never was such a one), ledger-damaged.
    """
    if not key or key[0] not in MAPPED:
        raise LedgerError("state-key-unknown")
    with closing(store.open_reading(directory / store.FILE)) as connection:
        text = store.Rows(connection).checkpoint(size)
        if text is None:
            raise LedgerError("checkpoint-not-retained", log=str(size))
        with closing(ScratchMap()) as made:
            # The map has no memory of the order its keys came in: all at once makes the same as block by block.
            made.write(size, _state(connection, size).written)
            if made.root != checkpoint.parse(note.split(text)[0]).state_root:
                raise LedgerError("ledger-damaged", log=f"the entries do not make the state of {size}")
            return state_proof.build(key=key, found=made.at(size).lookup(key), checkpoint=text)


def _state(connection: sqlite3.Connection, size: int) -> View:
    bodies = store.Rows(connection).entries(0, size)
    first = next(bodies)
    view = machine.found(first)
    ledger_id = genesis.ledger_id(first)
    done = 1
    for logged in transactions(bodies):
        replay(view, logged, ledger_id=ledger_id, first=done)
        done += len(logged)
    return view
