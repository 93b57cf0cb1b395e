"""Durable records a second, beside bare SQLite and Tessera's POSIX log doing the same.

SQLite inserts the same records, a transaction and an fsync a batch: their bytes alone, and then with the indexes and
the state an application would keep of them. Tessera takes the same records as entries, with as
many submitters. All take turns, several rounds, and medians are compared: a machine's noise falls on each alike.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import Figure, Progress
from bench.measuring.town import Town
from bench.peers import tessera_log
from bench.peers.sqlite import Bare, Indexed
from bench.peers.tessera_log import Tessera

AIM_SINGLES = 1000
AIM_SHARE = 0.1
AIM_BATCH = 1024
STRETCH = 100_000
TESSERA_BATCHES = 64
"""Batches a submitter: for so many it takes seconds."""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    size: int
    submitters: int
    share: float
    """Of the records a round has."""
    bare_size: int
    """Rows under one fsync of bare SQLite."""


CASES = (
    Case("single", 1, 1, 0.01, 1),
    Case("single, 64 submitters", 1, 64, 0.05, 1),
    Case("batches of 64", 64, 1, 0.5, 64),
    Case("batches of 1,024", 1024, 1, 1.0, 1024),
    Case("batches of 1,024, 8 in flight", 1024, 8, 1.0, 8192),
)
STEPS = len(CASES)
RUNS = 4
"""Of a round: the ledger and its peers."""


def measure(folder: Path, *, rounds: int, records: int, progress: Progress) -> dict[str, Figure]:
    """`records` a round."""
    try:
        tessera, why = tessera_log.build(), ""
    except tessera_log.Absent as reason:
        tessera, why = None, f"peer absent: {reason}"
    figures: dict[str, Figure] = {}
    best = 0.0
    for case in CASES:
        progress.step(f"records/s, {case.name}")
        place = folder / case.name.replace(" ", "-")
        rates = Rates([], [], [], [], [], [])
        for at, _ in enumerate(_measured(rates, place, case, rounds=rounds, records=records, tessera=tessera), 1):
            progress.part(at / (RUNS * rounds))
        ours, bare = median(rates.ledger), median(rates.bare)
        theirs = median(rates.tessera) if rates.tessera else None
        best = max(best, ours)
        figures[f"records/s, {case.name}"] = _against_sqlite(case, ours, bare)
        figures[f"records/s, {case.name} (indexed)"] = Figure(
            ours, "records/s", median(rates.indexed), note="peer: bare SQLite, with the indexes and the state"
        )
        if case.size == AIM_BATCH and case.submitters == 1:
            figures[f"CPU a record, {case.name}"] = Figure(
                median(rates.ledger_cpu), "µs/record", median(rates.bare_cpu), note="peer: bare SQLite"
            )
        figures[f"records/s, {case.name} (Tessera)"] = Figure(
            ours, "records/s", theirs, note=why or "peer: Tessera's POSIX log, integrated and published"
        )
    figures["stretch: records/s embedded"] = Figure(
        best,
        "records/s",
        STRETCH,
        f"{STRETCH:,} records/s",
        best >= STRETCH,
        "peer: the stretch, so ratio is the factor",
    )
    return figures


def _against_sqlite(case: Case, ours: float, bare: float) -> Figure:
    aim, ok = "", None
    if case.size == 1 and case.submitters > 1:
        aim, ok = f">= {AIM_SINGLES:,} records/s", ours >= AIM_SINGLES
    elif case.size == AIM_BATCH and case.submitters == 1:
        aim, ok = f">= {AIM_SHARE:.2f} of bare SQLite", ours >= bare * AIM_SHARE
    rows = "a row" if case.bare_size == 1 else f"{case.bare_size:,} rows"
    return Figure(ours, "records/s", bare, aim, ok, f"peer: bare SQLite, {rows} an fsync")


@dataclass(frozen=True, slots=True)
class Rates:
    """Records a second, a round each."""

    ledger: list[float]
    bare: list[float]
    indexed: list[float]
    tessera: list[float]
    ledger_cpu: list[float]
    """Microseconds a record."""
    bare_cpu: list[float]


def _measured(
    rates: Rates, folder: Path, case: Case, *, rounds: int, records: int, tessera: Tessera | None
) -> Iterator[None]:
    """Fills `rates`; one step a run."""
    count = max(4 * case.size * case.submitters, int(records * case.share))
    town = Town(folder / "ledger", used=max(256, case.size * case.submitters))
    bare = Bare(folder / "bare.sqlite3")
    indexed = Indexed(folder / "indexed.sqlite3")
    for turn in range(rounds):
        batches = town.batches(count, case.size)
        flat = [record for batch in batches for record in batch.records]
        grouped = _cut(flat, case.bare_size)
        start = time.process_time()
        rates.ledger.append(len(flat) / town.submit_all(batches, case.submitters))
        rates.ledger_cpu.append((time.process_time() - start) / len(flat) * 1e6)
        yield
        start = time.process_time()
        rates.bare.append(len(flat) / bare.insert_all(grouped))
        rates.bare_cpu.append((time.process_time() - start) / len(flat) * 1e6)
        yield
        rates.indexed.append(len(flat) / indexed.insert_all(grouped))
        yield
        if tessera is not None:
            few = flat[: TESSERA_BATCHES * case.size * case.submitters]
            place = folder / f"tessera-{turn}"
            took = tessera.append_all(place, few, submitters=case.submitters, batch=case.size)
            rates.tessera.append(len(few) / took)
            shutil.rmtree(place)
        yield
    town.engine.close()
    bare.close()
    indexed.close()


def _cut(flat: list[bytes], size: int) -> list[list[bytes]]:
    return [flat[at : at + size] for at in range(0, len(flat), size)]
