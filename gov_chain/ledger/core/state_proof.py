"""State proofs: that a key of the state has a value, or that there is no such key, under a signed checkpoint.

    govchain/state-proof@v1
    key <base64>
    value <base64 of its canonical CBOR>, or: absent
    bucket <base64 of path ‖ value hash, …>, or: bucket -
    node <base64 of six hashes>, one line an inner node, from the bucket up

    <signed checkpoint, with a `state` line>

`verify` needs no network and no database, only the ledger's vkey, or its validators (`quorum.Followed`), or both:
 1. the text is well formed and of a known version, and keys of this kind are in the map;
 2. the checkpoint is certified by validator sets that are followed, or signed by the pinned key, names its origin and
    carries the state map's root;
 3. the bucket is one of the key's path and leads to that root (`statemap`);
 4. the value's hash stands beside the key's path in the bucket; or, if absent, the path is not there.

A grant's state holds a hash chain over every entry about its handle. With that state proven, `verify_history`
tells a complete list of uses from one that leaves something out.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gov_chain.core.codec import NotCanonical, decode
from gov_chain.ledger.core import checkpoint, note, state, statemap
from gov_chain.ledger.core.errors import LedgerError

NAME = "govchain/state-proof@"
VERSION = f"{NAME}v1"
SUFFIX = ".state-proof"
MAX_PROOF = 256 * 1024
_PAIR = 2 * statemap.DIGEST
_NO_BUCKET = "-"


@dataclass(frozen=True, slots=True)
class VerifiedState:
    """What a state proof proves. `value` None: the state has no such key. `size` is that of the checkpointed log."""

    key: bytes
    value: list[Any] | None
    size: int
    certified: bool = False
    """As in a receipt."""


@dataclass(frozen=True, slots=True)
class StateProof:
    key: bytes
    found: statemap.Lookup
    checkpoint: str


def build(*, key: bytes, found: statemap.Lookup, checkpoint: str) -> str:
    """The proof's text."""
    lines = [
        VERSION,
        f"key {_b64(key)}",
        "absent" if found.value is None else f"value {_b64(found.value)}",
        f"bucket {_b64(b''.join(found.bucket)) or _NO_BUCKET}",
        *(f"node {_b64(row)}" for row in found.siblings),
    ]
    return "\n".join(lines) + "\n\n" + checkpoint


def parse(text: str) -> StateProof:
    """The parts of a proof, nothing verified.

    Raises `LedgerError` state-proof-malformed or state-proof-version-unknown.
    """
    head, blank, signed = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != VERSION:
        known = re.fullmatch(rf"{NAME}v[0-9]+", lines[0])
        raise LedgerError("state-proof-version-unknown" if known else "state-proof-malformed", log="first line")
    if len(text) > MAX_PROOF or not blank or not 4 <= len(lines) <= 4 + statemap.PATH:
        raise LedgerError("state-proof-malformed", log="lines")
    try:
        key = _field(lines[1], "key ")
        value = None if lines[2] == "absent" else _field(lines[2], "value ")
        bucket = b"" if lines[3] == f"bucket {_NO_BUCKET}" else _field(lines[3], "bucket ")
        siblings = tuple(_field(line, "node ") for line in lines[4:])
    except ValueError as error:
        raise LedgerError("state-proof-malformed", log=str(error)) from error
    if not key or len(bucket) % _PAIR:
        raise LedgerError("state-proof-malformed", log="key or bucket")
    pairs = tuple(bucket[at : at + _PAIR] for at in range(0, len(bucket), _PAIR))
    return StateProof(key, statemap.Lookup(value, pairs, siblings), signed)


def verify(text: str, vkey: str = "", *, quorum: checkpoint.Quorum | None = None) -> VerifiedState:
    """What the proof proves under `vkey` or `quorum`; raises `LedgerError` naming the step that failed."""
    proof = parse(text)
    if proof.key[0] not in state.MAPPED:
        raise LedgerError("state-key-unknown", log=proof.key[:1].hex())
    head, certified = checkpoint.opened(proof.checkpoint, vkey, quorum)
    root = head.state_root
    if root is None:
        raise LedgerError("proof-wrong", log="the checkpoint carries no state root")
    path = statemap.path_of(proof.key)
    if statemap.root_of(path, proof.found.bucket, proof.found.siblings) != root:
        raise LedgerError("proof-wrong", log="state root")
    there = {pair[: statemap.DIGEST]: pair[statemap.DIGEST :] for pair in proof.found.bucket}.get(path)
    value = proof.found.value
    if value is None:
        if there is not None:
            raise LedgerError("proof-wrong", log="the key is there")
        return VerifiedState(proof.key, None, head.size, certified)
    if there != statemap.value_hash(value):
        raise LedgerError("proof-wrong", log="another value, or none")
    try:
        decoded = decode(value)
    except NotCanonical as error:
        raise LedgerError("proof-wrong", log=str(error)) from error
    if type(decoded) is not list:
        raise LedgerError("proof-wrong", log="not a state value")
    return VerifiedState(proof.key, decoded, head.size, certified)


def verify_history(*, handle: bytes, entries: Sequence[bytes], proven: VerifiedState) -> None:
    """Whether `entries` are all there are about a handle, in log order, as of `proven.size`.

    `entries` are log entries whose receipts verified; `proven` is the verified state of the handle's grant. Raises
    `LedgerError("history-incomplete")` when an entry is missing, foreign or out of order.
    """
    if proven.key != state.grant_key(handle):
        raise LedgerError("proof-wrong", log="the state of another key")
    if proven.value is None:
        if entries:
            raise LedgerError("history-incomplete", log="entries of a grant the state does not know")
        return
    chain = state.NO_CHAIN
    for entry in entries:
        chain = sha256(chain + entry).digest()
    if chain != state.chain_of(proven.value):
        raise LedgerError("history-incomplete", log=f"{len(entries)} entries are not all there are")


def _field(line: str, label: str) -> bytes:
    if not line.startswith(label):
        raise ValueError(f"no {label.strip()}")
    return note.unb64(line.removeprefix(label))


def _b64(data: bytes) -> str:
    return b64encode(data).decode()
