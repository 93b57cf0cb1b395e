"""fsck finds every alteration of the file, whatever kind it is, and never ends in a traceback."""

import random
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gov_chain.core import hot
from gov_chain.ledger import fsck, newest, store
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.town import HOME, PSB, STREET, VERIFIER, Town, grant_record, issue_record, usage_record


@pytest.fixture
def closed(town: Town) -> Path:
    """A closed ledger's file with every kind of record in it."""
    town.register()
    secret = town.grant()
    town.submit(PSB, *(issue_record() for _ in range(300)))
    town.submit(STREET, usage_record(secret), usage_record(secret, masks=0b111))
    town.submit(HOME, records.withdraw(secret=secret))
    town.engine.close()
    return town.directory / store.FILE


def kinds_found(file: Path, vkey: str = VERIFIER.vkey) -> set[str]:
    return {finding.kind for finding in fsck.check(file.parent, vkey=vkey).findings}


def test_a_sound_ledger_has_no_findings(closed: Path) -> None:
    report = fsck.check(closed.parent, vkey=VERIFIER.vkey)
    assert report.findings == []
    assert report.entries == 314
    assert report.checkpoints == 8


def test_a_sound_ledger_is_not_sound_under_another_key(closed: Path) -> None:
    assert kinds_found(closed, VERIFIER.__class__("ledger.test.example", bytes(32)).vkey) == {"checkpoint"}


