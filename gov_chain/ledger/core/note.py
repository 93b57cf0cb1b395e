"""C2SP signed notes with Ed25519 keys (c2sp.org/signed-note), and their verifier keys.

A verifier key ("vkey") is `<name>+<key id, 8 hex digits>+<base64 of 0x01 ‖ public key>`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gov_chain.ledger.core.errors import LedgerError

ED25519 = b"\x01"
DASH = "\u2014 "
MAX_SIGNATURES = 64
MAX_NOTE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that notes are checked against."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519, self.public_key)

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(ED25519 + self.public_key)}"


def parse_vkey(text: str) -> Verifier:
    """The verifier in a vkey; raises `LedgerError("vkey-malformed")`, also when its key id is not its key's."""
    name, algorithm, key = split_vkey(text)
    if algorithm != ED25519:
        raise LedgerError("vkey-malformed", log="algorithm")
    return Verifier(name, key)


def split_vkey(text: str) -> tuple[str, bytes, bytes]:
    """(name, algorithm byte, Ed25519 key) of a vkey with the right key id; raises `LedgerError("vkey-malformed")`."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise LedgerError("vkey-malformed", log="not name+id+key")
    name, shown, encoded = parts
    try:
        key = unb64(encoded)
    except ValueError as error:
        raise LedgerError("vkey-malformed", log=str(error)) from error
    if not name or any(c.isspace() for c in name) or len(key) != 33:
        raise LedgerError("vkey-malformed", log="name or key")
    if key_id(name, key[:1], key[1:]).hex() != shown:
        raise LedgerError("vkey-malformed", log="key id")
    return name, key[:1], key[1:]


def key_id(name: str, algorithm: bytes, public_key: bytes) -> bytes:
    """Four bytes that tell keys and algorithms of one name apart."""
    return sha256(name.encode() + b"\n" + algorithm + public_key).digest()[:4]


def sign(text: str, verifier: Verifier, signer: Callable[[bytes], bytes]) -> str:
    """The note: `text` (ends in a newline) with one signature line by `signer`, whose key is `verifier`'s."""
    signature = signer(text.encode())
    return f"{text}\n{DASH}{verifier.name} {_b64(verifier.key_id + signature)}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """The note's text if `verifier` signed it. Lines by other keys are ignored, as the specification asks.

    Raises `LedgerError`: note-malformed, note-unsigned, note-signature-wrong.
    """
    text, lines = split(note)
    wanted = verifier.key_id
    verified = False
    for name, signature in lines:
        if name != verifier.name or signature[:4] != wanted:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public_key).verify(signature[4:], text.encode())
        except (InvalidSignature, ValueError) as error:
            raise LedgerError("note-signature-wrong") from error
        verified = True
    if not verified:
        raise LedgerError("note-unsigned", log=verifier.name)
    return text


def split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """(text, [(key name, key id ‖ signature)…]), nothing verified."""
    if len(note) > MAX_NOTE or any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in note):
        raise LedgerError("note-malformed", log="size, control characters or not Unicode")
    head, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise LedgerError("note-malformed", log="no signatures")
    signatures = []
    for line in tail[:-1].split("\n"):
        name, space, encoded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space or not name or "+" in name:
            raise LedgerError("note-malformed", log="signature line")
        try:
            signature = unb64(encoded)
        except ValueError as error:
            raise LedgerError("note-malformed", log=str(error)) from error
        if len(signature) < 5:
            raise LedgerError("note-malformed", log="signature too short")
        signatures.append((name, signature))
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise LedgerError("note-malformed", log="number of signatures")
    return head + "\n", signatures


def unb64(text: str) -> bytes:
    """Strict standard base64 (RFC 4648 §4): padded, canonical; raises ValueError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if _b64(data) != text:
        raise ValueError("not canonical base64")
    return data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
