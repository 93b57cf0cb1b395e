"""Quorum certificates: more than two thirds of the validators' power behind a checkpoint, as one signature line.

A validator's share is a BLS signature of the statement

    `DOMAIN` ‖ digest of the validator set ‖ size (8 bytes) ‖ SHA-256 of the checkpoint's text

Set and size stand in it by themselves, so that two shares can be held against each other without the texts.

A certificate is a C2SP signed-note line under the key name `<origin>/quorum`, of a signature type of its own (0xff and
a name, as signed-note provides), with the set's digest as its public key. After the key id stand

    set digest (32) ‖ aggregate of the shares (96) ‖ bitmap (⌈n/8⌉ bytes; validator i of the set is bit i mod 8, from
    the least significant, of byte ⌊i/8⌋; bits beyond the set are 0)

Which set signs: the one that the checkpoint *before* named (for the first one, its own). So a checkpoint that names a
new set is certified by the old one, and whoever knows the old one need only be shown the new one's encoding: its
digest is under the certificate. `Followed` does that, from a pinned first set.

`Followed.certify` checks, in this order:
 1. a line under `<origin>/quorum` is of a set that is followed (lines of other sets are ignored);
 2. its blob has the form above: the whole digest, a bit at least, none beyond the set;
 3. the signers' power is more than two thirds;
 4. the checkpoint's origin is this one, and its size lies in the set's term: after the checkpoint that named the set,
    up to the one that names its successor;
 5. the checkpoint names this set, or at the end of the term the successor;
 6. the aggregate verifies. (Possession of the keys was proven before the set was.)
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gov_chain.ledger.core import bls, checkpoint, note, validators
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.validators import ValidatorSet

DOMAIN = b"govchain/quorum/v1\n"
TYPE = b"\xffgovchain/quorum-bls12381/v1"
_AGGREGATE = 32 + bls.SIGNATURE


def statement(set_digest: bytes, size: int, body_digest: bytes) -> bytes:
    """What a share signs."""
    return DOMAIN + set_digest + size.to_bytes(8) + body_digest


def statement_of(head: Checkpoint, set_digest: bytes) -> bytes:
    return statement(set_digest, head.size, sha256(head.text.encode()).digest())


def key_name(origin: str) -> str:
    return f"{origin}/quorum"


def key_id(origin: str, set_digest: bytes) -> bytes:
    return note.key_id(key_name(origin), TYPE, set_digest)


def vkey(origin: str, set_digest: bytes) -> str:
    """What a verifier pins: the first set, in the form of a signed-note verifier key."""
    encoded = b64encode(TYPE + set_digest).decode()
    return f"{key_name(origin)}+{key_id(origin, set_digest).hex()}+{encoded}"


def parse_vkey(text: str) -> tuple[str, bytes]:
    """(origin, digest of the first set); raises `LedgerError("vkey-malformed")`."""
    name, _, rest = text.strip().partition("+")
    origin, slash, last = name.rpartition("/")
    _, _, encoded = rest.partition("+")
    try:
        key = note.unb64(encoded)
    except ValueError as error:
        raise LedgerError("vkey-malformed", log=str(error)) from error
    if not slash or last != "quorum" or key[: len(TYPE)] != TYPE or len(key) != len(TYPE) + 32:
        raise LedgerError("vkey-malformed", log="not a quorum's")
    digest = key[len(TYPE) :]
    if vkey(origin, digest) != text.strip():
        raise LedgerError("vkey-malformed", log="key id")
    return origin, digest


@dataclass(frozen=True, slots=True)
class Certificate:
    """`signers` are places in the set, ascending."""

    set_digest: bytes
    signers: tuple[int, ...]
    signature: bytes


def line(certificate: Certificate, *, origin: str, count: int) -> str:
    """The signature line, with its newline, for a set of `count` validators."""
    bitmap = bytearray(-(-count // 8))
    for at in certificate.signers:
        bitmap[at >> 3] |= 1 << (at & 7)
    blob = key_id(origin, certificate.set_digest) + certificate.set_digest + certificate.signature + bitmap
    return f"{note.DASH}{key_name(origin)} {b64encode(blob).decode()}\n"


def read(blob: bytes, of: ValidatorSet) -> Certificate:
    """The certificate in a line's bytes, nothing verified; raises `LedgerError("certificate-malformed")`."""
    count = len(of.validators)
    body, bitmap = blob[4 : 4 + _AGGREGATE], blob[4 + _AGGREGATE :]
    bits = int.from_bytes(bitmap, "little")
    if len(body) != _AGGREGATE or body[:32] != of.digest or len(bitmap) != -(-count // 8) or not 0 < bits < 1 << count:
        raise LedgerError("certificate-malformed")
    return Certificate(of.digest, tuple(at for at in range(count) if bits >> at & 1), body[32:])


def verify(certificate: Certificate, head: Checkpoint, of: ValidatorSet) -> None:
    """Steps 3 and 6; raises `LedgerError`: quorum-not-reached or certificate-wrong."""
    power = of.power(certificate.signers)
    if not of.is_quorum(power):
        raise LedgerError("quorum-not-reached", log=f"{power} of {of.total}")
    keys = [of.validators[at].bls_key for at in certificate.signers]
    if not bls.fast_aggregate_verify(keys, statement_of(head, of.digest), certificate.signature):
        raise LedgerError("certificate-wrong", log=f"{head.origin} {head.size}")


def join(shares: Mapping[int, bytes], head: Checkpoint, of: ValidatorSet) -> tuple[Certificate | None, list[int]]:
    """A certificate from shares by place in the set, and the places whose share is wrong.

    The shares are tried together first, which costs one verification; one by one only if that fails. None as long as
    the right ones are no quorum.
    """
    message = statement_of(head, of.digest)
    wrong: list[int] = []
    if not _together(shares, message, of):
        keys = of.validators
        wrong = [at for at, share in shares.items() if not bls.verify(keys[at].bls_key, message, share)]
    right = {at: share for at, share in shares.items() if at not in wrong}
    if not of.is_quorum(of.power(right)):
        return None, wrong
    signers = tuple(sorted(right))
    return Certificate(of.digest, signers, bls.aggregate([right[at] for at in signers])), wrong


def _together(shares: Mapping[int, bytes], message: bytes, of: ValidatorSet) -> bool:
    try:
        joined = bls.aggregate(list(shares.values()))
    except ValueError:
        return False
    return bls.fast_aggregate_verify([of.validators[at].bls_key for at in shares], message, joined)


@dataclass(frozen=True, slots=True)
class Link:
    """The step to a set: its encoding, and the checkpoint that names it, certified by the set before."""

    encoding: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class _Term:
    """A set certifies checkpoints of `after` < size ≤ `until` (None: it is the latest known)."""

    validators: ValidatorSet
    after: int
    until: int | None = None
    successor: bytes | None = None


class Followed:
    """The validator sets of one ledger as a verifier knows them, each named under a certificate of the one before."""

    def __init__(self, origin: str, first: ValidatorSet, links: Iterable[Link] = ()) -> None:
        """Raises `LedgerError` for a link that does not hold."""
        self.origin = origin
        self._terms = [_Term(first, 0)]
        for each in links:
            self.follow(each)

    @classmethod
    def pinned(cls, pin: str, encodings: Sequence[bytes], checkpoints: Sequence[str]) -> Followed:
        """From the quorum vkey `pin` and what anyone says the sets are; raises `LedgerError`."""
        origin, digest = parse_vkey(pin)
        if not encodings or validators.digest_of(encodings[0]) != digest:
            raise LedgerError("validators-foreign", log="the first set is not the pinned one")
        links = [Link(*pair) for pair in zip(encodings[1:], checkpoints, strict=True)]
        return cls(origin, validators.parse(encodings[0]), links)

    @property
    def latest(self) -> ValidatorSet:
        return self._terms[-1].validators

    def follow(self, link: Link) -> None:
        """Take the next set; raises `LedgerError` unless the latest one certifies the checkpoint that names it."""
        successor = validators.parse(link.encoding)
        head = self.certify(link.checkpoint)
        last = self._terms[-1]
        if head is None or head.validators != successor.digest or successor.digest == last.validators.digest:
            raise LedgerError("validators-foreign", log="no certified checkpoint names the next set")
        if head.size <= last.after:
            raise LedgerError("validators-foreign", log=f"a step back, to {head.size}")
        self._terms[-1] = _Term(last.validators, last.after, head.size, successor.digest)
        self._terms.append(_Term(successor, head.size))

    def certify(self, text: str) -> Checkpoint | None:
        """The checkpoint if a certificate of a followed set is on it, None if there is none of these.

        Raises `LedgerError` for one that does not hold.
        """
        body, lines = note.split(text)
        for term in reversed(self._terms):
            wanted = key_id(self.origin, term.validators.digest)
            for name, blob in lines:
                if name == key_name(self.origin) and blob[:4] == wanted:
                    return self._certified(body, blob, term)
        return None

    def _certified(self, body: str, blob: bytes, term: _Term) -> Checkpoint:
        certificate = read(blob, term.validators)
        head = checkpoint.parse(body)
        if head.origin != self.origin:
            raise LedgerError("checkpoint-malformed", log="origin")
        if head.size <= term.after or (term.until is not None and head.size > term.until):
            raise LedgerError("certificate-wrong", log=f"{head.size} is outside the set's term")
        if term.until is not None:
            named = term.successor if head.size == term.until else term.validators.digest
            if head.validators != named:
                raise LedgerError("certificate-wrong", log="the checkpoint names another set")
        elif head.validators is None:
            raise LedgerError("certificate-wrong", log="the checkpoint names no set")
        verify(certificate, head, term.validators)
        return head


def links_from_json(value: Any) -> tuple[list[bytes], list[str]]:
    """(encodings, checkpoints) of the answer of `GET /ledger/validators`; raises `LedgerError`."""
    rows = value.get("sets") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LedgerError("validators-malformed")
    try:
        encodings = [b64decode(row["set"], validate=True) for row in rows]
        checkpoints = [row["checkpoint"] for row in rows if row.get("checkpoint") is not None]
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerError("validators-malformed", log=str(error)) from error
    if not all(isinstance(text, str) for text in checkpoints):
        raise LedgerError("validators-malformed")
    return encodings, checkpoints
