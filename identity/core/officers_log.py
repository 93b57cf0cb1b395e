"""The chain of an agency's officers' log.

An entry's digest is SHA-256 over the canonical JSON (RFC 8785) of its fields, the digest of the entry before among
them; the first entry follows 32 zero bytes. So whoever changes, removes or inserts one entry has to change every later
one, and the chain's head, which the ledger anchors daily under a salt, contradicts it.

    anchor digest = SHA-256(salt ‖ canonical JSON of [chain, agency, number of the head, head digest])

An entry says who did which act to which object, and how it ended. Objects are random ids; no citizen is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gov_chain.core.codec import canonical_json, sha256

CHAIN = "govchain/officers-log/1"
START = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    agency: int
    seq: int
    """1, 2, 3 … without a gap."""
    at: int
    officer: int | None
    """None: whoever ran a command on the node's own machine."""
    username: str
    act: str
    object: str
    outcome: str
    """`begun`, `done`, or the code of the refusal."""
    detail: Mapping[str, Any]
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where a chain does not hold."""

    seq: int
    reason: str
    """`missing`, `changed` (the entry is not what its digest says), `unlinked` (it does not follow the one before)."""


def digest(entry: Entry) -> bytes:
    """What an entry's digest has to be."""
    fields = {
        "chain": CHAIN,
        "agency": entry.agency,
        "seq": entry.seq,
        "at": entry.at,
        "officer": entry.officer,
        "username": entry.username,
        "act": entry.act,
        "object": entry.object,
        "outcome": entry.outcome,
        "detail": dict(entry.detail),
        "previous": entry.previous.hex(),
    }
    return sha256(canonical_json(fields))


def verify(entries: Iterable[Entry]) -> Broken | None:
    """None if `entries`, in order and from the first, are one whole chain."""
    expected, previous = 1, START
    for entry in entries:
        if entry.seq != expected:
            return Broken(expected, "missing")
        if digest(entry) != entry.digest:
            return Broken(entry.seq, "changed")
        if entry.previous != previous:
            return Broken(entry.seq, "unlinked")
        expected, previous = entry.seq + 1, entry.digest
    return None


def anchor_digest(*, salt: bytes, agency: int, seq: int, head: bytes) -> bytes:
    """What stands on the ledger for a head; `salt` has at least 16 bytes."""
    return sha256(salt, canonical_json([CHAIN, agency, seq, head.hex()]))
