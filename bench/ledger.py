"""The embedded ledger against bare SQLite: durable records a second, proof latency, bytes a record.

The peer inserts rows of the same size into one table of a bare SQLite file, with the same journal mode and one fsync
for as many rows as the ledger has under one: everything the ledger adds (signatures, rules, state, tree, tiles,
indexes, checkpoints) is in the ratio. Records are certificate anchors (`issue`), so each writes state too.
Signing transactions is the submitters' work and done beforehand.
"""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import Figure, Progress
from gov_chain.ledger import founding, store
from gov_chain.ledger.core import note, receipt, records, transaction
from gov_chain.ledger.core.genesis import FoundingAgency, Genesis
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader

STEPS = 6
SUBMITTERS = 64
SINGLES = 3000
IN_64 = 64 * 200
IN_1024 = 1024 * 40
PROOFS = 1000
ROW = 120
"""Bytes of the peer's rows: about an entry's."""


@dataclass
class Bench:
    """A ledger of one agency in a directory of its own."""

    directory: Path

    def __post_init__(self) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(sha256(b"bench agency").digest())
        checkpoint_key = Ed25519PrivateKey.from_private_bytes(sha256(b"bench checkpoint").digest())
        self.verifier = note.Verifier("bench.example", checkpoint_key.public_key().public_bytes_raw())
        agency = FoundingAgency(
            number=1,
            ledger_key=self.key.public_key().public_bytes_raw(),
            issue_key=bytes(33),
            request_key=bytes(33),
            profile_digest=bytes(32),
        )
        genesis = Genesis(
            agencies=(agency,),
            accreditations=((1, 1),),
            checkpoint_key=self.verifier.public_key,
            created=int(time.time()),
        )
        sign = checkpoint_key.sign
        self.ledger_id = founding.found(self.directory, genesis, origin=self.verifier.name, sign=sign)
        self.engine = Embedded(self.directory, verifier=self.verifier, sign=sign)
        self.sequence = 0
        self.submit(self.signed([records.type_(type=1, version=1, digest=bytes(32), grades=[1])]))

    def signed(self, batch: list[bytes]) -> bytes:
        self.sequence += 1
        return transaction.build(
            ledger_id=self.ledger_id,
            agency=1,
            key_no=1,
            sequence=self.sequence,
            valid_until=int(time.time()) + 3600,
            records=batch,
            sign=self.key.sign,
        )

    def batches(self, count: int, size: int) -> list[bytes]:
        return [
            self.signed(
                [records.issue(type=1, type_version=1, commitment=secrets.token_bytes(32)) for _ in range(size)]
            )
            for _ in range(count // size)
        ]

    def submit(self, body: bytes) -> None:
        self.engine.submit(body).result()

    def size_on_disk(self) -> int:
        """After SQLite's log was folded into the file."""
        self.engine.close()
        return (self.directory / store.FILE).stat().st_size


def rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def bare(path: Path, count: int, size: int) -> float:
    """Rows a second of plain SQLite: `size` rows, one fsync, again."""
    rows = [(secrets.token_bytes(ROW),) for _ in range(size)]
    with closing(store.open_writing(path, existing=False)) as connection:
        connection.execute("CREATE TABLE rows (idx INTEGER PRIMARY KEY, body BLOB NOT NULL)")

        def work() -> None:
            for _ in range(count // size):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO rows (body) VALUES (?)", rows)
                connection.execute("COMMIT")

        return rate(count, work)


def bare_threads(path: Path, count: int) -> float:
    """Single appends by many threads on plain SQLite: each its own transaction and fsync, as an application does."""
    with closing(store.open_writing(path, existing=False)) as connection:
        connection.execute("CREATE TABLE rows (idx INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    body = secrets.token_bytes(ROW)

    def append(times: int) -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as own:
            own.execute("PRAGMA synchronous = FULL")
            for _ in range(times):
                own.execute("INSERT INTO rows (body) VALUES (?)", (body,))

    with ThreadPoolExecutor(8) as pool:
        return rate(count, lambda: list(pool.map(append, [count // 8] * 8)))


def measure(progress: Progress) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="govchain-bench-", dir=".") as scratch:
        folder = Path(scratch)
        progress("single appends")
        bench = Bench(folder / "singles")
        bodies = bench.batches(SINGLES, 1)
        with ThreadPoolExecutor(SUBMITTERS) as pool:
            singles = rate(SINGLES, lambda: list(pool.map(bench.submit, bodies)))
        bench.engine.close()
        peer = bare_threads(folder / "bare-1", SINGLES)
        figures["records/s, batch 1, group commit"] = Figure(
            singles, "records/s", peer, ">= 1,000 records/s", singles >= 1000
        )

        progress("batches of 64")
        bench = Bench(folder / "in-64")
        value = in_batches(bench, IN_64, 64)
        figures["records/s, batch 64"] = Figure(value, "records/s", bare(folder / "bare-64", IN_64, 64))
        bench.engine.close()

        progress("batches of 1024")
        bench = Bench(folder / "in-1024")
        before = (bench.directory / store.FILE).stat().st_size
        value = in_batches(bench, IN_1024, 1024)
        peer = bare(folder / "bare-1024", IN_1024, 1024)
        figures["records/s, batch 1024"] = Figure(
            value, "records/s", peer, ">= 0.10 of bare SQLite", value >= peer * 0.1
        )

        progress("bytes a record")
        size = (bench.size_on_disk() - before) / IN_1024
        figures["bytes a record on disk"] = Figure(size, "bytes", float(ROW), "<= 600 bytes", size <= 600)

        progress("proofs at 10,000 leaves")
        figures |= proofs(folder / "proofs", 10_000)
        progress("done")
    return figures


def in_batches(bench: Bench, count: int, size: int) -> float:
    """A few batches in flight, as the relay keeps them."""
    bodies = bench.batches(count, size)

    def work() -> None:
        for future in [bench.engine.submit(body) for body in bodies]:
            future.result()

    return rate(count, work)


def proofs(directory: Path, leaves: int) -> dict[str, Figure]:
    bench = Bench(directory)
    for body in bench.batches(leaves, 1000):
        bench.submit(body)
    reader = Reader(directory, bench.verifier)
    with closing(store.open_reading(directory / store.FILE)) as connection:
        plain = latencies(
            lambda index: connection.execute("SELECT body FROM entries WHERE idx = ?", (index,)).fetchone()
        )
    made = latencies(reader.receipt)
    texts = {index: reader.receipt(index) for index in range(1, leaves, leaves // 100)}
    checked = sorted(timed(lambda text=text: receipt.verify(text, reader.vkey)) for text in texts.values())  # type: ignore[misc]
    bench.engine.close()
    reader.close()
    p50, p99 = made[len(made) // 2], made[len(made) * 99 // 100]
    return {
        "receipt p50 at 10k leaves": Figure(p50, "ms", plain[len(plain) // 2]),
        "receipt p99 at 10k leaves": Figure(p99, "ms", plain[len(plain) * 99 // 100], "< 20 ms", p99 < 20),
        "receipt verification p50": Figure(checked[len(checked) // 2], "ms"),
    }


def latencies(ask: Callable[[int], object]) -> list[float]:
    return sorted(timed(lambda: ask(secrets.randbelow(10_000))) for _ in range(PROOFS))


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
