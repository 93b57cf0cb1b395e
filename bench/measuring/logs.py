"""A whole ledger of some size: receipts from it, what it takes on disk, checking it, and making it anew elsewhere."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from bench import Figure, Progress
from bench.measuring import child
from bench.measuring.timing import latencies, quantile
from bench.measuring.town import CHECKPOINT_VERIFIER
from gov_chain.ledger import store, transfer
from gov_chain.ledger.core import receipt
from gov_chain.ledger.reader import Reader

AIM_PROOF = 20
"""Milliseconds."""
AIM_BYTES = 600
PARTS = {
    "entries": ("entries",),
    "indexes": ("kinds", "entries_agency", "handles", "transactions"),
    "tiles": ("tiles",),
    "state": ("state", "history"),
    "state map": ("map", "map_deep"),
    "way back for 1,024 checkpoints": ("map_undo",),
}


def receipts(directory: Path, leaves: int, *, samples: int, aimed: bool) -> dict[str, Figure]:
    """Latency of making one from the file, beside reading the entry alone; and of verifying one."""
    about = [secrets.randbelow(leaves) for _ in range(samples)]
    reader = Reader(directory, CHECKPOINT_VERIFIER)
    reader.receipt(0)  # a node that runs has its file open
    with closing(store.open_reading(directory / store.FILE)) as connection:
        plain = latencies(
            lambda index: connection.execute(
                "SELECT bodies FROM entries WHERE first <= ? ORDER BY first DESC LIMIT 1", (index,)
            ).fetchone(),
            about,
        )
    made = latencies(reader.receipt, about)
    checked = latencies(
        lambda text: receipt.verify(text, reader.vkey), [reader.receipt(index) for index in about[: samples // 4]]
    )
    p99 = quantile(made, 0.99)
    aim, ok = (f"< {AIM_PROOF} ms", p99 < AIM_PROOF) if aimed else ("", None)
    peer = "peer: SQLite reads the row it is in"
    return {
        f"receipt p50, {leaves:,} leaves": Figure(quantile(made, 0.5), "ms", quantile(plain, 0.5), note=peer),
        f"receipt p99, {leaves:,} leaves": Figure(p99, "ms", quantile(plain, 0.99), aim, ok, peer),
        f"receipt verified p50, {leaves:,} leaves": Figure(quantile(checked, 0.5), "ms"),
    }


def filling(directory: Path, leaves: int, progress: Progress) -> tuple[int, dict[str, Figure]]:
    done = child.run("fill", directory, leaves, part=progress.part)
    figures = {
        f"records/s while filling {leaves:,}": Figure(done.rate, "records/s", note="batches of 4,096"),
        f"peak memory, sequencer at {leaves:,}": Figure(done.peak, "MiB"),
    }
    if done.late:
        figures[f"records/s at {leaves:,} entries"] = Figure(done.late, "records/s", note="batches of 1,024")
    return done.entries, figures


def storage(directory: Path, entries: int) -> dict[str, Figure]:
    """Bytes a record, all told, and of what."""
    file = directory / store.FILE
    size = file.stat().st_size / entries
    figures = {
        "bytes a record on disk": Figure(
            size, "bytes", None, f"<= {AIM_BYTES} bytes", size <= AIM_BYTES, "state included"
        )
    }
    with closing(store.open_reading(file)) as connection:
        bodies = connection.execute("SELECT sum(length(bodies)) FROM entries").fetchone()[0] / entries - 2
        figures["bytes a record, the entry itself"] = Figure(bodies, "bytes")
        try:
            pages = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        except sqlite3.OperationalError:  # this SQLite was built without dbstat
            return figures
    for part, tables in PARTS.items():
        taken = sum(pages.get(table, 0) for table in tables) / entries
        figures[f"bytes a record, {part}"] = Figure(taken, "bytes")
    return figures


def rebuilding(directory: Path, folder: Path, entries: int, progress: Progress) -> dict[str, Figure]:
    """fsck of the ledger; export, and import elsewhere."""
    progress.step(f"fsck of {entries:,}")
    checked = child.run("check", directory, entries, part=progress.part)
    progress.step(f"import of {entries:,}")
    file = folder / "exported"
    transfer.export(directory, file)
    exported = file.stat().st_size / entries
    rebuilt = child.run("rebuild", file, folder / "elsewhere", entries, part=progress.part)
    return {
        f"fsck of {entries:,} entries": Figure(checked.seconds, "s"),
        "fsck, entries/s": Figure(entries / checked.seconds, "entries/s"),
        f"fsck of {entries:,}, peak memory": Figure(checked.peak, "MiB"),
        f"import of {entries:,} entries": Figure(rebuilt.seconds, "s", note="every transaction again, then fsck"),
        f"import of {entries:,}, peak memory": Figure(rebuilt.peak, "MiB"),
        "exported, bytes a record": Figure(exported, "bytes"),
    }
