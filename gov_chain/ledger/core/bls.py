"""BLS signatures (draft-irtf-cfrg-bls-signature, minimal-pubkey-size, proof-of-possession scheme).

Ciphersuite `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_`: public keys are compressed points of G1 (48 bytes),
signatures of G2 (96 bytes), secret keys 32 bytes, big-endian. Function names are the draft's. A key counts only with
its proof of possession: `fast_aggregate_verify` is sound for keys whose `pop_verify` held, and for no others.

Every point is decoded strictly: on the curve, in the subgroup, canonical, and not the identity. What does not decode is
not verified (False), never an error: the bytes come from strangers.

py-arkworks-bls12381 does the arithmetic; tests hold it equal to py_ecc and to published vectors.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import count

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

SUITE = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
POP_SUITE = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
SECRET_KEY, PUBLIC_KEY, SIGNATURE = 32, 48, 96

_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_MINUS_G1 = -G1Point()
_G1_IDENTITY, _G2_IDENTITY = G1Point.identity(), G2Point.identity()


def key_gen(ikm: bytes, key_info: bytes = b"") -> bytes:
    """The secret key that at least 32 secret random bytes make (§2.3); raises ValueError for fewer."""
    if len(ikm) < 32:
        raise ValueError("32 bytes of key material at least")
    salt = b"BLS-SIG-KEYGEN-SALT-"
    for _ in count():
        salt = sha256(salt).digest()
        extracted = hmac.digest(salt, ikm + b"\x00", "sha256")
        one = hmac.digest(extracted, key_info + (48).to_bytes(2) + b"\x01", "sha256")
        two = hmac.digest(extracted, one + key_info + (48).to_bytes(2) + b"\x02", "sha256")
        key = int.from_bytes((one + two)[:48]) % _ORDER
        if key:
            break
    return key.to_bytes(SECRET_KEY)


def sk_to_pk(sk: bytes) -> bytes:
    """Raises ValueError for what is no secret key."""
    return bytes((G1Point() * _scalar(sk)).to_compressed_bytes())


def sign(sk: bytes, message: bytes) -> bytes:
    """Raises ValueError for what is no secret key."""
    return _sign(sk, message, SUITE)


def key_validate(pk: bytes) -> bool:
    """Whether the bytes are a public key: canonical, on the curve, in the subgroup, not the identity."""
    return _public(pk) is not None


def verify(pk: bytes, message: bytes, signature: bytes) -> bool:
    return _verify(_public(pk), message, signature, SUITE)


def aggregate(signatures: Sequence[bytes]) -> bytes:
    """One signature for several; raises ValueError for none at all or for what is no signature."""
    total = _G2_IDENTITY
    for each in signatures:
        point = _signature(each)
        if point is None:
            raise ValueError("not a signature")
        total = total + point
    if not signatures:
        raise ValueError("nothing to aggregate")
    return bytes(total.to_compressed_bytes())


def fast_aggregate_verify(pks: Sequence[bytes], message: bytes, signature: bytes) -> bool:
    """Whether every one of the keys signed this one message. The keys' possession has been proven before."""
    points = [_public(each) for each in pks]
    if not points:
        return False
    total = _G1_IDENTITY
    for each in points:
        if each is None:
            return False
        total = total + each
    return _verify(None if total == _G1_IDENTITY else total, message, signature, SUITE)


def pop_prove(sk: bytes) -> bytes:
    """The proof that its maker has the secret of `sk_to_pk(sk)`."""
    return _sign(sk, sk_to_pk(sk), POP_SUITE)


def pop_verify(pk: bytes, proof: bytes) -> bool:
    return _verify(_public(pk), pk, proof, POP_SUITE)


def _scalar(sk: bytes) -> Scalar:
    if len(sk) != SECRET_KEY or not 0 < int.from_bytes(sk) < _ORDER:
        raise ValueError("not a BLS secret key")
    return Scalar.from_be_bytes(sk)


def _sign(sk: bytes, message: bytes, suite: bytes) -> bytes:
    return bytes((G2Point.hash_to_curve(message, suite) * _scalar(sk)).to_compressed_bytes())


def _verify(pk: G1Point | None, message: bytes, signature: bytes, suite: bytes) -> bool:
    point = _signature(signature)
    if pk is None or point is None:
        return False
    return bool(GT.pairing_check([pk, _MINUS_G1], [G2Point.hash_to_curve(message, suite), point]))


@lru_cache(maxsize=1024)
def _public(pk: bytes) -> G1Point | None:
    if len(pk) != PUBLIC_KEY:
        return None
    try:
        point = G1Point.from_compressed_bytes(pk)
    except ValueError:
        return None
    return None if point == _G1_IDENTITY else point


def forget_keys() -> None:
    """Decoded keys are kept; a bench measures without them."""
    _public.cache_clear()


def _signature(data: bytes) -> G2Point | None:
    if len(data) != SIGNATURE:
        return None
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError:
        return None
    return None if point == _G2_IDENTITY else point
