"""The guide's examples run as printed, with nothing but what the guide says they need."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vectors import quorum, receipts
from tests.wallet.node import WALLET, node

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guides" / "integrator.md").read_text()
PUBLISHED = json.loads(receipts.FILE.read_text())
USAGE = next(each for each in PUBLISHED["genuine"] if each["kind"] == "usage")

# Whatever is neither in the standard library nor named by the guide does not exist for this process.
ALONE = """
import sys
from importlib.abc import MetaPathFinder
ALLOWED = {"gov_chain", "cryptography", "cbor2", "_cbor2", "_cffi_backend", *MORE}
class Only(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in ALLOWED and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Only())
"""


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ledger.vkey").write_text(PUBLISHED["vkey"] + "\n")
    (tmp_path / "12.tlog-proof").write_text(USAGE["receipt"])
    return tmp_path


def run_python(source: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"MORE = {more!r}\n{ALONE}{source}"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def run_js(folder: Path, module: str = "receipt.js", language: str = "js") -> subprocess.CompletedProcess[str]:
    (folder / module).write_bytes((WALLET / "dist" / module).read_bytes())
    (folder / "example.mjs").write_text(example(language))
    (folder / "package.json").write_text('{"type": "module"}')
    command = [node(), "example.mjs"]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_python_example_needs_cryptography_and_cbor2_alone(folder: Path) -> None:
    done = run_python(example("python"), folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage {USAGE['index']} {USAGE['agency']} {USAGE['time']} {{'handle': b")


def test_the_js_example_needs_the_built_module_alone(folder: Path) -> None:
    done = run_js(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage {USAGE['index']} {USAGE['agency']} {USAGE['time']} {{")


@pytest.fixture
def consortium(tmp_path: Path) -> Path:
    published = json.loads(quorum.FILE.read_text())
    (tmp_path / "quorum.vkey").write_text(published["vkey"] + "\n")
    (tmp_path / "validators.json").write_text(json.dumps({"sets": published["sets"]}))
    (tmp_path / "12.tlog-proof").write_text(published["certified"][-1]["receipt"])
    return tmp_path


def test_the_quorum_examples_need_one_library_and_one_module(consortium: Path) -> None:
    last = json.loads(quorum.FILE.read_text())["certified"][-1]
    done = run_python(example("python quorum"), consortium, "py_arkworks_bls12381")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{last['kind']} {last['index']} True\n"
    done = run_js(consortium, "quorum.js", "js quorum")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{last['kind']} {last['index']} true\n"


def test_the_quorum_examples_fail_without_a_certificate(consortium: Path) -> None:
    (consortium / "12.tlog-proof").write_text(json.loads(quorum.FILE.read_text())["final"][0]["receipt"])
    assert "quorum-missing" in run_python(example("python quorum"), consortium, "py_arkworks_bls12381").stderr
    assert "quorum-missing" in run_js(consortium, "quorum.js", "js quorum").stderr


def test_both_fail_on_a_spoilt_receipt(folder: Path) -> None:
    (folder / "12.tlog-proof").write_text(USAGE["receipt"].replace(f"index {USAGE['index']}", "index 0"))
    assert "LedgerError: proof-wrong" in run_python(example("python"), folder).stderr
    assert "inclusion-wrong" in run_js(folder).stderr


def test_the_block_is_a_block(folder: Path) -> None:
    for name in ("django", "rfc8785", "pydantic"):
        assert "ModuleNotFoundError" in run_python(f"import {name}", folder).stderr


def test_examples_are_as_short_as_the_guide_promises() -> None:
    for language in ("python", "js"):
        assert len([line for line in example(language).splitlines() if line]) <= 6
