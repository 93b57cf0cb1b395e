"""Witness cosignatures (c2sp.org/tlog-cosignature, version 1 with Ed25519).

A cosignature is one more signature line under a checkpoint, by a witness's key: a 64-bit time ‖ an Ed25519
signature over `cosignature/v1`, `time <seconds>` and the checkpoint's text. It says that, at that time, this was
the largest tree the witness had seen of this log, and that it extends every one it had seen before.
Its key id is made with algorithm byte 0x04, so that it is never taken for the log's own signature.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gov_chain.ledger.core import note
from gov_chain.ledger.core.errors import LedgerError

COSIGNATURE_V1 = b"\x04"
_SIGNATURE = 4 + 8 + 64


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's name and Ed25519 key."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return note.key_id(self.name, COSIGNATURE_V1, self.public_key)

    @property
    def vkey(self) -> str:
        encoded = base64.b64encode(COSIGNATURE_V1 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Cosignature:
    cosigner: Cosigner
    time: int
    """Seconds since the epoch, as the witness's clock had it."""
    line: str
    """The signature line, with its newline."""


def parse_vkey(text: str) -> Cosigner:
    """A witness from its vkey. One of a plain Ed25519 key (0x01) is taken for the same key's cosigner.

    Raises `LedgerError("vkey-malformed")`.
    """
    name, algorithm, key = note.split_vkey(text)
    if algorithm not in (COSIGNATURE_V1, note.ED25519):
        raise LedgerError("vkey-malformed", log="algorithm")
    return Cosigner(name, key)


def sign(text: str, cosigner: Cosigner, *, time: int, signer: Callable[[bytes], bytes]) -> Cosignature:
    """Cosign a checkpoint's text (without signature lines)."""
    return _made(cosigner, time, signer(_message(text, time)))


def find(text: str, lines: list[tuple[str, bytes]], cosigner: Cosigner) -> Cosignature | None:
    """The cosigner's verified line among signatures as `note.split` gives them; lines by other keys are ignored.

    Raises `LedgerError("note-signature-wrong")` if a line of this key does not verify.
    """
    found = None
    for name, signature in lines:
        if name != cosigner.name or signature[:4] != cosigner.key_id:
            continue
        time = int.from_bytes(signature[4:12])
        if len(signature) != _SIGNATURE or time >= 1 << 63:
            raise LedgerError("note-signature-wrong", log="cosignature's form")
        try:
            Ed25519PublicKey.from_public_bytes(cosigner.public_key).verify(signature[12:], _message(text, time))
        except (InvalidSignature, ValueError) as error:
            raise LedgerError("note-signature-wrong", log=cosigner.name) from error
        found = found or _made(cosigner, time, signature[12:])
    return found


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _made(cosigner: Cosigner, time: int, signature: bytes) -> Cosignature:
    encoded = base64.b64encode(cosigner.key_id + time.to_bytes(8) + signature).decode()
    return Cosignature(cosigner, time, f"{note.DASH}{cosigner.name} {encoded}\n")
