"""A ledger moved by export and import: the same ledger, or none."""

import secrets
import shutil
import sqlite3
import struct
from hashlib import sha256
from pathlib import Path

import pytest

from gov_chain.core.errors import GovChainError
from gov_chain.ledger import fsck, store, transfer
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines.embedded import Embedded
from gov_chain.ledger.reader import Reader
from tests.ledger.town import PSB, STREET, VERIFIER, Town, issue_record, secret_key, usage_record

DERIVED = (
    "SELECT * FROM entries ORDER BY first",
    "SELECT * FROM kinds ORDER BY kind, first",
    "SELECT * FROM tiles ORDER BY place",
    "SELECT * FROM state ORDER BY key",
    "SELECT * FROM map ORDER BY place",
    "SELECT * FROM map_deep ORDER BY place",
    "SELECT * FROM map_undo ORDER BY size, part",
    "SELECT * FROM history ORDER BY key, idx",
    "SELECT * FROM handles ORDER BY handle, idx",
    "SELECT * FROM transactions ORDER BY header",
    "SELECT * FROM checkpoints ORDER BY size",
)


@pytest.fixture
def lived(town: Town) -> Town:
    """A ledger with refused records, grants, uses, and blocks of several transactions."""
    town.register()
    taken = secrets.token_bytes(32)
    town.submit(PSB, issue_record(taken), issue_record(), issue_record(taken), b"\x00")
    secret = town.grant()
    town.submit(STREET, usage_record(secret), usage_record(secret), usage_record(secret))
    futures = [town.engine.submit(town.signed(PSB, *(issue_record() for _ in range(40)))) for _ in range(12)]
    for each in futures:
        each.result(10)
    return town


@pytest.fixture
def exported(lived: Town, tmp_path: Path) -> Path:
    file = tmp_path / "ledger.export"
    assert transfer.export(lived.directory, file) == lived.reader.size
    return file


def refusal(file: Path, directory: Path, vkey: str = "") -> str:
    with pytest.raises(GovChainError) as caught:
        transfer.import_(file, directory, vkey=vkey)
    assert not (directory / store.FILE).exists()
    assert not (directory / transfer.DRAFT).exists()
    return caught.value.code


def rows(directory: Path) -> list[list[tuple[object, ...]]]:
    connection = sqlite3.connect(directory / store.FILE)
    try:
        return [connection.execute(query).fetchall() for query in DERIVED]
    finally:
        connection.close()


def sealed(data: bytes) -> bytes:
    """An export's bytes under a right checksum, whatever they say."""
    return data + struct.pack(">cI", b"Z", 32) + sha256(data).digest()


def items(data: bytes) -> list[tuple[bytes, bytes]]:
    at, found = len(transfer.FIRST_LINE), []
    while at < len(data):
        tag, length = struct.unpack_from(">cI", data, at)
        found.append((tag, data[at + 5 : at + 5 + length]))
        at += 5 + length
    return found[:-1]


def packed(these: list[tuple[bytes, bytes]]) -> bytes:
    return sealed(transfer.FIRST_LINE + b"".join(struct.pack(">cI", tag, len(body)) + body for tag, body in these))


def test_the_imported_ledger_is_the_same_row_by_row(exported: Path, lived: Town, tmp_path: Path) -> None:
    there = tmp_path / "there"
    assert transfer.import_(exported, there, vkey=VERIFIER.vkey) == lived.reader.size
    assert rows(there) == rows(lived.directory)
    assert fsck.check(there, vkey=VERIFIER.vkey).ok


def test_the_imported_ledger_goes_on(exported: Path, lived: Town, tmp_path: Path) -> None:
    there = tmp_path / "there"
    size = transfer.import_(exported, there)
    old = Reader(there, VERIFIER).signed()[1]
    engine = Embedded(there, verifier=VERIFIER, sign=secret_key(0).sign, clock=lived.clock)
    assert engine.submit(lived.signed(PSB, issue_record())).result(10).first == size
    engine.close()
    assert Reader(there, VERIFIER).root_at(size) == old.root
    assert fsck.check(there).ok


