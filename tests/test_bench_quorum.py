"""The bench of quorum certificates runs, tiny, and its object has the promised figures."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EACH = ("sign a share", "verify", "verify, first", "certificate", "verify in Chromium", "verify in Chromium, first")


def test_every_figure_is_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "quorum", "--size", "tiny", "--json", "--dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    browser = Path("/usr/bin/chromium").exists()
    wanted = {
        f"{count} validators: {name}" for count in (4, 21, 31) for name in EACH if browser or "Chromium" not in name
    }
    wanted |= {f"4 cosigners: commit to certificate {part}" for part in ("p50", "p95")}
    assert wanted <= figures.keys()
    assert figures["31 validators: certificate"]["value"] - figures["4 validators: certificate"]["value"] == 4
    assert list(tmp_path.iterdir()) == []
