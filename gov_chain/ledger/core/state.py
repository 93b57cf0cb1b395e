"""The ledger's state as one map from keys to values; rules read and write nothing else.

A key is a letter and fixed-size ids; a value is a list of integers, digests and lists, stored as canonical
CBOR. One shape for every engine, for the rebuild in fsck, and for the authenticated state map.

    a agency                 [key number, ledger key, issue key, request key, profile digest, [type…]]
    k agency key number      [highest sequence, bitmap of the last 1,024 (bit 0 = highest)]
    t type                   [agency, latest version]
    T type version           [digest, [grade…], index]
    m matter                 [agency, latest version, version in force (0: none)]
    M matter version         [digest, [[type, version, required, optional]…], max life, max uses, retention days,
                              [[type, index of approval]…], index]
    i commitment             [agency, type, version, block time, index]
    g handle                 [recorder, matter, version, [mask…], not after, uses left, index of withdrawal (0: none),
                              index, chain]

`chain` is SHA-256(chain before ‖ entry) over every entry about the handle, from 32 zero bytes: it makes the
list of a grant's uses complete or wrong, never short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Value = list[Any]
Get = Callable[[bytes], Value | None]

NO_CHAIN = bytes(32)

MAPPED = frozenset(b"atTmMg")
"""Keys with these letters are in the authenticated state map (`statemap`), and checkpoints cover them.

Not there: sequence windows (k), which only the sequencer needs, and commitments (i), which the log itself proves.
"""
REGISTRY_KEY = 5
"""Keys up to this length name agencies, types and matters; longer ones name certificates and grants."""


def agency_key(agency: int) -> bytes:
    return b"a" + agency.to_bytes(2)


def sequence_key(agency: int, key_no: int) -> bytes:
    return b"k" + agency.to_bytes(2) + key_no.to_bytes(2)


def type_key(type_: int) -> bytes:
    return b"t" + type_.to_bytes(2)


def type_version_key(type_: int, version: int) -> bytes:
    return b"T" + type_.to_bytes(2) + version.to_bytes(2)


def matter_key(matter: int) -> bytes:
    return b"m" + matter.to_bytes(2)


def matter_version_key(matter: int, version: int) -> bytes:
    return b"M" + matter.to_bytes(2) + version.to_bytes(2)


def issue_key(commitment: bytes) -> bytes:
    return b"i" + commitment


def map_only(key: bytes) -> bool:
    """Whether a key's value is stored in the map and nowhere else: those there are many of."""
    return len(key) > REGISTRY_KEY and key[0] in MAPPED


def chain_of(grant: Value) -> bytes:
    """The hash chain over every entry about a grant's handle."""
    chain: bytes = grant[8]
    return chain


def grant_key(handle: bytes) -> bytes:
    return b"g" + handle


class View:
    """State as a block sees it: what is stored, under what the block has written so far.

    Values are never changed in place: a rule puts a new list.
    """

    __slots__ = ("_stored", "written")

    def __init__(self, stored: Get) -> None:
        self._stored = stored
        self.written: dict[bytes, Value] = {}

    def get(self, key: bytes) -> Value | None:
        value = self.written.get(key)
        return self._stored(key) if value is None else value

    def put(self, key: bytes, value: Value) -> None:
        self.written[key] = value
