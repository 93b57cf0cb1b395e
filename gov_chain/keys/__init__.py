"""Keys by URI: the rest of the code never sees key material or asks where a key lives.

    signer("local:psb/issue")    a `Signer` (ES256 or EdDSA)
    sealer("local:psb/seal")     a `Sealer` (AES-256-GCM under a key that stays in its store)
    create("local:psb/issue", "ES256")   make it, unless it is there already

The part before the colon names the store. `local:` keeps files on this machine and is refused
in production; `vault:` will be Vault's Transit engine behind the same four methods.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Literal, Protocol, cast

from gov_chain.core.errors import GovChainError, Message

Algorithm = Literal["ES256", "EdDSA", "A256GCM"]

NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
"""A key's name within its store."""


STORES = {"local": "gov_chain.keys.local"}
"""The module of each store. It is loaded when first used: whoever only needs the interface (pure code
that signs with a `Signer` it was given) needs neither Django nor a Vault client."""


class KeyStoreError(GovChainError):
    messages = {
        "key-missing": Message(
            503,
            "系统缺少所需密钥。",
            "A required key is missing.",
            "请联系系统管理员。",
            "Ask the operator to run `govchain doctor`.",
        ),
        "key-store-unknown": Message(
            503,
            "密钥地址无法识别。",
            "The key URI names no known store.",
            "请联系系统管理员。",
            "Ask the operator to check the key URI.",
        ),
        "key-exposed": Message(
            503,
            "系统密钥文件的权限不安全。",
            "A key file can be read by other accounts of this machine.",
            "请联系系统管理员更换密钥。",
            "The operator must treat the key as known to others and replace it.",
        ),
        "key-store-refused": Message(
            503,
            "生产环境不得使用本机密钥文件。",
            "Keys in files are refused in production.",
            "请联系系统管理员。",
            "The operator must set GOVCHAIN_KEYS=vault.",
        ),
        "seal-broken": Message(
            409,
            "密封的数据无法打开。",
            "The sealed data cannot be opened.",
            "数据可能已损坏或不属于这里。",
            "It was altered, or sealed for another purpose.",
        ),
    }


class Signer(Protocol):
    """Signs with one private key that never leaves its store."""

    @property
    def algorithm(self) -> Algorithm: ...

    @property
    def public_key(self) -> bytes:
        """Ed25519: 32 raw bytes. ES256: 33 bytes, SEC 1 compressed point."""

    @property
    def key_id(self) -> str:
        """Stable name of this key version, fit for a JOSE `kid`."""

    def sign(self, data: bytes) -> bytes:
        """64 bytes: Ed25519 signature, or raw r‖s for ES256 (RFC 7518 §3.4)."""

    def sign_many(self, items: Sequence[bytes]) -> list[bytes]:
        """`sign` for each, in order, in one call to the store."""


class Sealer(Protocol):
    """Authenticated encryption under a key that never leaves its store."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt, bound to `context` (what it is for); the same context opens it."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext; raises `KeyStoreError("seal-broken")` if altered or of another context."""


class Store(Protocol):
    """Where keys live; a module of this package is one. Names look like `psb/issue`."""

    def signer(self, name: str) -> Signer:
        """Raises `KeyStoreError("key-missing")` if there is none."""

    def sealer(self, name: str) -> Sealer:
        """Raises `KeyStoreError("key-missing")` if there is none."""

    def create(self, name: str, algorithm: Algorithm) -> None:
        """Make the key unless it exists. Of two that race, both end up with the same key."""


def numbered(uri: str, number: int) -> str:
    """Where an agency's keys of this number live: number 1 at `uri` itself, each rotation's at a name of its own."""
    return uri if number == 1 else f"{uri}-{number}"


def signer(uri: str) -> Signer:
    """The signer at `uri`; raises `KeyStoreError` if there is none."""
    store, name = _store(uri)
    return store.signer(name)


def sealer(uri: str) -> Sealer:
    """The sealer at `uri`; raises `KeyStoreError` if there is none."""
    store, name = _store(uri)
    return store.sealer(name)


def create(uri: str, algorithm: Algorithm) -> None:
    """Make the key unless it exists. Idempotent."""
    store, name = _store(uri)
    store.create(name, algorithm)


def _store(uri: str) -> tuple[Store, str]:
    scheme, _, name = uri.partition(":")
    if scheme not in STORES or not NAME.fullmatch(name):
        raise KeyStoreError("key-store-unknown", log=uri)
    return cast(Store, importlib.import_module(STORES[scheme])), name