def test_an_export_beside_a_writing_engine_is_whole(lived: Town, tmp_path: Path) -> None:
    futures = [lived.engine.submit(lived.signed(PSB, issue_record())) for _ in range(50)]
    transfer.export(lived.directory, tmp_path / "busy")
    for each in futures:
        each.result(10)
    assert transfer.import_(tmp_path / "busy", tmp_path / "there") <= lived.reader.size


def test_an_existing_ledger_is_never_replaced(exported: Path, lived: Town, tmp_path: Path) -> None:
    before = rows(lived.directory)
    with pytest.raises(LedgerError, match="ledger-founded-already"):
        transfer.import_(exported, lived.directory)
    assert rows(lived.directory) == before


def test_an_existing_file_is_never_replaced(exported: Path, lived: Town) -> None:
    with pytest.raises(transfer.TransferError, match="file-exists"):
        transfer.export(lived.directory, exported)


def test_another_key_is_refused(exported: Path, tmp_path: Path) -> None:
    stranger = VERIFIER.__class__(VERIFIER.name, secret_key(9).public_key().public_bytes_raw())
    assert refusal(exported, tmp_path / "there", vkey=stranger.vkey) == "note-unsigned"


def test_a_torn_or_flipped_file_is_refused(exported: Path, tmp_path: Path) -> None:
    data = exported.read_bytes()
    bad = tmp_path / "bad"
    for end in (0, 10, len(transfer.FIRST_LINE), len(data) // 2, len(data) - 40, len(data) - 1):
        bad.write_bytes(data[:end])
        assert refusal(bad, tmp_path / "there") == "export-malformed"
    bad.write_bytes(data + b"\x00")
    assert refusal(bad, tmp_path / "there") == "export-malformed"
    for at in range(30, len(data), len(data) // 40):
        bad.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        assert refusal(bad, tmp_path / "there")


def test_a_forged_export_under_a_right_checksum_is_refused(exported: Path, tmp_path: Path) -> None:
    """Whoever writes the file cannot write the signatures."""
    good = items(exported.read_bytes())
    assert packed(good) == exported.read_bytes()
    entries = [at for at, (tag, _) in enumerate(good) if tag == b"E"]
    bad = tmp_path / "bad"
    forged = {
        "an entry left out": [each for at, each in enumerate(good) if at != entries[5]],
        "two entries exchanged": [*good[: entries[-2]], good[entries[-1]], good[entries[-2]], *good[entries[-1] + 1 :]],
        "a checkpoint left out": [each for at, each in enumerate(good) if at != entries[0] + 1],
        "the last block without its checkpoint": good[:-1],
        "an entry altered": [
            (tag, body[:-1] + bytes([body[-1] ^ 1])) if at == entries[-1] else (tag, body)
            for at, (tag, body) in enumerate(good)
        ],
        "an unknown item": [*good, (b"X", b"")],
        "a checkpoint twice": [*good, good[-1]],
        "nothing": [],
    }
    for name, these in forged.items():
        bad.write_bytes(packed(these))
        assert refusal(bad, tmp_path / "there"), name


def test_a_shorter_export_is_an_older_ledger(exported: Path, lived: Town, tmp_path: Path) -> None:
    """Cut at a checkpoint it is whole in itself: only a witness or a receipt knows better."""
    good = items(exported.read_bytes())
    last = max(at for at, (tag, _) in enumerate(good[:-1]) if tag == b"C")
    cut = tmp_path / "cut"
    cut.write_bytes(packed(good[: last + 1]))
    assert 0 < transfer.import_(cut, tmp_path / "there") < lived.reader.size


def test_what_an_earlier_attempt_left_is_no_obstacle(exported: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / transfer.DRAFT).mkdir(parents=True)
    (there / transfer.DRAFT / store.FILE).write_bytes(b"half")
    transfer.import_(exported, there)
    assert fsck.check(there).ok
    shutil.rmtree(there)
