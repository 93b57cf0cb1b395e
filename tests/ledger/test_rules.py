"""Each rule: what it accepts, and every code it refuses with. Nothing is written by a refusal."""

import secrets
from hashlib import sha256
from typing import Any

import cbor2
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gov_chain.ledger import rulebook
from gov_chain.ledger.core import entries, genesis, machine, records, rulesets, state
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.errors import REFUSALS, LedgerError
from gov_chain.ledger.core.rules import RULES
from tests.ledger.town import (
    ALL,
    DIGEST,
    GENESIS,
    HOME,
    LIFE,
    NAME,
    NAME_SEX,
    PSB,
    START,
    STREET,
    approval,
    grant_record,
    issue_record,
    matter_record,
    type_record,
    usage_record,
)

SECRET = b"s" * 32
UNREGISTERED = 9


class World:
    """State with rules applied to it, one record at a time."""

    def __init__(self) -> None:
        self.view = machine.found(genesis.build(GENESIS))
        self.time = START
        self.index = 0

    def act(self, agency: int, record: bytes) -> str | None:
        self.index += 1
        value = records.decode_record(record)
        assert isinstance(value, list), value
        before = dict(self.view.written)
        entry = entries.wrap(self.time, agency, record)
        code = rulesets.judge(self.view, Act(agency, value, self.time, self.index, entry, bytes(32)), RULES)
        if code is not None:
            assert code in REFUSALS
            expected = {*rulebook.ANY_RECORD, *rulebook.REFUSED_WITH[value[0]]}
            if value[0] in (records.PROPOSE, records.VOTE):
                expected |= {each for codes in rulebook.ACTION_REFUSED_WITH.values() for each in codes}
            assert code in expected, "the rulebook does not say so"
            assert self.view.written == before
        return code

    def grant(self, secret: bytes = SECRET) -> Any:
        return self.view.get(state.grant_key(sha256(secret).digest()))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def in_force(world: World) -> World:
    """Type 1 and matter 1, approved."""
    for agency, record in ((PSB, type_record()), (STREET, matter_record()), (PSB, approval())):
        assert world.act(agency, record) is None
    return world


@pytest.fixture
def granted(in_force: World) -> World:
    assert in_force.act(HOME, grant_record(SECRET)) is None
    return in_force


def test_every_kind_has_a_rule() -> None:
    assert RULES.keys() == records.KINDS.keys()


def test_refusal_numbers_and_texts_are_complete_and_unique() -> None:
    assert len(set(REFUSALS.values())) == len(REFUSALS)
    for code in REFUSALS:
        message = LedgerError.messages[code]
        assert message.zh
        assert message.en
        assert code in str(LedgerError(code))


def test_a_type_by_an_agency_without_accreditation_is_refused(world: World) -> None:
    assert world.act(HOME, type_record()) == "not-accredited"
    assert world.act(PSB, type_record(type_=2)) == "not-accredited"
    assert world.act(UNREGISTERED, type_record()) == "not-accredited"


def test_status_lists_are_the_types_issuers_and_their_versions_follow_each_other(world: World) -> None:
    def status(version: int, type_: int = 1, list_: int = 1) -> bytes:
        return records.status(type=type_, list=list_, version=version, digest=DIGEST)

    assert world.act(PSB, status(1)) == "type-unknown"
    world.act(PSB, type_record())
    assert world.act(HOME, status(1)) == "type-of-another-agency"
    assert world.act(PSB, status(2)) == "version-not-next"
    assert world.act(PSB, status(1)) is None
    assert world.act(PSB, status(1)) == "version-not-next"
    assert world.act(PSB, status(2)) is None
    assert world.act(PSB, status(1, list_=2)) is None


def test_any_agency_lodges_evidence(world: World) -> None:
    for agency in (PSB, HOME, STREET):
        assert world.act(agency, records.evidence(evidence=2, digest=DIGEST)) is None


def test_versions_of_a_type_follow_each_other(world: World) -> None:
    assert world.act(PSB, type_record(version=2)) == "version-not-next"
    assert world.act(PSB, type_record(version=1)) is None
    assert world.act(PSB, type_record(version=1)) == "version-not-next"
    assert world.act(PSB, type_record(version=2)) is None


def test_a_type_of_another_agency_cannot_be_taken_over(world: World) -> None:
    assert world.act(PSB, type_record()) is None
    found = world.view.get(state.agency_key(HOME)) or []
    world.view.put(state.agency_key(HOME), [*found[:5], [0, 1], *found[6:]])
    assert world.act(HOME, type_record(version=2)) == "type-of-another-agency"
    assert world.act(HOME, issue_record()) == "type-of-another-agency"


