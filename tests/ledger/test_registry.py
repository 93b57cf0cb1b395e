"""The trust registry at any past moment, and what a revocation changes of it."""

import statistics
from time import perf_counter

import pytest

from gov_chain.ledger import registry, timeline
from gov_chain.ledger.core import proposals
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.registry import Judgement, Use
from tests.ledger.test_past import Governed
from tests.ledger.town import HOME, PSB, START, STREET, KeySet, issue_record, public_key


@pytest.fixture
def town(tmp_path) -> Governed:
    made = Governed(tmp_path / "ledger")
    made.register()
    return made


def judge(town: Governed, agency: int, key: bytes, use: Use = "ledger", **moment: int) -> Judgement:
    return registry.judge(town.reader, agency=agency, public_key=key, use=use, **moment)


def test_a_moment_is_found_by_its_time(town: Governed) -> None:
    last = town.reader.size
    assert timeline.size_at(town.reader, START - 1) == 0
    assert timeline.size_at(town.reader, START) == last
    town.clock.pass_time(100)
    town.submit(PSB, issue_record())
    assert timeline.size_at(town.reader, START + 99) == last
    assert timeline.size_at(town.reader, START + 100) == last + 2
    assert timeline.first_from(town.reader, START + 100) == last
    assert timeline.first_from(town.reader, START + 101) == last + 2
    for index in range(town.reader.size):
        assert timeline.time_of(town.reader, index) == (START if index < last else START + 100)


def test_a_key_is_good_from_enrolment_to_rotation_and_its_successor_after(town: Governed) -> None:
    new = KeySet(8)
    before = town.reader.size
    town.clock.pass_time(1000)
    rotated = town.pass_(*new.rotate(STREET, ledger_id=town.ledger_id))
    assert rotated is not None
    assert judge(town, STREET, public_key(STREET), time=START).good
    assert judge(town, STREET, public_key(STREET), time=START + 999).good
    assert judge(town, STREET, public_key(STREET), at=rotated).good
    assert judge(town, STREET, public_key(STREET), at=rotated + 1).code == "key-retired"
    assert judge(town, STREET, public_key(STREET)).code == "key-retired"
    assert judge(town, STREET, new.public[0], at=before).code == "key-unknown"
    assert judge(town, STREET, new.public[0], time=START + 1000).good
    assert judge(town, STREET, new.issue.public_key, "issue").good
    assert judge(town, STREET, new.request.public_key, "issue").code == "key-unknown"
    assert judge(town, PSB, new.public[0]).code == "key-unknown"
    assert judge(town, STREET, new.public[0], time=START - 1).code == "agency-unknown"
    assert judge(town, 9, new.public[0]).code == "agency-unknown"
    with pytest.raises(LedgerError, match="entry-unknown"):
        judge(town, STREET, new.public[0], at=town.reader.size + 1)


def test_suspension_and_accreditation_are_those_of_the_moment(town: Governed) -> None:
    key = b"\x02" * 33
    assert judge(town, PSB, key, "issue", type=1).good
    assert judge(town, PSB, key, "issue", type=2).code == "not-accredited"
    withdrawn = town.pass_(proposals.DISACCREDIT, PSB, 1)
    suspended = town.pass_(proposals.SUSPEND, PSB)
    assert withdrawn is not None
    assert suspended is not None
    assert judge(town, PSB, key, "issue", type=1, at=withdrawn).good
    assert judge(town, PSB, key, "issue", type=1, at=withdrawn + 1).code == "not-accredited"
    assert judge(town, PSB, key, "issue", at=suspended).good
    assert judge(town, PSB, key, "issue", at=suspended + 1).code == "agency-suspended"


def test_a_revocation_voids_from_its_entry_on_and_nothing_before(town: Governed) -> None:
    new = KeySet(8)
    stolen = town.reader.size
    town.clock.pass_time(50)
    town.submit(STREET, b"")
    town.clock.pass_time(50)
    rotated = town.pass_(*new.rotate(STREET, ledger_id=town.ledger_id))
    assert rotated is not None
    before = town.reader.size
    town.pass_(proposals.REVOKE_KEY, STREET, 1, stolen)
    old = public_key(STREET)
    assert judge(town, STREET, old, at=stolen).good
    assert judge(town, STREET, old, at=stolen + 1).code == "key-revoked"
    assert judge(town, STREET, old, time=START + 49).good
    assert judge(town, STREET, old, time=START + 50).code == "key-revoked"
    assert judge(town, STREET, old, time=START + 50, known_at=before).good, "nobody knew then"
    assert judge(town, STREET, old).code == "key-retired"
    first, second = registry.keys_by(town.reader, STREET, town.reader.size)
    assert [first.key_no, second.key_no] == [2, 1]
    assert [registry.void_at(second, index) for index in (stolen - 1, stolen, stolen + 1)] == [False, True, True]
    assert not registry.void_at(first, stolen)


def test_an_agencys_record_has_every_period_with_its_times(town: Governed) -> None:
    town.clock.pass_time(10)
    accredited = town.pass_(proposals.ACCREDIT, STREET, 5)
    empowered = town.pass_(proposals.EMPOWER, STREET, 7, 0)
    withdrawn = town.pass_(proposals.DISACCREDIT, STREET, 5)
    suspended = town.pass_(proposals.SUSPEND, STREET)
    reinstated = town.pass_(proposals.REINSTATE, STREET)
    town.clock.pass_time(10)
    again = town.pass_(proposals.ACCREDIT, STREET, 5)
    rotated = town.pass_(*KeySet(8).rotate(STREET, ledger_id=town.ledger_id))
    found = registry.record(town.reader, STREET)
    assert [(each.what, each.since.index, each.until and each.until.index) for each in found.accreditations] == [
        (5, accredited, withdrawn),
        (5, again, None),
    ]
    assert found.accreditations[0].since.time == START + 10
    assert [(each.what, each.since.index, each.until) for each in found.powers] == [(7, empowered, None)]
    assert [(each.since.index, each.until and each.until.index) for each in found.suspensions] == [
        (suspended, reinstated)
    ]
    assert [(each.key.key_no, each.since.index, each.until and each.until.index) for each in found.keys] == [
        (1, 0, rotated),
        (2, rotated, None),
    ]
    earlier = registry.record(town.reader, STREET, withdrawn)
    assert [(each.what, each.until) for each in earlier.accreditations] == [(5, None)]
    assert [each.key.key_no for each in earlier.keys] == [1]
    with pytest.raises(LedgerError, match="agency-unknown"):
        registry.record(town.reader, 9)


def test_a_past_key_is_verified_in_less_than_a_millisecond(town: Governed) -> None:
    """The middle of many: `bench/keys` prints the tail."""
    for _ in range(60):
        town.clock.pass_time(1)
        town.submit(PSB, *(issue_record() for _ in range(40)))
    took = []
    for step in range(600):
        started = perf_counter()
        assert judge(town, HOME, public_key(HOME), time=START + step % 60).good
        took.append(perf_counter() - started)
    assert statistics.median(took) < 0.001
