"""Long jobs in a process of their own, so that peak memory is theirs: `python -m bench.measuring.child JOB …`.

While it works a job prints its share done, a line each, and at last the object that `Done` is.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measuring.town import Town
from gov_chain.ledger import fsck, transfer

BATCH = 4096
LATE_BATCH = 1024
LATE = 16
"""Batches of that size, at most."""

Result = dict[str, float | int]
"""Of `Done`, all but the peak."""


@dataclass(frozen=True, slots=True)
class Done:
    seconds: float
    peak: float
    """MiB."""
    entries: int
    rate: float = 0
    """Records a second."""
    late: float = 0
    """Records a second in batches of `LATE_BATCH`, once the ledger was filled."""


def run(job: str, *arguments: object, part: Callable[[float], None]) -> Done:
    """Raises `CalledProcessError` when the job fails."""
    command = [sys.executable, "-m", "bench.measuring.child", job, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - this module
        assert child.stdout is not None
        line = ""
        for line in child.stdout:
            if not line.startswith("{"):
                part(float(line))
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    result: Done = Done(**json.loads(line))
    return result


def fill(directory: str, count: str) -> Result:
    """A ledger of at least `count` entries, in the largest batches there are; if it is large, then smaller ones."""
    wanted = int(count)
    batch = min(BATCH, max(1, wanted // 8))
    late = min(LATE, wanted // (4 * LATE_BATCH) // 4 * 4)
    town = Town(Path(directory), used=max(batch, late and 2 * LATE_BATCH))
    reader = town.reader()
    records, spent = 0, 0.0
    while (size := reader.size) < wanted:
        _part(size, wanted)
        batches = town.batches(4 * batch, batch)
        spent += town.submit_all(batches, 1)
        records += 4 * batch
    result: Result = {"seconds": spent, "rate": records / spent}
    if late:
        batches = town.batches(late * LATE_BATCH, LATE_BATCH)
        result["late"] = late * LATE_BATCH / town.submit_all(batches, 1)
    town.engine.close()
    return result | {"entries": reader.size}


def check(directory: str, count: str) -> Result:
    start = time.perf_counter()
    report = fsck.check(Path(directory), progress=lambda done, _total: _part(done, int(count)))
    if not report.ok:
        raise SystemExit(fsck.describe(report))
    return {"seconds": time.perf_counter() - start, "entries": report.entries}


def rebuild(file: str, directory: str, count: str) -> Result:
    """From an exported file; ends with an fsck of what was made."""
    start = time.perf_counter()
    size = transfer.import_(Path(file), Path(directory), progress=lambda done: _part(done, int(count)))
    return {"seconds": time.perf_counter() - start, "entries": size}


JOBS: dict[str, Callable[..., Result]] = {"fill": fill, "check": check, "rebuild": rebuild}


def _part(done: int, total: int) -> None:
    print(min(1.0, done / total), flush=True)  # noqa: T201 - the parent reads it


def _peak() -> float:
    """MiB. `ru_maxrss` would do, had Linux not counted in it what the parent held when it started this process."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    job, *arguments = sys.argv[1:]
    result = JOBS[job](*arguments)
    print(json.dumps(result | {"peak": _peak()}))  # noqa: T201


if __name__ == "__main__":
    main()
