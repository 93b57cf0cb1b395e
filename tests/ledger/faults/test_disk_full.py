"""A disk that is really full: a small tmpfs, mounted in a namespace of the child's own, so that nobody needs root."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNSHARE = ["unshare", "--map-root-user", "--mount"]

CHILD = """
import json, subprocess, sys
from pathlib import Path
from gov_chain.ledger import fsck
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.town import PSB, VERIFIER, Town, issue_record
disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "govchain", disk], check=True)
town = Town(disk / "ledger")
town.register()
acknowledged, refused = [], None
while refused is None:
    body = town.signed(PSB, *(issue_record() for _ in range(50)))
    try:
        acknowledged.append(town.engine.submit(body).result(30))
    except LedgerError as error:
        refused = error.code
again = [type(town.engine.submit(body).exception(30)).__name__ for _ in range(3)]
subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
done = town.engine.submit(body).result(30)
proven = [town.reader.receipt(each.first) for each in [*acknowledged, done]]
town.engine.close()
findings = [str(each) for each in fsck.check(disk / "ledger", vkey=VERIFIER.vkey).findings]
json.dump({"acknowledged": len(acknowledged), "refused": refused, "again": again, "findings": findings,
           "proven": len(proven), "whole": len(done.positions)}, sys.stdout)
"""


@pytest.mark.nightly
def test_a_full_disk_refuses_and_loses_nothing_and_room_is_enough_to_go_on(tmp_path: Path) -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets nobody mount")
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["acknowledged"] > 5
    assert (told["refused"], set(told["again"])) == ("sequencer-stopped", {"LedgerError"})
    assert (told["findings"], told["proven"], told["whole"]) == ([], told["acknowledged"] + 1, 50)
