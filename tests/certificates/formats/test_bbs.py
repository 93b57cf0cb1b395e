"""BBS: the draft's fixtures for BLS12-381-SHA-256, and that two proofs of one signature have nothing in common."""

import itertools
import os

import pytest

from certificates.formats import bbs
from tests.certificates.formats.vectors import published

VECTORS = published("bbs")
SECRET = bbs.key_generate(bytes.fromhex(VECTORS["keyMaterial"]), bytes.fromhex(VECTORS["keyInfo"]))
PUBLIC = bbs.public_key(SECRET)
MESSAGES = [b"name", b"number", b"district", b"born"]


def unhex(values):
    return [bytes.fromhex(value) for value in values]


def test_the_key_is_the_published_one() -> None:
    assert PUBLIC.hex() == VECTORS["publicKey"]


def test_the_generators_are_the_published_ones() -> None:
    found = bbs.create_generators(len(VECTORS["generators"]))
    assert [bytes(point.to_compressed_bytes()).hex() for point in found] == VECTORS["generators"]


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda each: each["name"])
def test_a_published_signature_is_judged_as_published(vector) -> None:
    signature, header = bytes.fromhex(vector["signature"]), bytes.fromhex(vector["header"])
    found = bbs.verify(bytes.fromhex(vector["publicKey"]), signature, header, unhex(vector["messages"]))
    assert found == vector["valid"]


@pytest.mark.parametrize(
    "vector", [each for each in VECTORS["signatures"] if each["valid"]], ids=lambda each: each["name"]
)
def test_signing_gives_the_published_signature(vector) -> None:
    assert bbs.sign(SECRET, bytes.fromhex(vector["header"]), unhex(vector["messages"])).hex() == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=lambda each: each["name"])
def test_a_published_proof_is_judged_as_published(vector) -> None:
    messages = unhex(vector["messages"])
    found = bbs.proof_verify(
        bytes.fromhex(vector["publicKey"]),
        bytes.fromhex(vector["proof"]),
        header=bytes.fromhex(vector["header"]),
        presentation_header=bytes.fromhex(vector["presentationHeader"]),
        disclosed={index: messages[index] for index in vector["disclosed"] if index < len(messages)},
    )
    assert found == vector["valid"]


def prove(disclosed, presentation_header=b"asked by A"):
    return bbs.proof_generate(
        PUBLIC,
        bbs.sign(SECRET, b"header", MESSAGES),
        header=b"header",
        presentation_header=presentation_header,
        messages=MESSAGES,
        disclosed=disclosed,
        random=os.urandom,
    )


def holds(proof, disclosed, header=b"header", presentation_header=b"asked by A"):
    return bbs.proof_verify(PUBLIC, proof, header=header, presentation_header=presentation_header, disclosed=disclosed)


@pytest.mark.parametrize("disclosed", [[], [0], [1, 3], [0, 1, 2, 3]])
def test_any_choice_of_messages_can_be_shown(disclosed) -> None:
    assert holds(prove(disclosed), {index: MESSAGES[index] for index in disclosed})


def test_a_proof_holds_for_nothing_else() -> None:
    proof, shown = prove([1]), {1: b"number"}
    assert not holds(proof, {1: b"another"})
    assert not holds(proof, {0: b"number"})
    assert not holds(proof, {})
    assert not holds(proof, shown, header=b"other")
    assert not holds(proof, shown, presentation_header=b"asked by B")


def test_two_proofs_of_one_signature_share_no_part() -> None:
    parts = [{proof[at : at + 16] for at in range(0, len(proof), 16)} for proof in (prove([1]), prove([1]))]
    assert not parts[0] & parts[1]


def test_every_changed_byte_of_a_proof_is_noticed() -> None:
    proof = prove([1])
    for at, mask in itertools.product(range(0, len(proof), 7), (1, 0x80)):
        changed = bytearray(proof)
        changed[at] ^= mask
        assert not holds(bytes(changed), {1: b"number"})


def test_the_identity_point_is_no_key_and_no_signature() -> None:
    identity = b"\xc0" + bytes(95)
    assert not bbs.verify(identity, bbs.sign(SECRET, b"", MESSAGES), b"", MESSAGES)
    assert not bbs.verify(PUBLIC, b"\xc0" + bytes(47) + bytes(31) + b"\1", b"", MESSAGES)


@pytest.mark.parametrize("length", [0, 79, 81, 271, 273])
def test_another_length_is_refused(length) -> None:
    assert not bbs.verify(PUBLIC, bytes(length), b"", MESSAGES)
    assert not holds(bytes(length), {})