@pytest.mark.parametrize(
    ("types", "code"),
    [
        ([(2, 1, NAME, 0)], "type-unknown"),
        ([(1, 2, NAME, 0)], "type-unknown"),
        ([(1, 1, 0b1000, 0)], "fields-beyond-type"),
        ([(1, 1, NAME, 0b1000)], "fields-beyond-type"),
        ([(1, 1, 0, 0)], "fields-beyond-type"),
        ([(1, 1, NAME, NAME_SEX)], "fields-overlap"),
        ([(1, 1, NAME, 0), (1, 1, NAME, 0)], "type-repeated"),
    ],
)
def test_a_matter_asking_for_what_is_not_there_is_refused(
    world: World, types: list[tuple[int, int, int, int]], code: str
) -> None:
    world.act(PSB, type_record())
    record = records.matter(
        matter=1, version=1, digest=DIGEST, types=types, max_life=LIFE, max_uses=1, retention_days=1
    )
    assert world.act(STREET, record) == code


def test_a_matter_of_another_agency_cannot_be_changed(in_force: World) -> None:
    assert in_force.act(HOME, matter_record(version=2)) == "matter-of-another-agency"


def test_versions_of_a_matter_follow_each_other(in_force: World) -> None:
    assert in_force.act(STREET, matter_record(version=3)) == "version-not-next"
    assert in_force.act(STREET, matter_record(version=1)) == "version-not-next"


def test_only_the_types_issuer_approves(world: World) -> None:
    world.act(PSB, type_record())
    world.act(STREET, matter_record())
    assert world.act(STREET, approval()) == "not-the-issuer"
    assert world.act(HOME, approval()) == "not-the-issuer"
    assert world.act(PSB, approval(version=2)) == "matter-unknown"
    assert world.act(PSB, records.matter_approve(matter=1, version=1, type=2)) == "type-not-in-matter"
    assert world.act(PSB, approval()) is None
    assert world.act(PSB, approval()) == "approved-already"


def test_a_certificate_is_anchored_once_and_by_who_may(in_force: World) -> None:
    assert in_force.act(HOME, issue_record(DIGEST)) == "not-accredited"
    assert in_force.act(PSB, records.issue(type=1, type_version=2, commitment=DIGEST)) == "type-unknown"
    assert in_force.act(PSB, issue_record(DIGEST)) is None
    assert in_force.act(PSB, issue_record(DIGEST)) == "commitment-taken"


def test_a_grant_needs_a_matter_in_force(world: World) -> None:
    assert world.act(HOME, grant_record(SECRET)) == "matter-unknown"
    world.act(PSB, type_record())
    world.act(STREET, matter_record())
    assert world.act(HOME, grant_record(SECRET)) == "matter-not-in-force"
    assert world.act(HOME, grant_record(SECRET, version=2)) == "matter-unknown"


def test_the_asking_agency_cannot_record_the_grant(in_force: World) -> None:
    assert in_force.act(STREET, grant_record(SECRET)) == "recorder-is-asker"


def test_an_approved_new_version_supersedes_the_matter_for_grants(in_force: World) -> None:
    in_force.act(STREET, matter_record(version=2))
    assert in_force.act(HOME, grant_record(SECRET, version=2)) == "matter-not-in-force"
    assert in_force.act(PSB, approval(version=2)) is None
    assert in_force.act(HOME, grant_record(SECRET, version=1)) == "matter-superseded"
    assert in_force.act(HOME, grant_record(SECRET, version=2)) is None


@pytest.mark.parametrize(
    ("masks", "not_after", "uses", "code"),
    [
        ([NAME, NAME], START + 60, 1, "fields-count-wrong"),
        ([0b010], START + 60, 1, "fields-missing"),
        ([0], START + 60, 1, "fields-missing"),
        ([ALL], START + 60, 1, "fields-beyond-matter"),
        ([NAME], START, 1, "life-beyond-matter"),
        ([NAME], START + LIFE + 1, 1, "life-beyond-matter"),
        ([NAME], START + 60, 4, "uses-beyond-matter"),
        ([NAME], START + LIFE, 3, None),
        ([NAME_SEX], START + 1, 1, None),
    ],
)
def test_a_grant_stays_within_its_matter(
    in_force: World, masks: list[int], not_after: int, uses: int, code: str | None
) -> None:
    record = records.grant(
        handle=DIGEST, matter=1, version=1, masks=masks, not_after=not_after, uses=uses, consent_digest=DIGEST
    )
    assert in_force.act(HOME, record) == code


def test_only_a_home_agency_or_the_issuer_of_the_fields_records_a_grant(in_force: World) -> None:
    found = in_force.view.get(state.agency_key(HOME)) or []
    in_force.view.put(state.agency_key(HOME), [*found[:5], [], *found[6:]])
    assert in_force.act(HOME, grant_record(SECRET)) == "recorder-not-entitled"
    assert in_force.act(PSB, grant_record(SECRET)) is None


def test_a_handle_is_used_once(granted: World) -> None:
    assert granted.act(HOME, grant_record(SECRET)) == "handle-taken"
    assert granted.act(PSB, grant_record(SECRET)) == "handle-taken"


