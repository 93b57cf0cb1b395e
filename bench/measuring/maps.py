"""The state map alone, at some number of keys: what a block's update costs a record, and what a proof costs.

The keys are grants, the update is a batch of new grants and of uses of old ones, half and half, in a transaction with
its fsync. The peer writes the same rows into a bare SQLite table of as many rows.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

import cbor2

from bench import Figure
from bench.measuring.timing import latencies, quantile
from bench.measuring.town import CHECKPOINT_VERIFIER, sign_checkpoint
from gov_chain.ledger import map_store, store
from gov_chain.ledger.core import checkpoint, state, state_proof, statemap
from gov_chain.ledger.core.state import Value
from gov_chain.ledger.map_store import MapAt, MapStore

CHUNK = 1 << 15
BATCH = 1024
BLOCKS = 9
"""Updates measured, whose median counts."""


def _grant(uses: int) -> Value:
    return [2, 1, 1, [0b11111], 1_800_000_000, uses, 0, 500_000, secrets.token_bytes(32)]


class _Both:
    """The map, and bare SQLite with the same rows."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.connection = store.open_writing(folder / "map.sqlite3", existing=False)
        self.connection.executescript(f"{map_store.SCHEMA}; CREATE TABLE checkpoints (size INTEGER PRIMARY KEY);")
        self.map = MapStore(self.connection, statemap.EMPTY)
        self.bare = store.open_writing(folder / "bare.sqlite3", existing=False)
        self.bare.execute("CREATE TABLE map (place BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID")
        self.keys: list[bytes] = []

    def write(self, new: int, again: int) -> tuple[float, float]:
        """Seconds of the map and of bare SQLite for a block of new grants and of uses of old ones."""
        fresh = [state.grant_key(secrets.token_bytes(32)) for _ in range(new)]
        used = {secrets.choice(self.keys) for _ in range(again)} if self.keys else set()
        written = {key: _grant(2) for key in fresh} | {key: _grant(1) for key in used}
        self.keys += fresh
        rows = sorted((statemap.path_of(key), cbor2.dumps(value)) for key, value in written.items())
        size = len(self.keys)

        def ours() -> None:
            for key in written:
                self.map.get(key)  # as the rules do before they write
            self.map.write(size, written)
            self.connection.execute("INSERT OR REPLACE INTO checkpoints VALUES (?)", (size,))

        def plain() -> None:
            self.bare.executemany(
                "INSERT INTO map VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET body = excluded.body", rows
            )

        return _committed(self.connection, ours), _committed(self.bare, plain)


def _committed(connection: sqlite3.Connection, work: Callable[[], None]) -> float:
    start = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    work()
    connection.execute("COMMIT")
    return time.perf_counter() - start


def measure(folder: Path, keys: int, *, samples: int, part: Callable[[float], None]) -> dict[str, Figure]:
    both = _Both(folder)
    with closing(both.connection), closing(both.bare):
        while len(both.keys) < keys:
            both.write(min(CHUNK, keys - len(both.keys)), 0)
            part(len(both.keys) / keys * 0.9)
        batch = min(BATCH, keys)
        pairs = [both.write(batch // 2, batch // 2) for _ in range(BLOCKS)]
        ours, bare = (median(each) / batch * 1_000_000 for each in zip(*pairs, strict=True))
        made, size = _proofs(both, samples)
    return {
        f"state map update, {keys:,} keys": Figure(
            ours, "µs/record", bare, note=f"batches of {batch:,}; peer: bare SQLite, the same rows"
        ),
        f"state proof p50, {keys:,} keys": Figure(quantile(made, 0.5), "ms"),
        f"state proof p99, {keys:,} keys": Figure(quantile(made, 0.99), "ms"),
        f"state proof size, {keys:,} keys": Figure(size, "bytes"),
    }


def _proofs(both: _Both, samples: int) -> tuple[list[float], float]:
    """Latencies of proofs of keys that are there, and their mean size; one of four is of a key that is not."""
    size = len(both.keys)
    text = checkpoint.sign(
        verifier=CHECKPOINT_VERIFIER, size=size, root=bytes(32), signer=sign_checkpoint, state_root=both.map.root
    )
    lengths: list[int] = []

    def prove(key: bytes) -> None:
        found = MapAt(both.connection, size).lookup(key)
        lengths.append(len(state_proof.build(key=key, found=found, checkpoint=text)))

    about = [
        state.grant_key(secrets.token_bytes(32)) if at % 4 == 0 else secrets.choice(both.keys) for at in range(samples)
    ]
    made = latencies(prove, about)
    proven = MapAt(both.connection, size).lookup(about[1])
    state_proof.verify(state_proof.build(key=about[1], found=proven, checkpoint=text), CHECKPOINT_VERIFIER.vkey)
    return made, sum(lengths) / len(lengths)
