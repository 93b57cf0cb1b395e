"""Receipts of a ledger with validators: certificates, a change of the set, and what proves nothing.

Keys are no secret: see `tests.ledger.town`; validator n's BLS secret is KeyGen(SHA-256("test BLS key n")). Times stand
still and BLS signatures are unique, so the same bytes come out every time.
"""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from gov_chain.ledger.core import bls, checkpoint, note, quorum, receipt, records, state
from gov_chain.ledger.core.quorum import Followed
from gov_chain.ledger.reader import Reader
from tests.ledger.committee import Committee, certificate
from tests.ledger.test_validators import joining
from tests.ledger.town import DIGEST, ORIGIN, VERIFIER, bls_secret

FILE = Path(__file__).with_name("quorum.json")


def equivocation(agency: int) -> bytes:
    key = bls_secret(agency)
    one, two = (
        (DIGEST, body, bls.sign(key, quorum.statement(DIGEST, 5, body)))
        for body in (sha256(b"one").digest(), sha256(b"two").digest())
    )
    return records.equivocation(bls_key=bls.sk_to_pk(key), size=5, one=one, two=two)


def build() -> dict[str, Any]:
    """What the file holds."""
    with tempfile.TemporaryDirectory() as folder:
        made = Committee(Path(folder), agencies=5)
        try:
            return _vectors(made)
        finally:
            made.close()


def _vectors(made: Committee) -> dict[str, Any]:
    reader = made.node(1).town.reader
    made.exchange()
    made.submit(2, equivocation(3))
    made.node(4).stop()
    made.exchange()
    early = _genuine(reader, made, reader.size)
    made.node(4).start(new=False)
    made.node(5).start()
    made.exchange()
    made.vote(*joining(5))
    made.exchange()
    change = reader.size
    at_change = _genuine(reader, made, change)
    made.note()
    made.exchange()
    late = _genuine(reader, made, reader.size)
    sets = [
        {"set": b64encode(each.encoding).decode(), "checkpoint": text or None} for each, text in reader.validator_sets()
    ]
    made.note()
    uncertified = reader.receipt(reader.size - 1)
    certified, _ = reader.certified() or ("", None)
    size = checkpoint.parse(note.split(certified)[0]).size
    return {
        "about": "Receipts under quorum certificates. Private keys: see tests/vectors/quorum.py.",
        "origin": ORIGIN,
        "vkey": made.pin(),
        "node_vkey": VERIFIER.vkey,
        "sets": sets,
        "certified": [*early, *at_change, *late],
        "final": [{"receipt": uncertified, "index": receipt.parse(uncertified).index}],
        "states": [{"proof": reader.state_proof(state.VALIDATORS, size), "key": "76", "size": size}],
        "refused": _refused(reader, made, late[0]["receipt"], early[0]["receipt"]),
        "chains_refused": _chains(sets),
    }


def _genuine(reader: Reader, made: Committee, size: int) -> list[dict[str, Any]]:
    followed = reader.followed()
    found = []
    for index in (0, size // 2, size - 1):
        text = reader.receipt(index)
        proven = receipt.verify(text, quorum=followed)
        assert proven.certified
        said = {"index": proven.index, "size": proven.size, "kind": proven.kind, "receipt": text}
        found.append(said)
    return found


def _refused(reader: Reader, made: Committee, late: str, early: str) -> list[dict[str, str]]:
    """Receipts that no quorum stands behind, and why."""
    followed = reader.followed()
    assert followed is not None
    old, new = made.first_set(), followed.latest
    head = checkpoint.parse(note.split(receipt.parse(late).checkpoint)[0])
    lines = late.split("\n")
    own = next(each for each in lines if each.startswith(f"{note.DASH}{quorum.key_name(ORIGIN)} "))
    early_line = next(each for each in early.split("\n") if each.startswith(f"{note.DASH}{quorum.key_name(ORIGIN)} "))

    def line(change: Callable[[bytes], bytes]) -> str:
        name, _, encoded = own.removeprefix(note.DASH).partition(" ")
        return late.replace(own, f"{note.DASH}{name} {b64encode(change(b64decode(encoded))).decode()}")

    def replaced(by: str) -> str:
        return late.replace(own, by.rstrip("\n"))

    return [
        {"why": why, "receipt": text}
        for why, text in {
            "signed by three of five": replaced(certificate(head, new, 1, 2, 3)),
            "signed by the set before": replaced(certificate(head, old, 1, 2, 3, 4)),
            "a bit of one who did not sign": line(lambda b: b[:-1] + bytes([b[-1] ^ 0x1F])),
            "a bit beyond the set": line(lambda b: b[:-1] + bytes([b[-1] | 0x20])),
            "an empty bitmap": line(lambda b: b[:-1] + b"\x00"),
            "a bitmap of two bytes": line(lambda b: b + b"\x00"),
            "no bitmap": line(lambda b: b[:-1]),
            "the digest of another set": line(lambda b: b[:4] + old.digest + b[36:]),
            "the identity as aggregate": line(lambda b: b[:36] + b"\xc0" + bytes(95) + b[132:]),
            "an aggregate outside the subgroup": line(lambda b: b[:36] + WRONG_SUBGROUP_G2 + b[132:]),
            "an aggregate off the curve": line(lambda b: b[:36] + b"\x80" + bytes(94) + b"\x05" + b[132:]),
            "one bit of the aggregate": line(lambda b: b[:60] + bytes([b[60] ^ 1]) + b[61:]),
            "the certificate of another checkpoint": replaced(early_line),
            "a size that was not certified": late.replace(f"{ORIGIN}\n{head.size}\n", f"{ORIGIN}\n{head.size + 1}\n"),
        }.items()
    ]


def _wrong_subgroup_g2() -> bytes:
    """A point of the curve over Fp2 outside the prime-order subgroup: the first small x that is one."""
    from py_arkworks_bls12381 import G2Point

    for x in range(1, 200):
        data = b"\x80" + bytes(94) + bytes([x])
        try:
            point = G2Point.from_compressed_bytes_unchecked(data)
        except ValueError:
            continue
        if not point.is_in_subgroup():
            return data
    raise AssertionError


WRONG_SUBGROUP_G2 = _wrong_subgroup_g2()


def _chains(sets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first, second = sets
    encoding = bytearray(b64decode(second["set"]))
    encoding[-1] ^= 1
    return [
        {"why": "no sets", "sets": []},
        {"why": "the second set alone", "sets": [{**second, "checkpoint": None}]},
        {"why": "another set than the checkpoint names", "sets": [first, {**second, "set": first["set"]}]},
        {
            "why": "a power changed",
            "sets": [first, {**second, "set": b64encode(bytes(encoding)).decode()}],
        },
        {"why": "the same step twice", "sets": [first, second, second]},
        {"why": "no certificate", "sets": [first, {**second, "checkpoint": _without(second["checkpoint"])}]},
    ]


def _without(text: str) -> str:
    return "".join(each for each in text.splitlines(keepends=True) if "/quorum " not in each)


def text(vectors: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


def followed(vectors: dict[str, Any]) -> Followed:
    return Followed.pinned(vectors["vkey"], *quorum.links_from_json({"sets": vectors["sets"]}))