@pytest.mark.parametrize(
    ("agency", "masks", "matter", "version", "code"),
    [
        (HOME, [NAME], 1, 1, "not-the-asker"),
        (PSB, [NAME], 1, 1, "not-the-asker"),
        (STREET, [ALL], 1, 1, "fields-beyond-grant"),
        (STREET, [NAME, NAME], 1, 1, "fields-count-wrong"),
        (STREET, [NAME], 2, 1, "grant-of-another-matter"),
        (STREET, [NAME], 1, 2, "grant-of-another-matter"),
        (STREET, [NAME], 1, 1, None),
        (STREET, [0], 1, 1, None),
    ],
)
def test_a_use_stays_within_its_grant(
    granted: World, agency: int, masks: list[int], matter: int, version: int, code: str | None
) -> None:
    record = records.usage(
        handle=sha256(SECRET).digest(), matter=matter, version=version, masks=masks, context_digest=DIGEST
    )
    assert granted.act(agency, record) == code


def test_a_use_without_a_grant_is_refused(in_force: World) -> None:
    assert in_force.act(STREET, usage_record(SECRET)) == "grant-unknown"


def test_uses_run_out(granted: World) -> None:
    assert granted.act(STREET, usage_record(SECRET)) is None
    assert granted.act(STREET, usage_record(SECRET)) is None
    assert granted.act(STREET, usage_record(SECRET)) == "uses-spent"


def test_a_grant_is_live_until_its_last_second_and_no_longer(granted: World) -> None:
    granted.time = START + 3600
    assert granted.act(STREET, usage_record(SECRET)) is None
    granted.time += 1
    assert granted.act(STREET, usage_record(SECRET)) == "grant-expired"
    assert granted.act(HOME, records.withdraw(secret=SECRET)) == "grant-expired"


def test_a_withdrawn_grant_is_dead_for_good(granted: World) -> None:
    assert granted.act(HOME, records.withdraw(secret=b"x" * 32)) == "grant-unknown"
    assert granted.act(STREET, records.withdraw(secret=SECRET)) is None
    assert granted.act(STREET, usage_record(SECRET)) == "grant-withdrawn"
    assert granted.act(HOME, records.withdraw(secret=SECRET)) == "grant-withdrawn"
    assert granted.act(HOME, grant_record(SECRET)) == "handle-taken"


def test_the_chain_of_a_grant_covers_every_entry_about_it(granted: World) -> None:
    about = [entries.wrap(START, HOME, grant_record(SECRET))]
    for agency, record in ((STREET, usage_record(SECRET)), (HOME, records.withdraw(secret=SECRET))):
        assert granted.act(agency, record) is None
        about.append(entries.wrap(START, agency, record))
    chain = bytes(32)
    for entry in about:
        chain = sha256(chain + entry).digest()
    assert granted.grant()[-1] == chain


class Citizens(RuleBasedStateMachine):
    """Random histories of grants, uses and withdrawals against a simple model of what each grant still allows."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        for agency, record in ((PSB, type_record()), (STREET, matter_record()), (PSB, approval())):
            self.world.act(agency, record)
        self.left: dict[bytes, int] = {}
        self.ends: dict[bytes, int] = {}
        self.withdrawn: set[bytes] = set()

    @rule(uses=st.integers(1, 3), by=st.sampled_from((PSB, HOME, STREET)))
    def grant(self, uses: int, by: int) -> None:
        secret = secrets.token_bytes(32)
        code = self.world.act(by, grant_record(secret, uses=uses, time=self.world.time))
        assert code == ("recorder-is-asker" if by == STREET else None)
        if code is None:
            self.left[secret], self.ends[secret] = uses, self.world.time + 3600

    @rule(data=st.data(), by=st.sampled_from((HOME, STREET)), masks=st.integers(0, ALL))
    def use(self, data: st.DataObject, by: int, masks: int) -> None:
        if not self.left:
            return
        secret = data.draw(st.sampled_from(sorted(self.left)))
        code = self.world.act(by, usage_record(secret, masks=masks))
        allowed = (
            by == STREET
            and secret not in self.withdrawn
            and self.world.time <= self.ends[secret]
            and masks | NAME_SEX == NAME_SEX
            and self.left[secret] > 0
        )
        assert (code is None) == allowed
        if allowed:
            self.left[secret] -= 1

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        if not self.left:
            return
        secret = data.draw(st.sampled_from(sorted(self.left)))
        code = self.world.act(PSB, records.withdraw(secret=secret))
        assert (code is None) == (secret not in self.withdrawn and self.world.time <= self.ends[secret])
        if code is None:
            self.withdrawn.add(secret)

    @rule(seconds=st.integers(0, 2000))
    def wait(self, seconds: int) -> None:
        self.world.time += seconds

    @invariant()
    def uses_left_are_what_the_model_says(self) -> None:
        for secret, left in self.left.items():
            assert self.world.grant(secret)[5] == left

    @invariant()
    def state_is_canonical(self) -> None:
        for value in self.world.view.written.values():
            assert cbor2.loads(cbor2.dumps(value)) == value


TestCitizens = Citizens.TestCase
TestCitizens.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
