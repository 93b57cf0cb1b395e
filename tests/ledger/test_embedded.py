"""The embedded engine: the contract, and what only it has: the lock, the clock, the file."""

import shutil
import sqlite3

import pytest

from gov_chain.ledger import founding, store
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines.embedded import Embedded
from tests.ledger.contract import EngineContract, refusal
from tests.ledger.town import (
    GENESIS,
    ORIGIN,
    PSB,
    START,
    VERIFIER,
    Town,
    issue_record,
    secret_key,
    type_record,
)


class TestContract(EngineContract):
    pass


def test_a_second_sequencer_is_refused(town: Town) -> None:
    with pytest.raises(LedgerError, match="sequencer-running"):
        Embedded(town.directory, verifier=VERIFIER, sign=secret_key(0).sign)
    town.submit(PSB, type_record())


def test_a_ledger_is_founded_once(town: Town) -> None:
    with pytest.raises(LedgerError, match="ledger-founded-already"):
        founding.found(town.directory, GENESIS, origin=ORIGIN, sign=secret_key(0).sign)


def test_idle_hours_are_normal(town: Town) -> None:
    town.clock.pass_time(90 * 86400)
    assert town.submit(PSB, type_record()).time == START + 90 * 86400


def test_a_jump_of_the_clock_stops_the_engine_until_confirmed(town: Town) -> None:
    town.clock.jump(301)
    body = town.signed(PSB, type_record())
    assert refusal(town.engine.submit(body)) == "clock-jumped"
    assert refusal(town.engine.submit(body)) == "clock-jumped"
    assert town.reader.size == 1
    town.engine.confirm_clock()
    assert town.engine.submit(body).result(10).time == START + 301


def test_a_clock_set_right_again_ends_the_stop(town: Town) -> None:
    body = town.signed(PSB, type_record())
    town.clock.jump(86400)
    assert refusal(town.engine.submit(body)) == "clock-jumped"
    town.clock.jump(-86400)
    assert town.engine.submit(body).result(10).time == START


def test_small_corrections_of_the_clock_are_followed(town: Town) -> None:
    for _ in range(3):
        town.clock.jump(200)
        town.submit(PSB, type_record())


def test_a_store_that_fails_is_opened_anew_and_nothing_half_done_stays(town: Town) -> None:
    town.submit(PSB, type_record())
    blocker = sqlite3.connect(town.directory / store.FILE, isolation_level=None)
    blocker.execute("CREATE TRIGGER full BEFORE INSERT ON checkpoints BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    body = town.signed(PSB, issue_record())
    assert refusal(town.engine.submit(body)) == "sequencer-stopped"
    assert town.reader.size == 3
    blocker.execute("DROP TRIGGER full")
    blocker.close()
    assert not town.engine.submit(body).result(10).refused


def test_a_signer_that_fails_leaves_nothing(town: Town) -> None:
    town.engine.close()

    def unreachable(data: bytes) -> bytes:
        raise OSError("the key store is down")

    with_dead_signer = Embedded(town.directory, verifier=VERIFIER, sign=unreachable, clock=town.clock)
    body = town.signed(PSB, type_record())
    assert refusal(with_dead_signer.submit(body)) == "sequencer-stopped"
    with_dead_signer.close()
    assert town.reader.size == 1
    assert town.open().submit(body).result(10).first == 1


def test_a_store_that_lost_its_tail_is_refused(town: Town) -> None:
    town.submit(PSB, type_record())
    town.engine.close()
    with sqlite3.connect(town.directory / store.FILE) as connection:
        connection.execute("DELETE FROM entries WHERE first = 1")
    with pytest.raises(LedgerError, match="ledger-damaged"):
        town.open()


def test_a_store_under_another_checkpoint_key_is_refused(town: Town) -> None:
    town.engine.close()
    stranger = VERIFIER.__class__(ORIGIN, secret_key(9).public_key().public_bytes_raw())
    with pytest.raises(LedgerError, match="note-unsigned"):
        Embedded(town.directory, verifier=stranger, sign=secret_key(9).sign)


def test_a_file_that_is_no_database_is_refused(town: Town) -> None:
    town.engine.close()
    (town.directory / store.FILE).write_bytes(b"not a database" * 1000)
    with pytest.raises(LedgerError, match="ledger-damaged"):
        town.open()


def test_closing_leaves_everything_in_one_file(town: Town) -> None:
    town.register()
    town.engine.close()
    copy = town.directory.parent / "copy"
    copy.mkdir()
    shutil.copy(town.directory / store.FILE, copy / store.FILE)
    engine = Embedded(copy, verifier=VERIFIER, sign=secret_key(0).sign, clock=town.clock)
    assert engine.submit(town.signed(PSB, issue_record())).result(10).first == 7
    engine.close()


def test_closing_twice_closes_nothing_else(town: Town) -> None:
    """A file opened in between may have got the lock's number."""
    town.engine.close()
    with (town.directory / "other").open("wb") as other:
        town.engine.close()
        other.write(b"still open")
        other.flush()
