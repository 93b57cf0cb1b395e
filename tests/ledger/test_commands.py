"""`govchain ledger …` through the real command line: exit statuses and JSON."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from gov_chain import cli
from gov_chain.ledger import node, relay, store
from gov_chain.ledger.core import cosignature, receipt
from gov_chain.ledger.reader import Reader
from tests.ledger.town import DIGEST, VERIFIER, Town


def run(*args: str) -> int:
    return cli.main(["ledger", *args])


def json_of(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    status = run(*args, "--json")
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def proof(town: Town, tmp_path: Path) -> Path:
    town.register()
    file = tmp_path / "type.tlog-proof"
    file.write_text(town.reader.receipt(2))
    return file


def test_verify_says_valid(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", str(proof), "--vkey", VERIFIER.vkey) == 0
    assert "valid" in capsys.readouterr().out
    status, told = json_of(capsys, "verify", str(proof), "--vkey", VERIFIER.vkey)
    assert (status, told["result"], told["proven"]["kind"]) == (0, "valid", "type")
    assert told["proven"]["values"]["digest"] == DIGEST.hex()


def test_verify_says_invalid(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof.write_text(proof.read_text().replace("index 2", "index 3"))
    status, told = json_of(capsys, "verify", str(proof), "--vkey", VERIFIER.vkey)
    assert (status, told["result"], told["code"]) == (1, "invalid", "proof-wrong")
    proof.write_bytes(b"\xff\xfe")
    assert run("verify", str(proof), "--vkey", VERIFIER.vkey) == 1


def test_verify_says_undetermined(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", str(proof), "--vkey", "nonsense") == 2
    assert run("verify", str(proof.parent / "missing"), "--vkey", VERIFIER.vkey) == 2
    proof.write_text(proof.read_text().replace("proof@v1", "proof@v7"))
    capsys.readouterr()
    status, told = json_of(capsys, "verify", str(proof), "--vkey", VERIFIER.vkey)
    assert (status, told["result"]) == (2, "undetermined")


def test_fsck_of_a_sound_and_of_an_altered_ledger(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    town.register()
    town.engine.close()
    data = str(town.directory.parent)
    assert json_of(capsys, "fsck", "--data", data)[0] == 0
    assert run("fsck", "--data", str(town.directory)) == 0
    with sqlite3.connect(town.directory / store.FILE) as connection:
        connection.execute("UPDATE entries SET bodies = zeroblob(9) WHERE first = 1")
    capsys.readouterr()
    status, told = json_of(capsys, "fsck", "--data", data, "--vkey", VERIFIER.vkey)
    assert (status, told["ok"]) == (1, False)
    assert {each["where"] for each in told["findings"] if each["kind"] == "entry"} == {"1"}


def test_fsck_without_a_ledger_is_not_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = json_of(capsys, "fsck", "--data", str(tmp_path))
    assert (status, told["error"]["code"]) == (1, "ledger-missing")


def test_state_is_proven_and_verified(own_node: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = json_of(capsys, "prove", "--state", "a:0001")
    assert status == 0
    file = tmp_path / "agency.state-proof"
    file.write_text(told["proof"])
    status, verdict = json_of(capsys, "verify", str(file), "--vkey", told["vkey"])
    assert (status, verdict["proven"]["key"], verdict["proven"]["size"]) == (0, "610001", 1)
    assert run("prove", "--state", "g:" + "00" * 32, "--at", "1") == 0
    file.write_text(capsys.readouterr().out)
    assert run("verify", str(file), "--vkey", told["vkey"]) == 0
    assert "absent" in capsys.readouterr().out
    file.write_text(told["proof"].replace("value", "absent", 1))
    assert run("verify", str(file), "--vkey", told["vkey"]) == 1
    for key in ("a:zz", "i:" + "00" * 32, "x"):
        assert run("prove", "--state", key) != 0


def test_prove_prints_receipts(own_node: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prove", "0") == 0
    assert receipt.verify(capsys.readouterr().out, own_node.vkey).kind == "genesis"
    status, told = json_of(capsys, "prove", "0")
    assert (status, told["vkey"], len(told["receipts"])) == (0, own_node.vkey, 1)
    assert json_of(capsys, "prove", "7")[1]["error"]["code"] == "entry-unknown"
    assert json_of(capsys, "prove", "--handle", "00ff")[1]["error"]["code"] == "grant-unknown"
    assert json_of(capsys, "prove", "--handle", "zz")[1]["error"]["code"] == "query-invalid"


def test_vkey_tail_and_stats_read_the_node(own_node: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    assert json_of(capsys, "vkey")[1]["vkey"] == own_node.vkey
    assert [row["name"] for row in json_of(capsys, "tail")[1]["rows"]] == ["genesis"]
    assert json_of(capsys, "tail", "--kind", "usage")[1]["rows"] == []
    assert json_of(capsys, "tail", "--kind", "nothing")[1]["error"]["code"] == "kind-unknown"
    told = json_of(capsys, "stats")[1]
    assert told["kinds"] == {"genesis": 1}
    assert told["outbox"] == {"waiting": 0, "aside": 0}
    for command in ("vkey", "tail", "stats"):
        assert run(command) == 0
        assert capsys.readouterr().out


def test_reading_commands_work_while_another_process_writes(own_node: Reader) -> None:
    node.engine()
    assert run("stats") == 0
    assert node.directory() == Path(settings.GOVCHAIN.data) / "ledger"
    relay.stop()


def test_a_copy_needs_neither_keys_nor_database(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    town.register()
    for data in (town.directory, town.directory.parent):
        assert json_of(capsys, "vkey", "--data", str(data))[1]["vkey"] == VERIFIER.vkey
        told = json_of(capsys, "stats", "--data", str(data))[1]
        assert (told["size"], told["kinds"]["matter"]) == (7, 1)
        assert "outbox" not in told


def test_export_and_import_move_a_ledger(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town.register()
    file, there = str(tmp_path / "moved"), str(tmp_path / "there")
    status, told = json_of(capsys, "export", "--data", str(town.directory), "--out", file)
    assert (status, told["size"], told["vkey"]) == (0, 7, VERIFIER.vkey)
    assert json_of(capsys, "export", "--data", str(town.directory), "--out", file)[1]["error"]["code"] == "file-exists"
    assert json_of(capsys, "import", file, "--data", there, "--vkey", VERIFIER.vkey) == (0, told)
    assert json_of(capsys, "import", file, "--data", there)[1]["error"]["code"] == "ledger-founded-already"
    assert run("fsck", "--data", there) == 0


def test_serving_a_copy_under_another_key_is_refused(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = VERIFIER.__class__(VERIFIER.name, bytes(32)).vkey
    status, told = json_of(capsys, "serve", "--data", str(town.directory), "--port", "0", "--vkey", stranger)
    assert (status, told["error"]["code"]) == (1, "note-unsigned")


def test_a_witness_says_its_key_and_what_it_sees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "w"), "--json"]
    assert cli.main(["witness", *data]) == 0
    vkey = json.loads(capsys.readouterr().out)["vkey"]
    assert cosignature.parse_vkey(vkey).vkey == vkey
    assert cli.main(["witness", "--port", "0", *data]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "witness-log-missing"
    nobody = ["--watch", "http://127.0.0.1:9/ledger/", "--once", "--log", VERIFIER.vkey]
    assert cli.main(["witness", *nobody, *data]) == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["sight"] == "unreadable"
