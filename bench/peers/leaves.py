"""Opaque leaves: an ABCI application that does the least a log must. What the rules cost is the distance to it.

A transaction is an Ed25519 signature over 32-byte leaves. One signature is checked, the leaves are hashed into a
Merkle tree, and a block's leaves are inserted into SQLite under one fsync. No records, no state, no proofs, no indexes.
`python -m bench.peers.leaves --data DIR --socket PATH` serves it as the ledger's own application is served.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gov_chain.ledger.abci import messages
from gov_chain.ledger.abci.server import Server
from gov_chain.ledger.core import tree

KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"bench leaves").digest())
FILE = "leaves.sqlite3"


def transaction(leaves: Sequence[bytes]) -> bytes:
    data = b"".join(leaves)
    return KEY.sign(data) + data


class Leaves:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE leaves (at INTEGER PRIMARY KEY, leaf BLOB); CREATE TABLE head (size INTEGER, height INTEGER);"
            "INSERT INTO head VALUES (0, 0);"
        )
        self._size, self._height = 0, 0
        self._peaks: list[bytes] = []
        self._block: tuple[list[bytes], list[bytes]] = [], []
        public = KEY.public_key()

        @lru_cache(maxsize=4096)
        def opened(tx: bytes) -> list[bytes]:
            public.verify(tx[:64], tx[64:])
            return [tx[at : at + 32] for at in range(64, len(tx), 32)]

        self._opened = opened

    def answer(self, request: Any) -> Any:
        method = request.WhichOneof("value")
        response = messages.Response()
        told = getattr(response, method)
        told.SetInParent()
        if (handle := getattr(self, method, None)) is not None:
            handle(getattr(request, method), told)
        return response

    def info(self, request: Any, response: Any) -> None:
        response.last_block_height = self._height

    def check_tx(self, request: Any, response: Any) -> None:
        try:
            self._opened(request.tx)
        except InvalidSignature:
            response.code = 1

    def prepare_proposal(self, request: Any, response: Any) -> None:
        response.txs.extend(request.txs)

    def process_proposal(self, request: Any, response: Any) -> None:
        for tx in request.txs:
            self._opened(tx)
        response.status = messages.ACCEPT

    def verify_vote_extension(self, request: Any, response: Any) -> None:
        response.status = messages.ACCEPT

    def finalize_block(self, request: Any, response: Any) -> None:
        leaves = [leaf for tx in request.txs for leaf in self._opened(tx)]
        peaks = tree.grow(list(self._peaks), self._size, tree.leaf_hashes(leaves))
        self._block = leaves, peaks
        for _ in request.txs:
            response.tx_results.add()
        response.app_hash = tree.fold(peaks)

    def commit(self, request: Any, response: Any) -> None:
        leaves, peaks = self._block
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO leaves VALUES (?, ?)", enumerate(leaves, self._size))
        self._size, self._height, self._peaks = self._size + len(leaves), self._height + 1, peaks
        self._database.execute("UPDATE head SET size = ?, height = ?", (self._size, self._height))
        self._database.execute("COMMIT")


def size(path: Path) -> int:
    """Leaves committed."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT size FROM head").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers.leaves")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    given = parser.parse_args()
    server = Server(given.socket, Leaves(given.data / FILE))
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.serve()


if __name__ == "__main__":
    main()
