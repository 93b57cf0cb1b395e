"""The embedded ledger: appends, proofs, state map, storage, rebuilding, and proofs at the size of real evidence chains.

Everything the ledger adds to bare SQLite (signatures, rules, state, tree, tiles, indexes, state map, checkpoints) is in
the ratios. Signing transactions is the submitters' work and done beforehand. The largest ledger is filled once and
serves every figure of its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import Figure, Progress
from bench.measuring import appends, giants, logs, maps


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int
    """Turns of each case of appends; medians count."""
    records: int
    """Of a round, in the cases with large batches."""
    leaves: tuple[int, ...]
    keys: tuple[int, ...]
    samples: int
    giants: tuple[int, ...] = (180_000_000, 2_000_000_000)


SIZES = {
    "full": Size(rounds=5, records=40_960, leaves=(10_000, 1_000_000), keys=(10_000, 1_000_000), samples=2000),
    "small": Size(rounds=3, records=8192, leaves=(10_000, 50_000), keys=(10_000, 50_000), samples=500),
    "tiny": Size(rounds=1, records=64, leaves=(300, 1200), keys=(100, 600), samples=20),
}
STEPS = appends.STEPS + 2 + 2 + 2 + 1


def measure(size: Size, folder: Path, progress: Progress) -> dict[str, Figure]:
    figures = appends.measure(folder / "appends", rounds=size.rounds, records=size.records, progress=progress)
    bytes_a_record = 0.0
    for leaves in size.leaves:
        largest = leaves == size.leaves[-1]
        directory = folder / f"log-{leaves}"
        progress.step(f"a ledger of {leaves:,} entries")
        entries, filled = logs.filling(directory, leaves, progress)
        figures |= logs.receipts(directory, leaves, samples=size.samples, aimed=largest)
        if largest:
            figures |= filled | logs.storage(directory, entries)
            bytes_a_record = figures["bytes a record on disk"].value
            figures |= logs.rebuilding(directory, folder, entries, progress)
    for keys in size.keys:
        progress.step(f"a state map of {keys:,} keys")
        figures |= maps.measure(folder / f"map-{keys}", keys, samples=size.samples, part=progress.part)
    progress.step("proofs at the size of real chains")
    for giant in size.giants:
        figures |= giants.measure(giant, samples=max(5, size.samples // 10), bytes_a_record=bytes_a_record)
    return figures
