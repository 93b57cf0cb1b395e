"""Rules change at a voted height; replay judges each record by the version of its height."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gov_chain.ledger import fsck
from gov_chain.ledger.core import proposals, records, rulesets
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.rules import RULES
from gov_chain.ledger.core.state import View
from tests.ledger.test_past import Governed
from tests.ledger.town import DIGEST, HOME, PSB, STREET, VERIFIER, issue_record, type_record


def only_legal_instruments(view: View, act: Act) -> str | None:
    """A stricter rule for evidence, for these tests."""
    return None if act.record[1] == 5 else "not-accredited"


SECOND = {kind: rule for kind, rule in RULES.items() if kind != records.STATUS} | {
    records.EVIDENCE: only_legal_instruments
}
NOTE, INSTRUMENT = (records.evidence(evidence=kind, digest=DIGEST) for kind in (1, 5))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Governed]:
    town = Governed(tmp_path / "ledger")
    town.register()
    yield town
    town.engine.close()
    town.reader.close()


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rulesets.RULESETS, 2, SECOND)


@pytest.mark.usefixtures("second")
def test_a_version_takes_effect_at_its_height_and_replay_knows(town: Governed) -> None:
    decided = town.pass_(proposals.SET_RULES, 2, town.reader.size + 10)
    height = town.reader.rules_schedule()[-1][1]
    assert town.reader.rules_schedule() == [(1, 0, 0), (2, height, decided)]
    while town.reader.size < height:
        assert not town.submit(STREET, NOTE).refused
    assert town.submit(STREET, NOTE, INSTRUMENT).refused == {0: "not-accredited"}
    status = records.status(type=1, list=1, version=1, digest=DIGEST)
    assert town.submit(PSB, status, issue_record()).refused == {0: "kind-unknown"}
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []


@pytest.mark.usefixtures("second")
def test_a_transaction_is_judged_by_the_version_at_its_leaf(town: Governed) -> None:
    town.pass_(proposals.SET_RULES, 2, town.reader.size + 8)
    height = town.reader.rules_schedule()[-1][1]
    while town.reader.size < height - 1:
        town.submit(STREET, *[NOTE] * (1 if height - 1 - town.reader.size != 3 else 2))
    assert town.reader.size == height - 1
    assert not town.submit(STREET, NOTE, NOTE, NOTE).refused
    assert town.submit(STREET, NOTE).refused
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []


def test_a_node_that_lacks_the_version_stops_before_its_height(town: Governed) -> None:
    town.pass_(proposals.SET_RULES, 2, town.reader.size + 10)
    height = town.reader.rules_schedule()[-1][1]
    while town.reader.size < height:
        assert not town.submit(STREET, NOTE).refused
    size = town.reader.size
    for agency, record in ((STREET, NOTE), (PSB, type_record(version=2)), (HOME, NOTE)):
        with pytest.raises(LedgerError, match="rules-unknown"):
            town.submit(agency, record)
    assert town.reader.size == size
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []


def test_fsck_says_that_it_does_not_know_the_rules(town: Governed, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(rulesets.RULESETS, 2, SECOND)
        town.pass_(proposals.SET_RULES, 2, town.reader.size + 5)
        for _ in range(4):
            town.submit(STREET, INSTRUMENT)
    findings = fsck.check(town.directory, vkey=VERIFIER.vkey).findings
    assert any(each.kind == "rule" and "rules-unknown" in each.detail for each in findings)
