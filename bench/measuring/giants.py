"""Proofs at sizes nobody fills a disk for: the tiles on one entry's way are made up, all others never exist.

A made-up hash depends on its place alone, except those of the subtrees that hold the entry: these are derived from the
tiles below, up to the root, which is signed. Prover and verifier are the real ones and cannot tell.
"""

from __future__ import annotations

import secrets
import time
from hashlib import sha256

from bench import Figure
from bench.measuring.timing import latencies, quantile
from bench.measuring.town import CHECKPOINT_VERIFIER, sign_checkpoint
from gov_chain.core.codec import encode
from gov_chain.ledger.core import checkpoint, entries, receipt, records, state, state_proof, statemap, tiles, tree

KEYS_IN_BUCKET = 8
AGENCY = 3


class MadeUpTiles:
    """Tiles of a log of `size` entries of which only entry `index` is known."""

    def __init__(self, size: int, index: int, leaf: bytes) -> None:
        self._size, self._index, self._leaf = size, index, leaf
        self._made: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        tile = self._made.get((level, index))
        if tile is None:
            tile = self._made[level, index] = self._make(level, index)
        return tile

    def _make(self, level: int, index: int) -> bytes:
        width = min(tiles.WIDTH, (self._size >> tiles.HEIGHT * level) - index * tiles.WIDTH)
        first = index * tiles.WIDTH
        known = self._index >> tiles.HEIGHT * level
        hashes = [
            self._known(level, known) if at == known else sha256(b"%d/%d" % (level, at)).digest()
            for at in range(first, first + width)
        ]
        return b"".join(hashes)

    def _known(self, level: int, at: int) -> bytes:
        """The node that holds the entry: the leaf, or the root of a full tile below."""
        if level == 0:
            return self._leaf
        below = self(level - 1, at)
        return tree.root([below[each : each + 32] for each in range(0, len(below), 32)])


def measure(size: int, *, samples: int, bytes_a_record: float) -> dict[str, Figure]:
    made: list[float] = []
    texts: list[str] = []
    for _ in range(samples):
        index = secrets.randbelow(size)
        entry = _entry()
        read = MadeUpTiles(size, index, tree.leaf_hash(entry))
        tree.inclusion_proof(index, size, tiles.nodes(read))  # every tile it needs is made, once
        root = tree.fold(tree.peaks(size, tiles.nodes(read)))
        start = time.perf_counter()
        proof = tree.inclusion_proof(index, size, tiles.nodes(read))
        made.append((time.perf_counter() - start) * 1000)
        signed = checkpoint.sign(
            verifier=CHECKPOINT_VERIFIER, size=size, root=root, signer=sign_checkpoint, state_root=root
        )
        texts.append(receipt.build(entry=entry, index=index, proof=proof, checkpoint=signed))
    vkey = CHECKPOINT_VERIFIER.vkey
    checked = latencies(lambda text: receipt.verify(text, vkey), texts)
    states = [_state(size) for _ in range(samples)]
    states_checked = latencies(lambda text: state_proof.verify(text, vkey), states)
    return {
        f"receipt size, {size:,} leaves": Figure(max(map(len, texts)), "bytes", note="the longest of the sample"),
        f"receipt made from tiles p50, {size:,}": Figure(quantile(sorted(made), 0.5), "ms", note="tiles in memory"),
        f"receipt verified p50, {size:,} leaves": Figure(quantile(checked, 0.5), "ms"),
        f"receipt verified p99, {size:,} leaves": Figure(quantile(checked, 0.99), "ms"),
        f"state proof size, {size:,} keys": Figure(max(map(len, states)), "bytes"),
        f"state proof verified p50, {size:,} keys": Figure(quantile(states_checked, 0.5), "ms"),
        f"state proof verified p99, {size:,} keys": Figure(quantile(states_checked, 0.99), "ms"),
        f"storage projected, {size:,} records": Figure(
            size * bytes_a_record / 1e9, "GB", note=f"{bytes_a_record:,.0f} bytes a record, as measured"
        ),
    }


def _entry() -> bytes:
    record = records.usage(
        handle=secrets.token_bytes(32), matter=1, version=1, masks=[0b1111], context_digest=secrets.token_bytes(32)
    )
    return entries.wrap(1_800_000_000, AGENCY, record)


def _state(keys: int) -> str:
    """A state proof in a map of `keys` keys: a bucket of the usual fill, and made-up nodes above it."""
    key = state.grant_key(secrets.token_bytes(32))
    path = statemap.path_of(key)
    value = encode([2, 1, 1, [0b11111], 1_800_000_000, 1, 0, 500_000, secrets.token_bytes(32)])
    depth = 0
    while keys > statemap.BUCKET * statemap.CHILDREN**depth:
        depth += 1
    # Neighbours share all of the path but its last bytes, so they lie in the bucket at any depth here.
    rows = sorted([(path, value), *((path[:-2] + secrets.token_bytes(2), value) for _ in range(KEYS_IN_BUCKET - 1))])
    nodes: dict[str, bytes] = {}
    below = statemap.bucket_hash([at + statemap.value_hash(body) for at, body in rows])
    inner = 0
    for level in reversed(range(depth)):
        slot = int(path.hex()[level], 16)
        children = bytearray(secrets.token_bytes(statemap.CHILDREN * statemap.DIGEST))
        children[slot * statemap.DIGEST : (slot + 1) * statemap.DIGEST] = below
        body = (inner << slot).to_bytes(2) + children
        nodes[path.hex()[:level]] = body
        below, inner = statemap.top_hash(statemap.NODE + body), 1
    found = statemap.lookup(path, node=nodes.get, rows=lambda _nibbles: rows)
    signed = checkpoint.sign(
        verifier=CHECKPOINT_VERIFIER, size=keys, root=bytes(32), signer=sign_checkpoint, state_root=below
    )
    return state_proof.build(key=key, found=found, checkpoint=signed)
