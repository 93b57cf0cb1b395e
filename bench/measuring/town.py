"""A small consortium with a matter in force, and the records of its days, signed beforehand.

Of four records one issues a certificate, one records a grant and two use one: every grant is used twice, some time
after it was recorded. A batch is what one agency signs: issuer, home agency, asking agency, asking agency, in turn.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gov_chain.ledger import founding
from gov_chain.ledger.core import note, records, transaction
from gov_chain.ledger.core.genesis import FoundingAgency, Genesis
from gov_chain.ledger.core.proposals import HOME as HOME_AGENCY
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader

ISSUER, HOME, ASKER = 1, 2, 3
USES = 2
DAY = 86400


class Refused(Exception):  # noqa: N818 - the bench is wrong, not the ledger
    """A record of the bench did not pass the rules: what was measured is not what was meant."""


@dataclass(frozen=True, slots=True)
class Batch:
    body: bytes
    """The signed transaction."""
    records: tuple[bytes, ...]


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"bench {name}".encode()).digest())


_CHECKPOINT_KEY = _key("checkpoint")
CHECKPOINT_VERIFIER = note.Verifier("bench.example", _CHECKPOINT_KEY.public_key().public_bytes_raw())


def checkpoint_key() -> bytes:
    """As a node keeps it on disk (PKCS #8, DER)."""
    return _CHECKPOINT_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def sign_checkpoint(message: bytes) -> bytes:
    return _CHECKPOINT_KEY.sign(message)


class Town:
    """A ledger in a directory of its own, `used` grants on it from the start."""

    def __init__(self, directory: Path, *, used: int = 1024) -> None:
        self.directory = directory
        self._keys = {number: _key(f"agency {number}") for number in (ISSUER, HOME, ASKER)}
        self._sequences = dict.fromkeys(self._keys, 0)
        self._unused: deque[tuple[bytes, int]] = deque()
        founders = tuple(
            FoundingAgency(
                number=number,
                ledger_key=key.public_key().public_bytes_raw(),
                issue_key=bytes(33),
                request_key=bytes(33),
                profile_digest=bytes(32),
            )
            for number, key in self._keys.items()
        )
        genesis = Genesis(
            agencies=founders,
            accreditations=((ISSUER, 1), (HOME, HOME_AGENCY)),
            checkpoint_key=CHECKPOINT_VERIFIER.public_key,
            created=int(time.time()),
        )
        self.ledger_id = founding.found(directory, genesis, origin=CHECKPOINT_VERIFIER.name, sign=sign_checkpoint)
        self.engine = Embedded(directory, verifier=CHECKPOINT_VERIFIER, sign=sign_checkpoint)
        self._register()
        for start in range(0, used, transaction.MAX_RECORDS):
            self.submit(self._grants(min(transaction.MAX_RECORDS, used - start)))

    def _register(self) -> None:
        matter = records.matter(
            matter=1,
            version=1,
            digest=bytes(32),
            types=[(1, 1, 0b1111, 0b10000)],
            max_life=30 * DAY,
            max_uses=USES,
            retention_days=30,
        )
        for agency, record in (
            (ISSUER, records.type_(type=1, version=1, digest=bytes(32), grades=[1, 2, 3, 3, 4])),
            (ASKER, matter),
            (ISSUER, records.matter_approve(matter=1, version=1, type=1)),
        ):
            self.submit(self._signed(agency, [record]))

    def _signed(self, agency: int, batch: Sequence[bytes]) -> Batch:
        self._sequences[agency] += 1
        body = transaction.build(
            ledger_id=self.ledger_id,
            agency=agency,
            key_no=1,
            sequence=self._sequences[agency],
            valid_until=int(time.time()) + 3600,
            records=batch,
            sign=self._keys[agency].sign,
        )
        return Batch(body, tuple(batch))

    def _issues(self, size: int) -> Batch:
        made = [records.issue(type=1, type_version=1, commitment=secrets.token_bytes(32)) for _ in range(size)]
        return self._signed(ISSUER, made)

    def _grants(self, size: int) -> Batch:
        handles = [secrets.token_bytes(32) for _ in range(size)]
        self._unused.extend((handle, USES) for handle in handles)
        not_after = int(time.time()) + 29 * DAY
        made = [
            records.grant(
                handle=handle,
                matter=1,
                version=1,
                masks=[0b11111],
                not_after=not_after,
                uses=USES,
                consent_digest=secrets.token_bytes(32),
            )
            for handle in handles
        ]
        return self._signed(HOME, made)

    def _usages(self, size: int) -> Batch:
        made = []
        for _ in range(size):
            handle, left = self._unused.popleft()
            if left > 1:
                self._unused.append((handle, left - 1))
            made.append(
                records.usage(
                    handle=handle, matter=1, version=1, masks=[0b1111], context_digest=secrets.token_bytes(32)
                )
            )
        return self._signed(ASKER, made)

    def batches(self, count: int, size: int) -> list[Batch]:
        """`count` records in batches of `size`, to be submitted about in this order."""
        turns = (self._issues, self._grants, self._usages, self._usages)
        return [turns[at % 4](size) for at in range(max(1, count // size))]

    def submit(self, batch: Batch) -> None:
        """Until it is durable; raises `Refused`."""
        done = self.engine.submit(batch.body).result()
        if done.refused:
            raise Refused(str(done.refused))

    def submit_all(self, batches: Sequence[Batch], submitters: int) -> float:
        """Seconds until all are durable, each submitter waiting for one before it sends another."""
        if submitters == 1:
            start = time.perf_counter()
            for batch in batches:
                self.submit(batch)
            return time.perf_counter() - start
        with ThreadPoolExecutor(submitters) as pool:
            start = time.perf_counter()
            list(pool.map(self.submit, batches))
            return time.perf_counter() - start

    def reader(self) -> Reader:
        return Reader(self.directory, CHECKPOINT_VERIFIER)
