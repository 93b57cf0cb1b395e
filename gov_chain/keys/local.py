"""`local:` keys: files of mode 0600 under the data directory. For one machine, not for production.

An agency's Vault replaces this store; the settings refuse `local:` when GOVCHAIN_ENV is
production, and opening the store is logged as a warning once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from gov_chain.core.codec import b64url, sha256
from gov_chain.keys import Algorithm, KeyStoreError

log = logging.getLogger(__name__)


class LocalSigner:
    def __init__(self, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.algorithm: Algorithm
        if isinstance(key, ed25519.Ed25519PrivateKey):
            self.algorithm = "EdDSA"
            self.public_key = key.public_key().public_bytes_raw()
        else:
            self.algorithm = "ES256"
            self.public_key = key.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
            )
        self.key_id = b64url(sha256(self.public_key)[:12])

    def sign(self, data: bytes) -> bytes:
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(data)
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def sign_many(self, items: Sequence[bytes]) -> list[bytes]:
        return [self.sign(item) for item in items]


class LocalSealer:
    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._aead.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        try:
            return self._aead.decrypt(sealed[:12], sealed[12:], context)
        except (InvalidTag, ValueError) as error:
            raise KeyStoreError("seal-broken") from error

    def seal_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return [self.seal(*item) for item in items]

    def open_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return [self.open(*item) for item in items]


def signer(name: str) -> LocalSigner:
    return _signer(_path(name))


def sealer(name: str) -> LocalSealer:
    return _sealer(_path(name))


def create(name: str, algorithm: Algorithm) -> None:
    _create(_path(name), algorithm)


def create_in(folder: Path, name: str, algorithm: Algorithm) -> None:
    """`create` for the store in another node's `folder`, where no settings point."""
    _create(folder / f"{name}.key", algorithm)


def signer_in(folder: Path, name: str) -> LocalSigner:
    return _signer(folder / f"{name}.key")


def sealer_in(folder: Path, name: str) -> LocalSealer:
    return _sealer(folder / f"{name}.key")


def _create(path: Path, algorithm: Algorithm) -> None:
    if path.exists():
        return
    if algorithm == "A256GCM":
        data = secrets.token_bytes(32)
    else:
        key = ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else ec.generate_private_key(ec.SECP256R1())
        data = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    _write(path, data)


def _path(name: str) -> Path:
    if settings.GOVCHAIN.production:
        raise KeyStoreError("key-store-refused")
    _warn_once()
    root = Path(settings.GOVCHAIN.data) / "keys"
    return root / f"{name}.key"


def _read(path: Path) -> bytes:
    name = f"{path.parent.name}/{path.stem}"
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyStoreError("key-exposed", log=name)
            return file.read()
    except FileNotFoundError as error:
        raise KeyStoreError("key-missing", log=name) from error


def _write(path: Path, data: bytes) -> None:
    """All of the key or none of it, and never readable by others. The first of two racing writers wins."""
    for folder in (path.parents[1], path.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


@functools.lru_cache(maxsize=256)
def _signer(path: Path) -> LocalSigner:
    key = serialization.load_der_private_key(_read(path), password=None)
    assert isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey)
    return LocalSigner(key)


@functools.lru_cache(maxsize=256)
def _sealer(path: Path) -> LocalSealer:
    return LocalSealer(_read(path))


@functools.cache
def _warn_once() -> None:
    log.warning("keys are files on this machine (local:); use Vault for anything but development")
