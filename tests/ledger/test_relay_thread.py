"""The relay as the serving process runs it: one thread that writes, a few that tell, many that wait."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_many_threads_wait_for_one_relay(tmp_path: Path) -> None:
    environment = os.environ | {
        "GOVCHAIN_DATA": str(tmp_path),
        "GOVCHAIN_ENV": "test",
        "DJANGO_SETTINGS_MODULE": "gov_chain.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.serving"],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "states": ["final"] * 40,
        "told": 40,
        "threads": ["ledger-outcome"],
        "nested": ["final"],
        "undone": 0,
    }