ALTERATIONS = {
    "entry altered": ("UPDATE entries SET bodies = zero(bodies, 0) WHERE first = 9", "entry"),
    "entry missing": ("UPDATE entries SET bodies = gone(bodies, 11) WHERE first = 9", "entry"),
    "entry and its kind missing": (
        "UPDATE entries SET bodies = gone(bodies, 1), kinds = substr(kinds, 1, 1) WHERE first = 310",
        "index",
    ),
    "run missing": ("DELETE FROM entries WHERE first = 9", "entry"),
    "last entries missing": ("DELETE FROM entries WHERE first = (SELECT max(first) FROM entries)", "checkpoint"),
    "entries swapped": ("UPDATE entries SET bodies = swap(bodies, 11) WHERE first = 9", "checkpoint"),
    "entries added": (
        "INSERT INTO entries SELECT first + 2, agency, kinds, bodies FROM entries ORDER BY first DESC LIMIT 1",
        "checkpoint",
    ),
    "run cut in two": (
        "INSERT INTO entries SELECT 20, agency, substr(kinds, 12), tail(bodies, 11) FROM entries WHERE first = 9;"
        "UPDATE entries SET kinds = substr(kinds, 1, 11), bodies = head(bodies, 11) WHERE first = 9",
        "index",
    ),
    "entry filed under another agency": ("UPDATE entries SET agency = 2 WHERE first = 1", "index"),
    "entry filed under another kind": ("UPDATE entries SET kinds = x'0214' WHERE first = 1", "index"),
    "kinds are text": ("UPDATE entries SET kinds = 'ab' WHERE first = 1", "index"),
    "entries are text": ("UPDATE entries SET bodies = 'text' WHERE first = 1", "entry"),
    "entries cut short": ("UPDATE entries SET bodies = substr(bodies, 1, 50) WHERE first = 1", "entry"),
    "kind index row missing": ("DELETE FROM kinds WHERE first = 9", "index"),
    "kind index row too many": ("INSERT INTO kinds VALUES (20, 1)", "index"),
    "checkpoint altered": ("UPDATE checkpoints SET text = replace(text, 'A', 'B')", "checkpoint"),
    "checkpoint moved": ("UPDATE checkpoints SET size = 4 WHERE size = 5", "checkpoint"),
    "checkpoint is null": ("UPDATE checkpoints SET text = x'00ff' WHERE size = 5", "checkpoint"),
    "last checkpoint missing": (
        "DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)",
        "checkpoint",
    ),
    "tile altered": ("UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE place = 0", "tile"),
    "tile missing": ("DELETE FROM tiles WHERE place = 1", "tile"),
    "tile too many": ("INSERT INTO tiles VALUES (99, x'00')", "tile"),
    "handle index row missing": ("DELETE FROM handles", "index"),
    "handle index row too many": ("INSERT INTO handles VALUES (x'0011223344556677', 3)", "index"),
    "transaction index row missing": ("DELETE FROM transactions WHERE idx = 1", "index"),
    "transaction index row altered": ("UPDATE transactions SET idx = 2 WHERE idx = 1", "index"),
    "uses given back": (
        "UPDATE map SET body = given_back(body)",
        "map",
    ),
    "state row missing": ("DELETE FROM state WHERE substr(key, 1, 1) = x'6d'", "state"),
    "map row missing": ("DELETE FROM map WHERE place = (SELECT max(place) FROM map)", "map"),
    "map row too many": ("INSERT INTO map VALUES (7, x'80')", "map"),
    "map row too deep": ("INSERT INTO map_deep VALUES (zeroblob(9), x'80')", "map"),
    "map node too many": ("INSERT INTO map VALUES (7, x'ff' || zeroblob(514))", "map"),
    "journal row altered": ("UPDATE map_undo SET body = bit(body, 20) WHERE size = 3", "journal"),
    "journal row missing": ("DELETE FROM map_undo WHERE size = 3", "journal"),
    "journal row too many": ("INSERT INTO map_undo VALUES (6, 0, x'80')", "journal"),
    "state row too many": ("INSERT INTO state VALUES (x'6700', x'80')", "state"),
    "sequence window reset": ("DELETE FROM state WHERE substr(key, 1, 1) = x'6b'", "state"),
    "state row is no CBOR": ("UPDATE state SET value = x'5a'", "state"),
    "map row is no CBOR": ("UPDATE map SET body = x'5a'", "map"),
    "table missing": ("DROP TABLE tiles", "file"),
    "table too many": ("CREATE TABLE notes (text TEXT)", "file"),
    "trigger that forgets": (
        "CREATE TRIGGER forget AFTER INSERT ON kinds WHEN new.kind = 32 BEGIN DELETE FROM handles; END",
        "file",
    ),
    "view instead of a table": ("DROP TABLE handles; CREATE VIEW handles AS SELECT 1 AS handle, 2 AS idx", "file"),
    "index missing": ("DROP INDEX entries_agency", "file"),
    "version": ("PRAGMA user_version = 9", "file"),
    "application id": ("PRAGMA application_id = 1", "file"),
    "one bit of an entry": ("UPDATE entries SET bodies = nick(bodies, 241) WHERE first = 9", "entry"),
    "one bit of a tile": ("UPDATE tiles SET hashes = bit(hashes, 4000) WHERE place = 0", "tile"),
    "one bit of the partial tile": ("UPDATE tiles SET hashes = bit(hashes, 7) WHERE place = 1", "tile"),
    "one bit of a map row": ("UPDATE map SET body = bit(body, 3) WHERE place = (SELECT max(place) FROM map)", "map"),
    "one bit of a checkpoint's signature": (
        "UPDATE checkpoints SET text = CAST(bit(CAST(text AS BLOB), length(text) * 8 - 100) AS TEXT) WHERE size = 5",
        "checkpoint",
    ),
    "checkpoint at another time": ("UPDATE checkpoints SET time = time + 1 WHERE size = 5", "checkpoint"),
    "checkpoint twice": ("INSERT INTO checkpoints SELECT 6, time, text FROM checkpoints WHERE size = 5", "checkpoint"),
    "genesis altered": ("UPDATE entries SET bodies = bit(bodies, 316) WHERE first = 0", "checkpoint"),
    "genesis missing": ("DELETE FROM entries WHERE first = 0", "entry"),
    "transaction's signature": ("UPDATE entries SET bodies = bit(bodies, 8 * 122) WHERE first = 1", "transaction"),
    "use by another agency": ("UPDATE entries SET agency = 1 WHERE first = 310", "index"),
    "history row altered": (
        "UPDATE history SET value = bit(value, 1) WHERE key = (SELECT max(key) FROM history)",
        "history",
    ),
    "history row missing": ("DELETE FROM history WHERE key = (SELECT max(key) FROM history)", "history"),
    "engine ended elsewhere": ("INSERT INTO engine VALUES (1, 7, zeroblob(32))", "engine"),
    "history row too many": ("INSERT INTO history VALUES (x'7000', 1, x'80')", "history"),
}


