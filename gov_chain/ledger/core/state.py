"""The ledger's state as one map from keys to values; rules read and write nothing else.

A key is a letter and fixed-size ids; a value is a list of integers, digests and lists, stored as canonical
CBOR. One shape for every engine, for the rebuild in fsck, and for the authenticated state map.

    a agency                 [key number, ledger key, issue key, request key, profile digest, [type… (0: home)],
                              index of suspension (0: none), [[power, max concealment]…], index]
    K agency key number      [ledger key, issue key, request key, index from, index until (0: in use),
                              index it is void from on (0: not revoked)]
    k agency key number      [highest sequence, bitmap of the last 1,024 (bit 0 = highest)]
    c                        [[agency not suspended…], [suspended agency…]]
    n                        [latest proposal]
    p proposal               [proposer, action, expires, index, [voter…], [[agency, yes]…], index of effect (0: none)]
    o agency                 [[proposal it made, expires]…] while they are open
    P parameter              [value, index]
    r                        [[rules version, from height, index]…]
    t type                   [agency, latest version]
    T type version           [digest, [grade…], index]
    m matter                 [agency, latest version, version in force (0: none)]
    M matter version         [digest, [[type, version, required, optional]…], max life, max uses, retention days,
                              [[type, index of approval]…], index]
    s type list              [version, digest, index]
    i commitment             [agency, type, version, block time, index]
    g handle                 [recorder, matter, version, [mask…], not after, uses left, index of withdrawal (0: none),
                              index, chain]
    u tag                    [[agency, power, type, mask, block time, index, index of reveal (0: open use)]…]
    x index                  [agency, power, type, mask, blinded tag, concealed until, block time,
                              index of reveal (0: none)]
    w agency power           [[index of concealed use, concealed until]…] while they are not revealed
    v                        [[agency, consensus key, BLS key, power]…] the validators, by agency (none: no such key)
    y digest                 [agency, index from, index until (0: in use), index of proven equivocation (0: none)],
                              digest being SHA-256 of a consensus or BLS key of a validator, present or past
    V                        [block time of the last change of the validators by vote]

`chain` is SHA-256(chain before ‖ entry) over every entry about the handle, from 32 zero bytes: it makes the
list of a grant's uses complete or wrong, never short.

Every value of the `HISTORIC` kinds is also kept under the index of the entry that wrote it, so that each can be asked
for at any past size of the log. The others carry their index (i, u), or are folded from their entries (g).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

Value = list[Any]
Get = Callable[[bytes], Value | None]

NO_CHAIN = bytes(32)

MAPPED = frozenset(b"aKcpPrtTmMsguxwvy")
"""Keys with these letters are in the authenticated state map (`statemap`), and checkpoints cover them.

Not there: sequence windows (k), open proposals (n, o) and the last change of validators (V), which only the rules need,
and commitments (i), which the log itself proves.
"""
REGISTRY_KEY = 5
"""Keys up to this length name agencies, types and matters; longer ones name certificates and grants."""
HISTORIC = frozenset(b"aKcnpoPrtTmMsxwvyV")

CONSORTIUM = b"c"
PROPOSALS = b"n"
RULES = b"r"
VALIDATORS = b"v"
VALIDATORS_CHANGED = b"V"

_OFTEN = 4096
"""Keys of the registry that are remembered: every record asks for the same few."""


@lru_cache(maxsize=_OFTEN)
def agency_key(agency: int) -> bytes:
    return b"a" + agency.to_bytes(2)


def key_key(agency: int, key_no: int) -> bytes:
    return b"K" + agency.to_bytes(2) + key_no.to_bytes(2)


def proposal_key(proposal: int) -> bytes:
    return b"p" + proposal.to_bytes(4)


def open_proposals_key(agency: int) -> bytes:
    return b"o" + agency.to_bytes(2)


def parameter_key(parameter: int) -> bytes:
    return b"P" + parameter.to_bytes(2)


def sequence_key(agency: int, key_no: int) -> bytes:
    return b"k" + agency.to_bytes(2) + key_no.to_bytes(2)


@lru_cache(maxsize=_OFTEN)
def type_key(type_: int) -> bytes:
    return b"t" + type_.to_bytes(2)


@lru_cache(maxsize=_OFTEN)
def type_version_key(type_: int, version: int) -> bytes:
    return b"T" + type_.to_bytes(2) + version.to_bytes(2)


@lru_cache(maxsize=_OFTEN)
def matter_key(matter: int) -> bytes:
    return b"m" + matter.to_bytes(2)


@lru_cache(maxsize=_OFTEN)
def matter_version_key(matter: int, version: int) -> bytes:
    return b"M" + matter.to_bytes(2) + version.to_bytes(2)


def status_key(type_: int, list_: int) -> bytes:
    return b"s" + type_.to_bytes(2) + list_.to_bytes(2)


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


def tag_key(tag: bytes) -> bytes:
    return b"u" + tag


def concealed_key(index: int) -> bytes:
    return b"x" + index.to_bytes(5)


def outstanding_key(agency: int, power: int) -> bytes:
    return b"w" + agency.to_bytes(2) + power.to_bytes(2)


def validator_key_key(key: bytes) -> bytes:
    """Of a validator's consensus or BLS key."""
    return b"y" + sha256(key).digest()


class View:
    """State as a block sees it: what is stored, under what the block has written so far.

    Values are never changed in place: a rule puts a new list. `at` is the index of the entry whose record is on
    trial; `history` has what the historic keys were after each entry that wrote them.
    """

    __slots__ = ("_registry", "_stored", "at", "history", "written")

    def __init__(self, stored: Get, at: int = 0) -> None:
        self._stored = stored
        self._registry: dict[bytes, Value] = {}
        self.at = at
        self.written: dict[bytes, Value] = {}
        self.history: dict[tuple[bytes, int], Value] = {}

    def get(self, key: bytes) -> Value | None:
        value = self.written.get(key)
        if value is not None:
            return value
        if len(key) > REGISTRY_KEY:
            return self._stored(key)
        # Every record asks for the same few agencies and matters, and nothing under this view changes.
        value = self._registry.get(key)
        if value is None:
            value = self._stored(key)
            if value is not None:
                self._registry[key] = value
        return value

    def put(self, key: bytes, value: Value) -> None:
        self.written[key] = value
        if key[0] in HISTORIC:
            self.history[key, self.at] = value

    def absorb(self, other: View) -> None:
        """Take over what a view on top of this one has written."""
        self.written.update(other.written)
        self.history.update(other.history)
