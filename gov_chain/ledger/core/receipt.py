"""Receipts: self-contained proofs that a record is in the log, in C2SP `tlog-proof@v1` text.

    c2sp.org/tlog-proof@v1
    extra <base64 of the entry>
    index <decimal>
    <inclusion proof, one base64 hash a line>

    <signed checkpoint>

`verify` needs no network and no database, only the ledger's vkey, or its validators (`quorum.Followed`), or both:
 1. the text is well formed and of a known version;
 2. the checkpoint is certified by validator sets that are followed, or signed by the pinned key, and names its origin;
 3. the entry's hash is at `index` under the checkpoint's root;
 4. the entry is a canonical ledger entry.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from gov_chain.ledger.core import checkpoint, entries, note, tree
from gov_chain.ledger.core.errors import LedgerError

VERSION = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_RECEIPT = 256 * 1024
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves. `time` is the block's, in seconds; `size` that of the checkpointed log."""

    entry: entries.Entry
    index: int
    time: int
    agency: int
    kind: str
    size: int
    certified: bool = False
    """Whether a quorum of the validators stands behind the checkpoint; else it is final by the word of its signer."""


@dataclass(frozen=True, slots=True)
class Receipt:
    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: str


def build(*, entry: bytes, index: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """The receipt's text."""
    lines = [VERSION, f"extra {_b64(entry)}", f"index {index}", *map(_b64, proof)]
    return "\n".join(lines) + "\n\n" + checkpoint


def parse(text: str) -> Receipt:
    """The parts of a receipt, nothing verified; raises `LedgerError` receipt-malformed or receipt-version-unknown."""
    head, blank, signed = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != VERSION:
        known = re.fullmatch(r"c2sp\.org/tlog-proof@v[0-9]+", lines[0])
        raise LedgerError("receipt-version-unknown" if known else "receipt-malformed", log="first line")
    if len(text) > MAX_RECEIPT or not blank or len(lines) < 3 or not lines[1].startswith("extra "):
        raise LedgerError("receipt-malformed", log="lines")
    index = _INDEX.fullmatch(lines[2])
    if not index or len(lines) > 3 + 64:
        raise LedgerError("receipt-malformed", log="index or proof")
    try:
        entry = note.unb64(lines[1].removeprefix("extra "))
        proof = tuple(note.unb64(line) for line in lines[3:])
    except ValueError as error:
        raise LedgerError("receipt-malformed", log=str(error)) from error
    return Receipt(entry, int(index[1]), proof, signed)


def verify(text: str, vkey: str = "", *, quorum: checkpoint.Quorum | None = None) -> VerifiedReceipt:
    """What the receipt proves under `vkey` or `quorum`; raises `LedgerError` naming the step that failed."""
    receipt = parse(text)
    head, certified = checkpoint.opened(receipt.checkpoint, vkey, quorum)
    tree.verify_inclusion(
        leaf=tree.leaf_hash(receipt.entry),
        index=receipt.index,
        size=head.size,
        proof=receipt.proof,
        root=head.root,
    )
    entry = entries.parse(receipt.entry)
    return VerifiedReceipt(entry, receipt.index, entry.time, entry.agency, entry.name, head.size, certified)


def _b64(data: bytes) -> str:
    return b64encode(data).decode()