def bit(data: bytes, at: int) -> bytes:
    """The bytes with one bit turned over."""
    altered = bytearray(data)
    altered[at // 8 % len(altered)] ^= 1 << at % 8
    return bytes(altered)


def given_back(body: bytes) -> bytes:
    """The bucket with one use more in its grants: [2, 1, 1, [3], not after (four bytes), uses, …]."""
    grant = rb"(\x89\x02\x01\x01\x81.\x1a....)\x01"
    return re.sub(grant, lambda found: found[1] + b"\x02", body, flags=re.DOTALL)


def with_functions(connection: sqlite3.Connection) -> None:
    """What the statements above do to bytes, and to the n-th entry of a run."""

    def on_entries(change: Callable[[list[bytes], int], list[bytes]]) -> Callable[[bytes, int], bytes]:
        return lambda bodies, at: hot.bundle(change(hot.unbundle(bodies), at))

    functions: dict[str, Callable[[bytes, int], bytes]] = {
        "bit": bit,
        "zero": on_entries(lambda found, at: [*found[:at], bytes(len(found[at])), *found[at + 1 :]]),
        "nick": on_entries(lambda found, at: [*found[:at], bit(found[at], 100), *found[at + 1 :]]),
        "gone": on_entries(lambda found, at: found[:at] + found[at + 1 :]),
        "swap": on_entries(lambda found, at: [*found[:at], found[at + 1], found[at], *found[at + 2 :]]),
        "head": on_entries(lambda found, at: found[:at]),
        "tail": on_entries(lambda found, at: found[at:]),
    }
    for name, function in functions.items():
        connection.create_function(name, 2, function)
    connection.create_function("given_back", 1, given_back)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_row_is_found(closed: Path, name: str) -> None:
    statement, kind = ALTERATIONS[name]
    with closing(sqlite3.connect(closed, isolation_level=None)) as connection:
        with_functions(connection)
        connection.executescript(statement)
        assert connection.total_changes or not statement.startswith(("UPDATE", "INSERT", "DELETE"))
    assert kind in kinds_found(closed)


def test_a_sequencer_on_an_altered_file_answers_everyone(town: Town, closed: Path) -> None:
    """It refuses to start, or to write, or has not met the damage: nobody waits for ever, nothing else is raised."""
    whole = closed.read_bytes()
    bodies = [
        town.signed(PSB, issue_record()),
        town.signed(HOME, grant_record(b"s" * 32)),
        town.signed(STREET, usage_record(b"s" * 32)),
    ]
    refused = 0
    for statement, _ in ALTERATIONS.values():
        closed.write_bytes(whole)
        (closed.parent / newest.FILE).unlink(missing_ok=True)
        with closing(sqlite3.connect(closed, isolation_level=None)) as connection:
            with_functions(connection)
            connection.executescript(statement)
        try:
            town.open()
        except LedgerError:
            refused += 1
            continue
        errors = [town.engine.submit(body).exception(10) for body in bodies]
        town.engine.close()
        assert [error for error in errors if error is not None and not isinstance(error, LedgerError)] == []
    assert refused > 10


def test_the_kinds_of_corruption_found(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nfsck finds each of {len(ALTERATIONS)} planted corruptions: {', '.join(ALTERATIONS)} ")


def test_a_rewritten_history_is_found_even_where_every_hash_was_redone(closed: Path) -> None:
    """Somebody with the file, and not the keys, drops the last use and rebuilds what follows from entries."""
    with sqlite3.connect(closed, isolation_level=None) as connection:
        with_functions(connection)
        connection.execute("UPDATE entries SET bodies = head(bodies, 1), kinds = substr(kinds, 1, 1) WHERE first = 310")
        connection.execute("UPDATE entries SET first = first - 1 WHERE first > 310")
    assert {"transaction", "checkpoint", "map"} <= kinds_found(closed)


def test_a_flipped_byte_in_any_entry_is_found(closed: Path) -> None:
    """Every place in the file that holds the entry's bytes, in case there is a stale copy."""
    whole = closed.read_bytes()
    with sqlite3.connect(closed) as connection:
        bodies = list(store.Rows(connection).entries(0, store.END))
    assert len(bodies) > 300
    dice = random.Random(5)
    for body in [*bodies[:12], *dice.sample(bodies, 25), *bodies[-8:]]:
        # Where SQLite goes on to another page an entry lies in two parts: one of its ends is whole.
        piece = next(end for end in (body[:24], body[-24:]) if end in whole)
        at = whole.find(piece)
        while at > 0:
            altered = bytearray(whole)
            altered[at + dice.randrange(len(piece))] ^= 1 << dice.randrange(8)
            closed.write_bytes(altered)
            assert kinds_found(closed)
            at = whole.find(piece, at + 1)


def test_a_flipped_bit_anywhere_is_found_or_provably_without_effect(closed: Path) -> None:
    """Without effect: every row of every table still reads as before."""
    whole = closed.read_bytes()
    before = everything(closed)
    dice = random.Random(6)
    found = 0
    for _ in range(150):
        altered = bytearray(whole)
        altered[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        closed.write_bytes(altered)
        if kinds_found(closed):
            found += 1
        else:
            assert everything(closed) == before
    assert found > 50


def everything(file: Path) -> list[list[tuple[object, ...]]]:
    tables = ("entries", "kinds", "tiles", "state", "history", "map", "map_deep", "map_undo", "handles", "transactions")
    with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in (*tables, "checkpoints")]


@pytest.mark.parametrize("size", [0, 10, 100, 4096, 5000, 20000])
def test_a_truncated_file_is_found(closed: Path, size: int) -> None:
    closed.write_bytes(closed.read_bytes()[:size])
    assert "file" in kinds_found(closed)


def test_junk_instead_of_a_file_is_found(closed: Path) -> None:
    closed.write_bytes(b"junk" * 4096)
    assert kinds_found(closed) == {"file"}
