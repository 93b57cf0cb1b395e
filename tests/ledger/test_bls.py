"""BLS: the fast library, the reference, and published values agree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G2Point

from gov_chain.ledger.core import bls
from tests.ledger.reference_bls import Reference, curve_order

MESSAGE = b"message"
KEYS = [bls.key_gen(bytes([number]) * 32) for number in range(1, 4)]

RFC_9380_J_10_1 = {
    "": (
        "0141ebfbdca40eb85b87142e130ab689c673cf60f1a3e98d69335266f30d9b8d4ac44c1038e9dcdd5393faf5c41fb78a",
        "05cb8437535e20ecffaef7752baddf98034139c38452458baeefab379ba13dff5bf5dd71b72418717047f5b0f37da03d",
    ),
    "abc": (
        "02c2d18e033b960562aae3cab37a27ce00d80ccd5ba4b7fe0e7a210245129dbec7780ccc7954725f4168aff2787776e6",
        "139cddbccdc5e91b9623efd38c49f81a6f83f175e80b06fc374de9eb4b41dfe4ca3a230ed250fbe3a2acf73a41177fd8",
    ),
}
"""RFC 9380 appendix J.10.1 (BLS12381G2_XMD:SHA-256_SSWU_RO_): (P.x c0, P.x c1) by message."""
RFC_9380_DST = b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_"

EIP_2333 = {
    "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04": 6083874454709270928345386274498605044986640685124978867557563392430687146096,  # noqa: E501
    "3141592653589793238462643383279502884197169399375105820974944592": 29757020647961307431480504535336562678282505419141012933316116377660817309383,  # noqa: E501
}
"""EIP-2333 test cases 0 and 1: the master secret key (this draft's KeyGen without key info) of a seed."""


@pytest.mark.parametrize("message", RFC_9380_J_10_1)
def test_hashing_to_g2_is_rfc_9380s(message: str) -> None:
    point = bytes(G2Point.hash_to_curve(message.encode(), RFC_9380_DST).to_xy_bytes_be())
    assert (point[:48].hex(), point[48:96].hex()) == RFC_9380_J_10_1[message]


@pytest.mark.parametrize("seed", EIP_2333)
def test_key_generation_is_the_drafts(seed: str) -> None:
    assert int.from_bytes(bls.key_gen(bytes.fromhex(seed))) == EIP_2333[seed]


def test_too_little_key_material_makes_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        bls.key_gen(bytes(31))


def test_the_reference_says_the_same() -> None:
    secret = int.from_bytes(KEYS[0])
    public = bls.sk_to_pk(KEYS[0])
    signature = bls.sign(KEYS[0], MESSAGE)
    assert Reference.KeyGen(b"\x01" * 32) == secret
    assert Reference.SkToPk(secret) == public
    assert Reference.Sign(secret, MESSAGE) == signature
    assert Reference.PopProve(secret) == bls.pop_prove(KEYS[0])
    assert Reference.PopVerify(public, bls.pop_prove(KEYS[0]))
    signatures = [bls.sign(key, MESSAGE) for key in KEYS]
    assert Reference.Aggregate(signatures) == bls.aggregate(signatures)
    assert Reference.FastAggregateVerify([bls.sk_to_pk(key) for key in KEYS], MESSAGE, bls.aggregate(signatures))


@settings(max_examples=4, deadline=None)
@given(ikm=st.binary(min_size=32, max_size=64), message=st.binary(max_size=200))
def test_the_reference_agrees_on_any_key_and_message(ikm: bytes, message: bytes) -> None:
    secret = bls.key_gen(ikm)
    assert Reference.KeyGen(ikm) == int.from_bytes(secret)
    assert Reference.Sign(int.from_bytes(secret), message) == bls.sign(secret, message)
    assert bls.verify(bls.sk_to_pk(secret), message, bls.sign(secret, message))


def test_an_aggregate_is_of_those_keys_and_that_message_alone() -> None:
    public = [bls.sk_to_pk(key) for key in KEYS]
    joined = bls.aggregate([bls.sign(key, MESSAGE) for key in KEYS])
    assert bls.fast_aggregate_verify(public, MESSAGE, joined)
    assert not bls.fast_aggregate_verify(public, MESSAGE + b".", joined)
    assert not bls.fast_aggregate_verify(public[:2], MESSAGE, joined)
    assert not bls.fast_aggregate_verify([*public, public[0]], MESSAGE, joined)
    assert not bls.fast_aggregate_verify([], MESSAGE, joined)


def test_a_proof_of_possession_is_no_signature_and_the_other_way_round() -> None:
    public = bls.sk_to_pk(KEYS[0])
    assert bls.pop_verify(public, bls.pop_prove(KEYS[0]))
    assert not bls.pop_verify(public, bls.sign(KEYS[0], public))
    assert not bls.verify(public, public, bls.pop_prove(KEYS[0]))
    assert not bls.pop_verify(public, bls.pop_prove(KEYS[1]))


def test_a_rogue_key_has_no_proof() -> None:
    """A key made to cancel another's: its aggregate verifies, its possession does not; identity sums are refused."""
    secret = curve_order - int.from_bytes(KEYS[0])
    negative = bls.sk_to_pk(secret.to_bytes(32))
    joined = bls.aggregate([bls.sign(KEYS[0], MESSAGE), bls.sign(KEYS[1], MESSAGE)])
    assert not bls.fast_aggregate_verify([bls.sk_to_pk(KEYS[0]), negative], MESSAGE, joined)
    assert not bls.pop_verify(negative, bls.pop_prove(KEYS[0]))


G1_STRANGE = {
    "identity": b"\xc0" + bytes(47),
    "identity with bits": b"\xc0" + bytes(46) + b"\x01",
    "identity with a sign": b"\xe0" + bytes(47),
    "another subgroup": b"\x80" + bytes(46) + b"\x04",
    "not on the curve": b"\x80" + bytes(46) + b"\x01",
    "uncompressed flag": bytes(48),
    "x not below p": b"\x9a" + b"\xff" * 47,
    "short": b"\xc0" + bytes(46),
    "empty": b"",
}


@pytest.mark.parametrize("name", G1_STRANGE)
def test_strange_keys_verify_nothing(name: str) -> None:
    strange = G1_STRANGE[name]
    good = bls.sk_to_pk(KEYS[0])
    signature = bls.sign(KEYS[0], MESSAGE)
    assert not bls.key_validate(strange)
    assert not bls.verify(strange, MESSAGE, signature)
    assert not bls.pop_verify(strange, signature)
    assert not bls.fast_aggregate_verify([good, strange], MESSAGE, signature)
    assert bls.key_validate(good)


@pytest.mark.parametrize("strange", [b"", b"\xc0" + bytes(95), b"\x80" + bytes(95), bytes(96), b"\xc0" + bytes(94)])
def test_strange_signatures_verify_nothing_and_join_nothing(strange: bytes) -> None:
    public = bls.sk_to_pk(KEYS[0])
    assert not bls.verify(public, MESSAGE, strange)
    assert not bls.fast_aggregate_verify([public], MESSAGE, strange)
    with pytest.raises(ValueError, match="not a signature"):
        bls.aggregate([bls.sign(KEYS[0], MESSAGE), strange])


@pytest.mark.parametrize("secret", [bytes(32), curve_order.to_bytes(32), bytes(31), b"\xff" * 32])
def test_what_is_no_secret_key_signs_nothing(secret: bytes) -> None:
    with pytest.raises(ValueError, match="not a BLS secret key"):
        bls.sign(secret, MESSAGE)
