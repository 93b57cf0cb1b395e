"""Personal data at rest: sealed under a key of its own subject, found by keyed digests.

    data key     32 random bytes for one subject (a citizen; a row of a register), wrapped by the agency's own key in
                 its key store. What is personal is AES-256-GCM under it, bound to the row it stands in.
    erasing      destroys the wrapped key: what it sealed is noise for ever, wherever copies of it are. A copy of the
                 wrapped key itself in an old backup dies with the backup (`docs/decisions/0035`).
    finding      needs equality only: HMAC under an index key of the agency, wrapped likewise. Whoever steals the
                 database without the key store learns which rows share a digest, and nothing of what they say.

Unwrapped keys are remembered in this process for `SECONDS`, `REMEMBERED` of them at most, so that a page costs one
call to the key store and a bulk import one a batch (`open_keys`, `new_keys`).
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gov_chain import keys
from gov_chain.core.codec import canonical_json, sha256
from gov_chain.keys import KeyStoreError
from identity import key_names

KEY_BYTES = 32
NONCE_BYTES = 12
SECONDS = 300.0
REMEMBERED = 4096


@dataclass(slots=True)
class _Memory:
    """Unwrapped keys by the digest of their wrapped form: the least recently used go first."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: OrderedDict[bytes, tuple[float, bytes]] = field(default_factory=OrderedDict)

    def get(self, name: bytes) -> bytes | None:
        with self.lock:
            known = self.keys.get(name)
            if known is None or known[0] < time.monotonic():
                return None
            self.keys.move_to_end(name)
            return known[1]

    def put(self, name: bytes, key: bytes) -> None:
        with self.lock:
            self.keys[name] = (time.monotonic() + SECONDS, key)
            self.keys.move_to_end(name)
            while len(self.keys) > REMEMBERED:
                self.keys.popitem(last=False)

    def drop(self, name: bytes) -> None:
        with self.lock:
            self.keys.pop(name, None)

    def clear(self) -> None:
        with self.lock:
            self.keys.clear()


_memory = _Memory()


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is kept."""

    agency: str
    """Whose key wraps it: the agency's short name."""
    sealed: bytes
    context: bytes
    """What it belongs to."""

    @property
    def name(self) -> bytes:
        return sha256(self.agency.encode(), b"\n", self.context, b"\n", self.sealed)


class Row:
    """A model's row whose personal part stands in `personal`, sealed under a data key of its own.

    The model has the fields `personal` and `data_key_sealed`, and says whose the key is and what the row is.
    """

    personal: bytes
    data_key_sealed: bytes
    _opened: dict[str, Any] | None = None

    def keeper(self) -> str:
        """Short name of the agency that keeps the row."""
        raise NotImplementedError

    def personal_context(self) -> bytes:
        """What the row is, the same before and after it is saved, and of no other row."""
        raise NotImplementedError

    @property
    def wrapped(self) -> Wrapped:
        return Wrapped(self.keeper(), bytes(self.data_key_sealed), b"key\n" + self.personal_context())

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self._opened = None
        super().refresh_from_db(*args, **kwargs)  # type: ignore[misc]

    @property
    def opened(self) -> dict[str, Any]:
        if self._opened is None:
            open_rows([self])
        assert self._opened is not None
        return self._opened


def seal_rows(rows: Sequence[tuple[Row, dict[str, Any]]]) -> None:
    """Give each row a fresh data key, and seal its personal part under it: one call to the key store an agency."""
    by_agency: dict[str, list[tuple[Row, dict[str, Any]]]] = {}
    for row, value in rows:
        by_agency.setdefault(row.keeper(), []).append((row, value))
    for agency, mine in by_agency.items():
        fresh = new_keys(agency, [b"key\n" + row.personal_context() for row, _ in mine])
        for (row, value), (key, wrapped) in zip(mine, fresh, strict=True):
            row.data_key_sealed = wrapped.sealed
            row.personal = seal(key, value, row.personal_context())
            row._opened = value


def open_rows(rows: Sequence[Row]) -> None:
    """Open the personal parts of many rows at once; raises `KeyStoreError`: seal-broken, or the store is away."""
    closed = [row for row in rows if row._opened is None]
    for row, key in zip(closed, open_keys([row.wrapped for row in closed]), strict=True):
        row._opened = open_value(key, bytes(row.personal), row.personal_context())


def new_keys(agency: str, contexts: Sequence[bytes]) -> list[tuple[bytes, Wrapped]]:
    """A fresh data key for each context, plain and wrapped, in one call to the key store."""
    fresh = [(secrets.token_bytes(KEY_BYTES), context) for context in contexts]
    if not fresh:
        return []
    made = []
    for (key, context), sealed in zip(fresh, _sealer(agency).seal_many(fresh), strict=True):
        wrapped = Wrapped(agency, sealed, context)
        _memory.put(wrapped.name, key)
        made.append((key, wrapped))
    return made


def open_keys(wrapped: Sequence[Wrapped]) -> list[bytes]:
    """Their data keys, in order; one call to the key store an agency for those that are not remembered."""
    found: dict[bytes, bytes] = {}
    missing: dict[str, list[Wrapped]] = {}
    for each in wrapped:
        if (key := _memory.get(each.name)) is not None:
            found[each.name] = key
        elif not each.sealed:
            raise KeyStoreError("seal-broken", log="its data key was destroyed")
        else:
            missing.setdefault(each.agency, []).append(each)
    for agency, asked in missing.items():
        opened = _sealer(agency).open_many([(each.sealed, each.context) for each in asked])
        for each, key in zip(asked, opened, strict=True):
            found[each.name] = key
            _memory.put(each.name, key)
    return [found[each.name] for each in wrapped]


def forget(wrapped: Wrapped) -> None:
    """After the wrapped key was destroyed. Another process of this node forgets it within `SECONDS`."""
    _memory.drop(wrapped.name)


def forget_all() -> None:
    _memory.clear()


def seal(key: bytes, value: Any, context: bytes) -> bytes:
    """`value` (JSON) under a data key, bound to `context`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, canonical_json(value), context)


def open_value(key: bytes, sealed: bytes, context: bytes) -> Any:
    """Raises `KeyStoreError("seal-broken")`."""
    try:
        return json.loads(AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context))
    except (InvalidTag, ValueError) as error:
        raise KeyStoreError("seal-broken") from error


class Keeper(Protocol):
    """An agency's row, with the key its digests are made with."""

    slug: str
    index_key_sealed: bytes | None

    def keep_index_key(self, sealed: bytes) -> bytes:
        """Keep it unless there is one; the one that counts."""


def index(agency: Keeper, scope: str, text: str) -> bytes:
    """32 bytes by which the agency, and nobody without its key store, finds a row of this `scope` by `text`."""
    return hmac.digest(_index_key(agency), scope.encode() + b"\n" + text.encode(), "sha256")


def _index_key(agency: Keeper) -> bytes:
    context = b"govchain/index-key/v1\n" + agency.slug.encode()
    sealed = agency.index_key_sealed
    if sealed is None:
        ((_, made),) = new_keys(agency.slug, [context])
        sealed = agency.keep_index_key(made.sealed)
    (key,) = open_keys([Wrapped(agency.slug, bytes(sealed), context)])
    return key


def _sealer(agency: str) -> keys.Sealer:
    return keys.sealer(key_names.uri(agency, "seal"))
