"""The consortium's bench runs, tiny, and its object has the promised shape; how fast is for a quiet machine to tell."""

import json
import subprocess
import sys
from pathlib import Path

from tests.consortium.network import cometbft_binary

PROMISED = {
    **{f"records/s final, batches of {batch}": "records/s" for batch in ("1", "64", "1,024", "4,096")},
    "records/s final, batches of 64 (kvstore)": "records/s",
    "signed transactions/s final, batches of 1": "transactions/s",
    "CPU a record, batches of 1,024": "µs/record",
    "bytes a record, ledger": "bytes",
    "submit to final p95, 100 records/s": "ms",
    "submit to quorum receipt p95, 100 records/s": "ms",
    "recovery of a killed node": "s",
}


def test_every_promised_figure_is_measured_beside_its_peer(tmp_path: Path) -> None:
    cometbft_binary()
    command = [sys.executable, "-m", "bench", "consortium", "--size", "tiny", "--json", "--dir", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    figures = json.loads(told.stdout)
    for name, unit in PROMISED.items():
        assert figures[name]["unit"] == unit
        assert figures[name]["value"] > 0
    assert figures["records/s final, batches of 4,096"]["ratio"] > 0
    assert figures["records/s final, best"]["aim"] == ">= 35,531 records/s"
