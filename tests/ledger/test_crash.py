"""kill -9 in the middle of appending: what was acknowledged is there, what is there is whole (threats.md I1, I2)."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gov_chain.ledger import fsck
from gov_chain.ledger.core import receipt
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader
from tests.ledger.town import PSB, VERIFIER, Town, issue_record, secret_key

APPENDER = """
import sys
from pathlib import Path
from tests.ledger.town import PSB, Town, issue_record
town = Town(Path(sys.argv[1]))
town.register()
while True:
    bodies = [town.signed(PSB, *(issue_record() for _ in range(20))) for _ in range(4)]
    for done in [town.engine.submit(body) for body in bodies]:
        print(done.result().positions[-1], flush=True)
"""


@pytest.mark.parametrize("round_", range(5))
def test_a_killed_sequencer_loses_nothing_it_acknowledged(tmp_path: Path, round_: int) -> None:
    directory = tmp_path / "ledger"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(directory)], stdout=subprocess.PIPE, cwd=root, text=True
    ) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(random.Random(round_).randrange(5, 60))]
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout.read().split("\n")[:-1]]
    engine = Embedded(directory, verifier=VERIFIER, sign=secret_key(0).sign)
    reader = Reader(directory, VERIFIER)
    for index in acknowledged:
        assert receipt.verify(reader.receipt(index), VERIFIER.vkey).kind == "issue"
    engine.close()
    assert fsck.check(directory, vkey=VERIFIER.vkey).findings == []


def test_a_restored_backup_that_lost_entries_is_told_by_its_receipts(town: Town) -> None:
    """The receipt proves a longer log than the copy holds."""
    town.register()
    town.engine.close()
    old = (town.directory / "ledger.sqlite3").read_bytes()
    town.open()
    town.submit(PSB, issue_record())
    later = town.reader.receipt(town.reader.size - 1)
    town.engine.close()
    town.reader.close()
    (town.directory / "ledger.sqlite3").write_bytes(old)
    found = receipt.verify(later, VERIFIER.vkey)
    restored = Reader(town.directory, VERIFIER)
    assert found.size > restored.size
    with pytest.raises(LedgerError, match="entry-unknown"):
        restored.consistency(restored.size, found.size)
