"""The wallet's own unit tests (node:test), so that one command runs everything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.wallet.node import WALLET, node

MODULES = sorted((WALLET / "test").glob("*.test.mjs"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_wallet_module(module: Path) -> None:
    command = [node(), "--test", str(module)]
    done = subprocess.run(command, check=False, cwd=WALLET, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
