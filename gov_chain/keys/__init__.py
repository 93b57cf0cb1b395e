"""Keys by URI: the rest of the code never sees key material or asks where a key lives.

    signer("local:psb/issue")    a `Signer` (ES256 or EdDSA)
    sealer("local:psb/seal")     a `Sealer` (AES-256-GCM under a key that stays in its store)
    create("local:psb/issue", "ES256")   make it, unless it is there already

The part before the colon names the store. `local:` keeps files on this machine and is refused in production; `vault:`
is Vault's (or OpenBao's) Transit engine behind the same methods. A store that does not answer raises `KeyStoreError`,
and nothing else signs in its place: what may wait waits, what a person asked for is answered 503, try again.
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


STORES = {"local": "gov_chain.keys.local", "vault": "gov_chain.keys.vault"}
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
        "key-store-sealed": Message(
            503,
            "密钥库处于封存状态，暂时不能签名。",
            "The key store is sealed: nothing can be signed for now.",
            "请稍后再试；管理员须为密钥库解封。",
            "Try again later; its operators must unseal it. What waits goes out by itself afterwards.",
        ),
        "key-store-unreachable": Message(
            503,
            "密钥库无法连接，暂时不能签名。",
            "The key store cannot be reached: nothing can be signed for now.",
            "请稍后再试；管理员须检查密钥库与网络。",
            "Try again later; the operator must look at the key store and the network to it.",
        ),
        "key-store-slow": Message(
            503,
            "密钥库没有及时答复，暂时不能签名。",
            "The key store did not answer in time: nothing can be signed for now.",
            "请稍后再试；管理员须检查密钥库的负载。",
            "Try again later; the operator must look at the key store's load.",
        ),
        "key-store-login": Message(
            503,
            "密钥库不接受本节点的登录（凭据过期或已撤销）。",
            "The key store does not let this node log in: its credentials have expired or were revoked.",
            "请稍后再试；管理员须换发登录凭据（GOVCHAIN_VAULT_SECRET_ID_FILE）。",
            "Try again later; the operator must put a new secret id into GOVCHAIN_VAULT_SECRET_ID_FILE.",
        ),
        "key-store-denied": Message(
            503,
            "密钥库不允许本节点使用这个密钥。",
            "The key store does not let this node use that key.",
            "请稍后再试；管理员须核对密钥库的策略（govchain vault provision）。",
            "Try again later; the operator must check the policies (govchain vault provision).",
        ),
        "key-version-refused": Message(
            503,
            "密钥库不再以这一版本的密钥签名。",
            "The key store no longer signs with that version of the key.",
            "请稍后再试；管理员须核对账本上现行的密钥版本。",
            "Try again later; the operator must compare its versions with the key in force on the ledger.",
        ),
        "key-store-failed": Message(
            503,
            "密钥库的答复无法使用。",
            "The key store's answer cannot be used.",
            "请稍后再试；管理员须查看日志。",
            "Try again later; the operator must see the log.",
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
        """`sign` for each, in order, in as few calls to the store as it takes: all under this one key version."""


class Sealer(Protocol):
    """Authenticated encryption under a key that never leaves its store."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt, bound to `context` (what it is for); the same context opens it."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext; raises `KeyStoreError("seal-broken")` if altered or of another context."""

    def seal_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """`seal` for each (plaintext, context), in order, in as few calls to the store as it takes."""

    def open_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """`open` for each (sealed, context), in order; one that is broken raises for all."""


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
