"""A validator's BLS key on disk: its public part and proof in the open, its secret sealed by the key store.

The secret is in memory only while it is made and while the cosigner runs. The sealing names the public key, so that
a sealed secret cannot be put under another's name.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from gov_chain.keys import KeyStoreError, Sealer
from gov_chain.ledger.core import bls
from gov_chain.ledger.cosigner.errors import CosignerError

FILE = "cosigner.key"
STARTED = "cosigner.started"
_CONTEXT = b"govchain/cosigner-key/v1\n"


@dataclass(frozen=True, slots=True)
class Public:
    """What the ledger is told of a validator's key."""

    bls_key: bytes
    possession: bytes


def make(directory: Path, sealer: Sealer) -> Public:
    """A new key in `directory`; raises `CosignerError("cosigner-key-exists")`. Whole and on disk, or not there."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = bls.key_gen(secrets.token_bytes(64))
    public = Public(bls.sk_to_pk(secret), bls.pop_prove(secret))
    value = {
        "bls_key": public.bls_key.hex(),
        "possession": public.possession.hex(),
        "sealed": sealer.seal(secret, _CONTEXT + public.bls_key).hex(),
    }
    draft = directory / f"{FILE}.{secrets.token_hex(4)}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, directory / FILE)
    except FileExistsError as error:
        raise CosignerError("cosigner-key-exists", log=str(directory)) from error
    finally:
        draft.unlink()
    _sync(directory)
    return public


def public(directory: Path) -> Public:
    """Raises `CosignerError` cosigner-key-missing or cosigner-key-damaged."""
    return _read(directory)[0]


def unseal(directory: Path, sealer: Sealer) -> bytes:
    """The secret; raises `CosignerError` cosigner-key-missing or cosigner-key-damaged, `KeyStoreError`."""
    known, sealed = _read(directory)
    try:
        secret = sealer.open(sealed, _CONTEXT + known.bls_key)
        matches = bls.sk_to_pk(secret) == known.bls_key
    except (KeyStoreError, ValueError) as error:
        if isinstance(error, KeyStoreError) and error.code != "seal-broken":
            raise  # The key store is away; the key is as good as it was.
        raise CosignerError("cosigner-key-damaged", log=type(error).__name__) from error
    if not matches:
        raise CosignerError("cosigner-key-damaged", log="another key's secret")
    return secret


def started(directory: Path) -> bool:
    """Whether this key may have signed: then its memory has to be there."""
    return (directory / STARTED).exists()


def mark_started(directory: Path) -> None:
    """Durable before the first signature."""
    (directory / STARTED).touch(mode=0o600)
    _sync(directory)


def _sync(directory: Path) -> None:
    at = os.open(directory, os.O_RDONLY)
    os.fsync(at)
    os.close(at)


def _read(directory: Path) -> tuple[Public, bytes]:
    try:
        value = json.loads((directory / FILE).read_text())
        return Public(bytes.fromhex(value["bls_key"]), bytes.fromhex(value["possession"])), bytes.fromhex(
            value["sealed"]
        )
    except FileNotFoundError as error:
        raise CosignerError("cosigner-key-missing", log=str(directory)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CosignerError("cosigner-key-damaged", log=type(error).__name__) from error
