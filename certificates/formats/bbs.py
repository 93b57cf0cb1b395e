"""BBS signatures: draft-irtf-cfrg-bbs-signatures-08, ciphersuite BLS12-381-SHA-256, hash-to-generators interface.

A signature over a list of messages, from which its holder makes proofs that show some of them and can be linked
neither to the signature nor to each other. Names and steps are the draft's. Curve arithmetic is arkworks'; the
secret key's own arithmetic is done here on integers of Python and is not constant-time, so signing belongs on a
machine of the issuer's alone.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

SUITE = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_"
API = SUITE + b"H2G_HM2S_"
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
EXPAND = 48
POINT = 48
SCALAR = 32
PUBLIC_KEY = 96
SIGNATURE = POINT + SCALAR
MAX_MESSAGES = 1024

Random = Callable[[int], bytes]


class BbsError(ValueError):
    """Input that is no key, signature or proof of this scheme."""


# Keys


def key_generate(material: bytes, info: bytes = b"", dst: bytes = API + b"KEYGEN_DST_") -> bytes:
    """KeyGen: a secret key (32 bytes) from at least 32 secret bytes."""
    if len(material) < 32:
        raise BbsError("key material must be 32 bytes or more")
    return _i2osp(hash_to_scalar(material + len(info).to_bytes(2) + info, dst), SCALAR)


def public_key(secret: bytes) -> bytes:
    """SkToPk: 96 bytes, compressed G2."""
    return bytes((G2Point() * _scalar(_secret(secret))).to_compressed_bytes())


# The interface


def sign(secret: bytes, header: bytes, messages: Sequence[bytes]) -> bytes:
    """Sign: 80 bytes."""
    key, public = _secret(secret), public_key(secret)
    scalars = [message_to_scalar(message) for message in messages]
    generators = create_generators(len(messages) + 1)
    domain = _domain(public, generators, header)
    e = hash_to_scalar(_serialize([key, *scalars, domain]), API + b"H2S_")
    commitment = _commit(generators, domain, scalars)
    point = commitment * _scalar(pow(key + e, -1, ORDER))
    return bytes(point.to_compressed_bytes()) + _i2osp(e, SCALAR)


def verify(public: bytes, signature: bytes, header: bytes, messages: Sequence[bytes]) -> bool:
    """Verify; a malformed key or signature is False."""
    try:
        point, e = _signature(signature)
        key = _public(public)
        generators = create_generators(len(messages) + 1)
    except BbsError:
        return False
    domain = _domain(public, generators, header)
    commitment = _commit(generators, domain, [message_to_scalar(message) for message in messages])
    return bool(GT.pairing_check([point, point * _scalar(e) - commitment], [key, G2Point()]))


def proof_generate(
    public: bytes,
    signature: bytes,
    *,
    header: bytes,
    presentation_header: bytes,
    messages: Sequence[bytes],
    disclosed: Sequence[int],
    random: Random,
) -> bytes:
    """ProofGen: a proof that shows the messages at the `disclosed` indexes (ascending). Raises `BbsError`."""
    point, e = _signature(signature)
    count = len(messages)
    if list(disclosed) != sorted(set(disclosed)) or any(not 0 <= index < count for index in disclosed):
        raise BbsError("disclosed indexes must be ascending and within the messages")
    scalars = [message_to_scalar(message) for message in messages]
    hidden = [index for index in range(count) if index not in set(disclosed)]
    generators = create_generators(count + 1)
    r1, r2, e_blind, r1_blind, r3_blind, *blinds = (
        int.from_bytes(random(EXPAND)) % ORDER for _ in range(5 + len(hidden))
    )
    domain = _domain(public, generators, header)
    commitment = _commit(generators, domain, scalars)
    d = commitment * _scalar(r2)
    a_bar = point * _scalar(r1 * r2)
    b_bar = d * _scalar(r1) - a_bar * _scalar(e)
    t1 = _sum([a_bar, d], [e_blind, r1_blind])
    t2 = _sum([d, *(generators[index + 1] for index in hidden)], [r3_blind, *blinds])
    challenge = _challenge(
        (a_bar, b_bar, d, t1, t2), domain, {index: scalars[index] for index in disclosed}, presentation_header
    )
    r3 = pow(r2, -1, ORDER)
    answers = [e_blind + e * challenge, r1_blind - r1 * challenge, r3_blind - r3 * challenge]
    answers += [blind + scalars[index] * challenge for index, blind in zip(hidden, blinds, strict=True)]
    return _serialize([a_bar, b_bar, d, *(answer % ORDER for answer in answers), challenge])


def proof_verify(
    public: bytes, proof: bytes, *, header: bytes, presentation_header: bytes, disclosed: dict[int, bytes]
) -> bool:
    """ProofVerify; `disclosed` maps index → message. Anything malformed is False."""
    try:
        parsed = _proof(proof)
        key = _public(public)
        count = len(disclosed) + len(parsed.hidden)
        if any(not 0 <= index < count for index in disclosed):
            return False
        generators = create_generators(count + 1)
    except BbsError:
        return False
    shown = {index: message_to_scalar(disclosed[index]) for index in sorted(disclosed)}
    hidden = [index for index in range(count) if index not in shown]
    domain = _domain(public, generators, header)
    t1 = _sum([parsed.b_bar, parsed.a_bar, parsed.d], [parsed.challenge, parsed.e, parsed.r1])
    bv = _base() + _sum([generators[0], *(generators[index + 1] for index in shown)], [domain, *shown.values()])
    t2 = _sum(
        [bv, parsed.d, *(generators[index + 1] for index in hidden)], [parsed.challenge, parsed.r3, *parsed.hidden]
    )
    points = (parsed.a_bar, parsed.b_bar, parsed.d, t1, t2)
    if _challenge(points, domain, shown, presentation_header) != parsed.challenge:
        return False
    return bool(GT.pairing_check([parsed.a_bar, -parsed.b_bar], [key, G2Point()]))


# Utilities of the draft, §4


def hash_to_scalar(data: bytes, dst: bytes) -> int:
    return int.from_bytes(expand_message_xmd(data, dst, EXPAND)) % ORDER


def message_to_scalar(message: bytes) -> int:
    return hash_to_scalar(message, API + b"MAP_MSG_TO_SCALAR_AS_HASH_")


def create_generators(count: int) -> list[G1Point]:
    """Q_1, H_1, …: made once, and kept. Raises `BbsError` for more than a document has."""
    if count > MAX_MESSAGES + 1:
        raise BbsError("too many messages")
    return _generators(-(-count // 32) * 32)[:count]


@functools.lru_cache(maxsize=MAX_MESSAGES // 32 + 1)
def _generators(count: int) -> list[G1Point]:
    return _make_generators(
        count, API + b"MESSAGE_GENERATOR_SEED", API + b"SIG_GENERATOR_SEED_", API + b"SIG_GENERATOR_DST_"
    )


def _make_generators(count: int, seed: bytes, seed_dst: bytes, dst: bytes) -> list[G1Point]:
    value = expand_message_xmd(seed, seed_dst, EXPAND)
    found = []
    for number in range(1, count + 1):
        value = expand_message_xmd(value + number.to_bytes(8), seed_dst, EXPAND)
        found.append(G1Point.hash_to_curve(value, dst))
    return found


@functools.cache
def _base() -> G1Point:
    """P1 (§6.2)."""
    (point,) = _make_generators(
        1, API + b"BP_MESSAGE_GENERATOR_SEED", API + b"SIG_GENERATOR_SEED_", API + b"SIG_GENERATOR_DST_"
    )
    return point


def expand_message_xmd(data: bytes, dst: bytes, length: int) -> bytes:
    """RFC 9380 §5.3.1 with SHA-256."""
    suffix = dst + bytes([len(dst)])
    first = hashlib.sha256(bytes(64) + data + length.to_bytes(2) + b"\0" + suffix).digest()
    block = hashlib.sha256(first + b"\1" + suffix).digest()
    found = block
    for number in range(2, -(-length // 32) + 1):
        block = hashlib.sha256(
            bytes(a ^ b for a, b in zip(first, block, strict=True)) + bytes([number]) + suffix
        ).digest()
        found += block
    return found[:length]


def _domain(public: bytes, generators: Sequence[G1Point], header: bytes) -> int:
    """calculate_domain; `generators` are Q_1, H_1, …"""
    array = (len(generators) - 1).to_bytes(8) + b"".join(_octets(point) for point in generators)
    data = public + array + API + len(header).to_bytes(8) + header
    return hash_to_scalar(data, API + b"H2S_")


def _challenge(points: Sequence[G1Point], domain: int, disclosed: dict[int, int], presentation_header: bytes) -> int:
    """ProofChallengeCalculate."""
    data = len(disclosed).to_bytes(8)
    for index, scalar in disclosed.items():
        data += index.to_bytes(8) + _i2osp(scalar, SCALAR)
    data += _serialize([*points, domain]) + len(presentation_header).to_bytes(8) + presentation_header
    return hash_to_scalar(data, API + b"H2S_")


def _commit(generators: Sequence[G1Point], domain: int, scalars: Sequence[int]) -> G1Point:
    """B = P1 + Q_1 · domain + H_1 · msg_1 + …"""
    return _base() + _sum(generators, [domain, *scalars])


def _sum(points: Sequence[G1Point], scalars: Sequence[int]) -> G1Point:
    return G1Point.multiexp_unchecked(list(points), [_scalar(value) for value in scalars])


def _scalar(value: int) -> Scalar:
    return Scalar.from_be_bytes((value % ORDER).to_bytes(SCALAR))


def _i2osp(value: int, length: int) -> bytes:
    return value.to_bytes(length)


def _octets(point: G1Point) -> bytes:
    return bytes(point.to_compressed_bytes())


def _serialize(items: Sequence[G1Point | int]) -> bytes:
    return b"".join(_i2osp(item, SCALAR) if isinstance(item, int) else _octets(item) for item in items)


def _secret(secret: bytes) -> int:
    value = int.from_bytes(secret)
    if len(secret) != SCALAR or not 0 < value < ORDER:
        raise BbsError("not a secret key")
    return value


def _point(data: bytes) -> G1Point:
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise BbsError("not a point of G1") from error
    if point == G1Point.identity():
        raise BbsError("the identity point")
    return point


def _public(data: bytes) -> G2Point:
    if len(data) != PUBLIC_KEY:
        raise BbsError("not a public key")
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError as error:
        raise BbsError("not a point of G2") from error
    if point == G2Point.identity():
        raise BbsError("the identity point")
    return point


def _positive(data: bytes) -> int:
    value = int.from_bytes(data)
    if not 0 < value < ORDER:
        raise BbsError("scalar out of range")
    return value


def _signature(data: bytes) -> tuple[G1Point, int]:
    """octets_to_signature"""
    if len(data) != SIGNATURE:
        raise BbsError("not a signature")
    return _point(data[:POINT]), _positive(data[POINT:])


@dataclass(frozen=True, slots=True)
class _Proof:
    a_bar: G1Point
    b_bar: G1Point
    d: G1Point
    e: int
    r1: int
    r3: int
    hidden: list[int]
    challenge: int


def _proof(data: bytes) -> _Proof:
    """octets_to_proof"""
    scalars, rest = divmod(len(data) - 3 * POINT, SCALAR)
    if rest or not 4 <= scalars <= MAX_MESSAGES + 4:
        raise BbsError("not a proof")
    a_bar, b_bar, d = (_point(data[at : at + POINT]) for at in range(0, 3 * POINT, POINT))
    e, r1, r3, *hidden, challenge = (_positive(data[at : at + SCALAR]) for at in range(3 * POINT, len(data), SCALAR))
    return _Proof(a_bar, b_bar, d, e, r1, r3, hidden, challenge)
