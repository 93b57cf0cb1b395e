"""A record of every kind with each field wrong in turn, and other nonsense, inside a batch of good ones: refused with
its position and code, nothing of it written, the good ones kept."""

from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest

from gov_chain.ledger import fsck
from gov_chain.ledger.core import entries, records
from tests.ledger.test_records import FIELDS, GOOD, wrong_values
from tests.ledger.town import DIGEST, PSB, VERIFIER, Town, issue_record


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    directory: Path = tmp_path_factory.mktemp("bad-input")
    town = Town(directory / "ledger")
    town.register()
    yield town
    town.engine.close()
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []
    town.reader.close()


def submit_between_good_ones(town: Town, bad: list[bytes]) -> list[str]:
    """The code each bad record got; checks positions, and that only the good ones are in the log."""
    good = [issue_record() for _ in range(len(bad) + 1)]
    batch = [record for pair in zip(good, bad, strict=False) for record in pair] + [good[-1]]
    size = town.reader.size
    done = town.submit(PSB, *batch)
    assert sorted(done.refused) == [at for at in range(len(batch)) if at % 2]
    assert [at is None for at in done.positions] == [bool(at % 2) for at in range(len(batch))]
    assert [entries.parse(body).record for body in town.reader.bodies(size + 1, len(batch))] == good
    return [done.refused[at] for at in sorted(done.refused)]


@pytest.mark.parametrize(("kind", "at", "name"), FIELDS, ids=str)
def test_a_wrong_field_is_refused_alone(town: Town, kind: int, at: int, name: str) -> None:
    record = cbor2.loads(GOOD[kind])
    shape = records.KINDS[kind].fields[at - 1][1]
    bad = [cbor2.dumps([*record[:at], value, *record[at + 1 :]]) for value in wrong_values(shape)]
    assert set(submit_between_good_ones(town, bad[:500])) == {"record-malformed"}


@pytest.mark.parametrize("kind", GOOD)
def test_another_shape_or_encoding_is_refused_alone(town: Town, kind: int) -> None:
    record, body = cbor2.loads(GOOD[kind]), GOOD[kind]
    bad = [
        cbor2.dumps([*record, 0]),
        cbor2.dumps(record[:-1]),
        cbor2.dumps(dict(enumerate(record))),
        body + b"\x00",
        body[:-1],
        b"\x9f" + body[1:] + b"\xff",
        body[:1] + b"\x1b" + kind.to_bytes(8) + body[2 if kind < 24 else 3 :],
        body[:1] + b"\xc1" + body[1:],
    ]
    assert set(submit_between_good_ones(town, bad)) == {"record-malformed"}


def test_what_is_no_record_at_all_is_refused_alone(town: Town) -> None:
    bad = [b"", b"\x80", b"\xff", b"\xf6", b"\x81" * 1500 + b"\x00", bytes(records.MAX_RECORD + 1), DIGEST, b"\x61a"]
    assert set(submit_between_good_ones(town, bad)) == {"record-malformed"}


def test_kinds_that_nobody_may_submit_are_refused_alone(town: Town) -> None:
    unknown = [cbor2.dumps([kind, *cbor2.loads(GOOD[records.ISSUE])[1:]]) for kind in (0, 1, 2, 19, 33, 70, 2**63)]
    assert set(submit_between_good_ones(town, unknown)) == {"kind-unknown"}
