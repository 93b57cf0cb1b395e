"""Founding a ledger: genesis becomes entry 0 of a new store, under the first checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gov_chain.ledger import runs, store
from gov_chain.ledger.core import checkpoint, genesis, machine, note, records, state, statemap, tiles, tree, validators
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.map_store import MapStore


def found(directory: Path, founding: genesis.Genesis, *, origin: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Make the store in `directory`; the ledger's id. Raises `LedgerError("ledger-founded-already")`.

    The file appears under its name only when it is whole and on disk.
    """
    final = directory / store.FILE
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if final.exists():
        raise LedgerError("ledger-founded-already", log=str(directory))
    draft = directory / f"{store.FILE}.draft"
    draft.unlink(missing_ok=True)
    entry = genesis.build(founding)
    view = machine.found(entry)
    edge = tiles.Edge(0, lambda level, index: b"")
    edge.extend([tree.leaf_hash(entry)])
    verifier = note.Verifier(origin, founding.checkpoint_key)
    with closing(store.create(draft)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        runs.put(connection, runs.cut(0, 0, [records.GENESIS], [entry]))
        store.put_state(connection, view.written)
        store.put_history(connection, view.history)
        store.put_tiles(connection, edge)
        state_map = MapStore(connection, statemap.EMPTY)
        state_map.write(1, view.written)
        text = checkpoint.sign(
            verifier=verifier,
            size=1,
            root=edge.root,
            signer=sign,
            state_root=state_map.root,
            validators=validators.digest(view.get(state.VALIDATORS)),
        )
        store.put_checkpoint(connection, 1, founding.created, text)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(draft, final)
    draft.unlink()
    at = os.open(directory, os.O_RDONLY)
    os.fsync(at)
    os.close(at)
    return genesis.ledger_id(entry)
