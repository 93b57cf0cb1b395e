"""What a proposal would come to, told before it is sent: the rule's own verdict, and the sums."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.ledger.core import forecast, proposals, records, state, validators
from tests.ledger.test_governance import IMPOSSIBLE, NEW, Assembly
from tests.ledger.test_validators import Consortium
from tests.ledger.town import HOME, PSB, START, STREET

DAY = 86400


@pytest.fixture
def assembly() -> Assembly:
    return Assembly()


def judged(assembly: Assembly, agency: int, record: bytes) -> str | None:
    at = assembly.index + 1
    return forecast.judge(
        assembly.view.get, agency=agency, record=record, time=assembly.time, at=at, ledger_id=bytes(32)
    )


POSSIBLE: dict[str, Any] = {
    "enrol": NEW.enrol(4),
    "rotate": NEW.rotate(HOME),
    "suspend": (proposals.SUSPEND, STREET),
    "accredit": (proposals.ACCREDIT, STREET, 5),
    "parameter": (proposals.SET_PARAMETER, proposals.LEAST_VOTERS, 3),
}


@pytest.mark.parametrize("name", [*IMPOSSIBLE, *POSSIBLE])
def test_the_forecast_is_the_rules_verdict_and_writes_nothing(assembly: Assembly, name: str) -> None:
    action = POSSIBLE[name] if name in POSSIBLE else IMPOSSIBLE[name][0]
    record = records.propose(proposal=1, action=action, expires=START + DAY)
    before = dict(assembly.view.written)
    code = judged(assembly, PSB, record)
    assert assembly.view.written == before
    assert code == (None if name in POSSIBLE else IMPOSSIBLE[name][1])
    assert assembly.act(PSB, record) == code


def test_a_suspended_agency_and_a_stranger_are_told_so(assembly: Assembly) -> None:
    record = records.evidence(evidence=1, digest=bytes(32))
    assert judged(assembly, 9, record) == "agency-unknown"
    assembly.pass_(proposals.SUSPEND, STREET)
    assert judged(assembly, STREET, record) == "agency-suspended"
    assert judged(assembly, PSB, record) is None


def test_a_suspension_too_many_is_refused_with_the_sum_that_shows_it(assembly: Assembly) -> None:
    assembly.pass_(proposals.SUSPEND, STREET)
    action = [proposals.SUSPEND, HOME]
    record = records.propose(proposal=2, action=action, expires=START + DAY)
    assert judged(assembly, PSB, record) == "too-few-voters"
    assert forecast.sums(assembly.view.get, action) == forecast.Sums(2, 2, 1, 1, 2)


def voters(assembly: Assembly) -> int:
    return len((assembly.view.get(state.CONSORTIUM) or [[]])[0])


def test_the_sums_are_what_the_change_comes_to(assembly: Assembly) -> None:
    for action in (
        [proposals.SUSPEND, STREET],
        [proposals.REINSTATE, STREET],
        NEW.enrol(4),
        [proposals.ACCREDIT, 1, 9],
    ):
        told = forecast.sums(assembly.view.get, action)
        assert told.voters == voters(assembly)
        assembly.pass_(*action)
        assert told.voters_after == voters(assembly)
    assert forecast.sums(assembly.view.get, [proposals.SET_PARAMETER, proposals.LEAST_VOTERS, 4]).least == 4


@given(total=st.integers(1, 60), data=st.data())
def test_a_proposal_is_lost_exactly_when_those_left_cannot_save_it(total: int, data: st.DataObject) -> None:
    votes = [(each, data.draw(st.integers(0, 1))) for each in range(data.draw(st.integers(0, total)))]
    tally = forecast.tally(voters=total, votes=votes, effect=0, expires=10, time=10)
    assert tally.undecided == total - len(votes)
    possible = 3 * (tally.yes + tally.undecided) >= 2 * total
    assert tally.outcome == ("open" if possible else "lost")
    assert 3 * tally.needed >= 2 * total > 3 * (tally.needed - 1)
    assert tally.lacking == max(tally.needed - tally.yes, 0)
    assert forecast.tally(voters=total, votes=votes, effect=0, expires=10, time=11).outcome == "expired"
    assert forecast.tally(voters=total, votes=votes, effect=7, expires=10, time=11).outcome == "passed"


def test_a_change_that_would_endanger_the_quorum_is_told_with_its_power(assembly: Assembly) -> None:
    consortium = Consortium(7, (1, 1, 1, 1))
    action = [proposals.VALIDATOR_OUT, 4]
    record = records.propose(proposal=1, action=action, expires=consortium.time + DAY)
    assert judged(consortium, 1, record) == "validators-too-few"
    power = forecast.sums(consortium.view.get, action).power
    assert power == validators.Change(before=4, after=3, stays=3, count=3, strongest=1)
    assert power.refusal() == "validators-too-few"
    assert forecast.sums(consortium.view.get, [proposals.SUSPEND, 4]).power is None
