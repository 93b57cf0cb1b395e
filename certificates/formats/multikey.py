"""Multikey: a public key with its kind in front, in multibase (Controlled Identifiers 1.0, §2.2.2).

`z` is base58btc. The kinds here are those the cryptosuites use; their codes are the Multicodec table's, as unsigned
varints. Signatures are checked with the algorithm the key's kind fixes, never with one the message names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from identity.core.dids.multikey import base58, unbase58

Kind = Literal["Ed25519", "P-256", "P-384", "BLS12-381-G2"]

_PREFIX: dict[Kind, tuple[bytes, int]] = {
    "Ed25519": (b"\xed\x01", 32),
    "P-256": (b"\x80\x24", 33),
    "P-384": (b"\x81\x24", 49),
    "BLS12-381-G2": (b"\xeb\x01", 96),
}
_CURVE: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
MAX_TEXT = 256


@dataclass(frozen=True, slots=True)
class Multikey:
    kind: Kind
    public_key: bytes
    """Ed25519: 32 bytes. P-256 and P-384: SEC 1 compressed. BLS12-381 G2: 96 bytes compressed."""

    @property
    def bytes(self) -> bytes:
        """The key with its kind in front."""
        return _PREFIX[self.kind][0] + self.public_key

    @property
    def text(self) -> str:
        return "z" + base58(self.bytes)

    @property
    def did(self) -> str:
        return f"did:key:{self.text}"

    @property
    def hash(self) -> Literal["sha256", "sha384"]:
        """The hash that is as strong as the key."""
        return "sha384" if self.kind == "P-384" else "sha256"


def from_bytes(data: bytes) -> Multikey:
    """Raises ValueError for another kind, or a length or point that is none of it."""
    for kind, (prefix, length) in _PREFIX.items():
        if data.startswith(prefix) and len(data) == len(prefix) + length:
            key = Multikey(kind, data[len(prefix) :])
            if kind in _CURVE:
                ec.EllipticCurvePublicKey.from_encoded_point(_CURVE[kind], key.public_key)
            return key
    raise ValueError("not a key of a kind known here")


def from_text(text: str) -> Multikey:
    """Raises ValueError."""
    if not text.startswith("z") or len(text) > MAX_TEXT:
        raise ValueError("not base58btc multibase")
    return from_bytes(unbase58(text[1:]))


def from_did_key(did: str) -> Multikey:
    """The key a did:key is; raises ValueError."""
    if not did.startswith("did:key:"):
        raise ValueError("not a did:key")
    return from_text(did.removeprefix("did:key:"))


def verifies(key: Multikey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` (Ed25519, or ECDSA as r‖s) over `data` was made with `key`'s private half."""
    try:
        if key.kind == "Ed25519":
            ed25519.Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, data)
            return True
        if key.kind not in _CURVE:
            return False
        curve = _CURVE[key.kind]
        half = (curve.key_size + 7) // 8
        if len(signature) != 2 * half:
            return False
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.public_key)
        public.verify(der, data, ec.ECDSA(SHA384() if key.kind == "P-384" else SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
