"""A ledger of three agencies for tests that need no Django: keys in memory, the embedded engine in a directory.

Agency 1 issues type 1, agency 2 is the citizens' home, agency 3 asks for matter 1.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gov_chain.ledger import founding
from gov_chain.ledger.core import bls, note, possession, proposals, records, transaction
from gov_chain.ledger.core.genesis import FoundingAgency, FoundingValidator, Genesis
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader

PSB, HOME, STREET = 1, 2, 3
ORIGIN = "ledger.test.example"
START = 4_000_000_000
"""In 2096: a consortium's block time, which follows the wall clock, stays at it too."""
DIGEST = bytes(range(32))
LIFE = 86400
NAME_SEX, NAME, ALL = 0b011, 0b001, 0b111
POINT = bytes.fromhex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
"""A P-256 public key: the curve's base point."""


class TestClock:
    """A clock that stands still until told: `pass_time` as the world does, `jump` as a wrong setting does."""

    __test__ = False

    def __init__(self) -> None:
        self.now = float(START)
        self.ran = 0.0

    def wall(self) -> float:
        return self.now

    def steady(self) -> float:
        return self.ran

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.ran += seconds

    def jump(self, seconds: float) -> None:
        self.now += seconds


def secret_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(b"test key %d" % number).digest())


def public_key(number: int) -> bytes:
    return secret_key(number).public_key().public_bytes_raw()


class P256:
    """A P-256 key of the tests' own."""

    def __init__(self, label: str) -> None:
        self._key = ec.derive_private_key(int.from_bytes(sha256(label.encode()).digest()) >> 1, ec.SECP256R1())
        self.public_key = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


class KeySet:
    """The three keys of an agency, known by a number; for enrolling and rotating."""

    def __init__(self, number: int) -> None:
        self.ledger = secret_key(number)
        self.issue, self.request = P256(f"issue {number}"), P256(f"request {number}")
        self.public = (public_key(number), self.issue.public_key, self.request.public_key)

    def _proven(self, action: list[int | bytes], ledger_id: bytes) -> list[int | bytes]:
        signers = [self.ledger.sign, self.issue.sign, self.request.sign]
        return possession.prove(action, ledger_id, signers=signers)

    def enrol(self, agency: int, *, profile: bytes = DIGEST, ledger_id: bytes = bytes(32)) -> list[int | bytes]:
        return self._proven([proposals.ENROL, agency, *self.public, profile], ledger_id)

    def rotate(self, agency: int, key_no: int = 2, *, ledger_id: bytes = bytes(32)) -> list[int | bytes]:
        return self._proven([proposals.ROTATE, agency, key_no, *self.public], ledger_id)


def bls_secret(number: int) -> bytes:
    return bls.key_gen(sha256(b"test BLS key %d" % number).digest())


def founding_validator(agency: int, power: int = 1) -> FoundingValidator:
    """Agency n's validator has the consensus key 100 + n and the BLS key n."""
    secret = bls_secret(agency)
    return FoundingValidator(
        agency=agency,
        consensus_key=public_key(100 + agency),
        bls_key=bls.sk_to_pk(secret),
        possession=bls.pop_prove(secret),
        power=power,
    )


GENESIS = Genesis(
    agencies=tuple(
        FoundingAgency(
            number=number,
            ledger_key=public_key(number),
            issue_key=b"\x02" * 33,
            request_key=b"\x03" * 33,
            profile_digest=DIGEST,
        )
        for number in (PSB, HOME, STREET)
    ),
    accreditations=((PSB, 1), (HOME, 0)),
    checkpoint_key=public_key(0),
    created=START,
)
VERIFIER = note.Verifier(ORIGIN, public_key(0))


def type_record(version: int = 1, type_: int = 1) -> bytes:
    return records.type_(type=type_, version=version, digest=DIGEST, grades=[3, 2, 4])


def matter_record(version: int = 1, required: int = NAME, optional: int = 0b010, matter: int = 1) -> bytes:
    return records.matter(
        matter=matter,
        version=version,
        digest=DIGEST,
        types=[(1, 1, required, optional)],
        max_life=LIFE,
        max_uses=3,
        retention_days=30,
    )


def approval(version: int = 1, matter: int = 1) -> bytes:
    return records.matter_approve(matter=matter, version=version, type=1)


def issue_record(commitment: bytes | None = None) -> bytes:
    return records.issue(type=1, type_version=1, commitment=commitment or secrets.token_bytes(32))


def grant_record(secret: bytes, *, time: int = START, uses: int = 2, masks: int = NAME_SEX, version: int = 1) -> bytes:
    return records.grant(
        handle=sha256(secret).digest(),
        matter=1,
        version=version,
        masks=[masks],
        not_after=time + 3600,
        uses=uses,
        consent_digest=DIGEST,
    )


def usage_record(secret: bytes, masks: int = NAME, version: int = 1) -> bytes:
    return records.usage(
        handle=sha256(secret).digest(), matter=1, version=version, masks=[masks], context_digest=DIGEST
    )


@dataclass
class Town:
    directory: Path
    clock: TestClock = field(default_factory=TestClock)
    sequences: dict[int, int] = field(default_factory=dict)
    genesis: Genesis = GENESIS
    engine: Embedded = field(init=False)
    reader: Reader = field(init=False)
    ledger_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.ledger_id = founding.found(self.directory, self.genesis, origin=ORIGIN, sign=secret_key(0).sign)
        self.open()
        self.reader = Reader(self.directory, VERIFIER)

    def open(self) -> Embedded:
        self.engine = Embedded(self.directory, verifier=VERIFIER, sign=secret_key(0).sign, clock=self.clock)
        return self.engine

    def signed(self, agency: int, *batch: bytes, **changes: int) -> bytes:
        """A transaction, with header fields overridden by `changes`."""
        self.sequences[agency] = self.sequences.get(agency, 0) + 1
        values = {
            "agency": agency,
            "key_no": 1,
            "sequence": self.sequences[agency],
            "valid_until": int(self.clock.now) + 60,
        } | changes
        return transaction.build(ledger_id=self.ledger_id, records=batch, sign=secret_key(agency).sign, **values)

    def submit(self, agency: int, *batch: bytes) -> Committed:
        return self.engine.submit(self.signed(agency, *batch)).result(10)

    def register(self) -> None:
        """Type 1 and matter 1, in force."""
        self.submit(PSB, type_record())
        self.submit(STREET, matter_record())
        self.submit(PSB, approval())

    def grant(self, **changes: int) -> bytes:
        """The secret of a new live grant."""
        secret = secrets.token_bytes(32)
        done = self.submit(HOME, grant_record(secret, time=int(self.clock.now), **changes))
        assert not done.refused
        return secret
