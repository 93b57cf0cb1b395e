"""Public keys as Multikey (W3C Controlled Identifiers 1.0 §2.2.2): base58btc of a multicodec prefix and the key.

| key | multicodec | prefix (unsigned varint) | bytes |
|---|---|---|---|
| Ed25519 | ed25519-pub 0xed | ed01 | 32 |
| P-256 | p256-pub 0x1200 | 8024 | 33, compressed (SEC 1) |
| P-384 | p384-pub 0x1201 | 8124 | 49, compressed |
| BLS12-381 G2 | bls12_381-g2-pub 0xeb | eb01 | 96, compressed |

Points are checked: on the curve, and for G2 in the prime-order subgroup and not its identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec
from py_arkworks_bls12381 import G2Point

from identity.core.dids import DidError

Kind = Literal["Ed25519", "P-256", "P-384", "BLS12381G2"]

PREFIXES: dict[Kind, bytes] = {
    "Ed25519": b"\xed\x01",
    "P-256": b"\x80\x24",
    "P-384": b"\x81\x24",
    "BLS12381G2": b"\xeb\x01",
}
LENGTHS: dict[Kind, int] = {"Ed25519": 32, "P-256": 33, "P-384": 49, "BLS12381G2": 96}
CURVES: dict[Kind, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
G2_IDENTITY = b"\xc0" + bytes(95)

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(BASE58)}
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Key:
    """A checked public key. `public_key` as the table above has it."""

    kind: Kind
    public_key: bytes

    @property
    def multibase(self) -> str:
        return "z" + base58(PREFIXES[self.kind] + self.public_key)


def key(kind: Kind, public_key: bytes) -> Key:
    """Raises `DidError("did-key-wrong")` if it is no such key."""
    if len(public_key) != LENGTHS[kind]:
        raise DidError("did-key-wrong", f"{kind} keys have {LENGTHS[kind]} bytes")
    try:
        if kind in CURVES:
            ec.EllipticCurvePublicKey.from_encoded_point(CURVES[kind], public_key)
        elif kind == "BLS12381G2":
            G2Point.from_compressed_bytes(public_key)
    except ValueError as error:
        raise DidError("did-key-wrong", f"not a point of {kind}") from error
    if kind == "BLS12381G2" and public_key == G2_IDENTITY:
        raise DidError("did-key-wrong", "the identity is nobody's key")
    if kind in CURVES and public_key[0] not in (2, 3):
        raise DidError("did-key-wrong", "the point must be compressed")
    return Key(kind, public_key)


def read(multibase: str) -> Key:
    """The key of a `publicKeyMultibase`; raises `DidError("did-key-wrong")`."""
    if not multibase.startswith("z") or len(multibase) > MAX_TEXT:
        raise DidError("did-key-wrong", "base58btc begins with z")
    data = unbase58(multibase[1:])
    for kind, prefix in PREFIXES.items():
        if data.startswith(prefix):
            return key(kind, data[len(prefix) :])
    raise DidError("did-key-wrong", "a kind of key not known here")


def base58(data: bytes) -> str:
    """Base58btc; each leading zero byte is a leading `1`."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def unbase58(text: str) -> bytes:
    """Inverse of `base58`; raises `DidError("did-key-wrong")`."""
    number = 0
    for letter in text:
        if letter not in _VALUE:
            raise DidError("did-key-wrong", "not base58btc")
        number = number * 58 + _VALUE[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
