"""Votes, thresholds, and what each action does once it passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.ledger.core import entries, genesis, governance, machine, proposals, records, rulesets, state
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.genesis import FoundingAgency, Genesis
from gov_chain.ledger.core.rules import RULES
from tests.ledger.test_rules import SECRET, World
from tests.ledger.town import (
    DIGEST,
    HOME,
    POINT,
    PSB,
    START,
    STREET,
    KeySet,
    approval,
    grant_record,
    issue_record,
    matter_record,
    public_key,
    type_record,
    usage_record,
)

DAY = 86400
NEW = KeySet(40)


class Assembly(World):
    """A world that votes."""

    def __init__(self, agencies: int = 3) -> None:
        super().__init__()
        if agencies != 3:
            self.view = machine.found(
                genesis.build(
                    Genesis(
                        agencies=tuple(
                            FoundingAgency(
                                number=number,
                                ledger_key=public_key(number),
                                issue_key=POINT,
                                request_key=POINT,
                                profile_digest=DIGEST,
                            )
                            for number in range(1, agencies + 1)
                        ),
                        accreditations=(),
                        checkpoint_key=public_key(0),
                        created=START,
                    )
                )
            )
        self.latest = 0

    def propose(self, agency: int, *action: int | bytes, life: int = DAY) -> str | None:
        record = records.propose(proposal=self.latest + 1, action=action, expires=self.time + life)
        code = self.act(agency, record)
        self.latest += code is None
        return code

    def vote(self, agency: int, proposal: int | None = None, yes: bool = True) -> str | None:
        return self.act(agency, records.vote(proposal=proposal or self.latest, yes=yes))

    def pass_(self, *action: int | bytes) -> None:
        """Proposed by agency 1, voted for by as many of the next as it takes."""
        assert self.propose(PSB, *action) is None
        for voter in self.proposal()[4][1:]:
            if not self.proposal()[6]:
                assert self.vote(voter) is None
        assert self.proposal()[6] == self.index

    def proposal(self) -> state.Value:
        found = self.view.get(state.proposal_key(self.latest))
        assert found is not None
        return found

    def agency(self, number: int) -> state.Value:
        found = self.view.get(state.agency_key(number))
        assert found is not None
        return found


@pytest.fixture
def assembly() -> Assembly:
    return Assembly()


@given(data=st.data(), agencies=st.integers(1, 12))
def test_it_passes_with_the_vote_that_makes_two_thirds_and_with_none_before(data: st.DataObject, agencies: int) -> None:
    assembly = Assembly(agencies)
    voters = data.draw(st.permutations(range(1, agencies + 1)))
    proposer, *others = voters
    assert assembly.propose(proposer, proposals.EMPOWER, 1, 1, 0) is None
    yes = 1
    assert bool(assembly.proposal()[6]) == (3 * yes >= 2 * agencies)
    for voter in others:
        decided = bool(assembly.proposal()[6])
        choice = data.draw(st.booleans())
        code = assembly.vote(voter, yes=choice)
        assert code == ("proposal-passed" if decided else None)
        yes += choice and not decided
        assert bool(assembly.proposal()[6]) == (3 * yes >= 2 * agencies)
        assert bool(assembly.agency(1)[7]) == (3 * yes >= 2 * agencies)


@given(yes=st.integers(0, 4096), voters=st.integers(1, 4096))
def test_the_threshold_is_two_thirds_exactly(yes: int, voters: int) -> None:
    assert governance.passes(yes=yes, voters=voters) == (yes * 3 >= voters * 2)


def test_a_proposal_has_the_next_number_and_a_bounded_life(assembly: Assembly) -> None:
    def proposal(number: int, expires: int) -> bytes:
        return records.propose(proposal=number, action=[proposals.SUSPEND, STREET], expires=expires)

    assert assembly.act(PSB, proposal(2, START + DAY)) == "proposal-number-not-next"
    for expires in (START, START + governance.LEAST_LIFE - 1, START + 30 * DAY + 1):
        assert assembly.act(PSB, proposal(1, expires)) == "proposal-life-wrong"
    assert assembly.act(PSB, proposal(1, START + 30 * DAY)) is None
    assert assembly.act(HOME, proposal(1, START + DAY)) == "proposal-number-not-next"


def test_an_agency_votes_once_and_its_proposal_is_its_vote(assembly: Assembly) -> None:
    assert assembly.vote(HOME, 1) == "proposal-unknown"
    assembly.propose(PSB, proposals.SUSPEND, STREET)
    assert assembly.vote(PSB) == "voted-already"
    assert assembly.vote(HOME, yes=False) is None
    assert assembly.vote(HOME) == "voted-already"
    assert assembly.vote(STREET, yes=False) is None
    assert not assembly.agency(STREET)[6]


def test_a_proposal_expires_by_block_time(assembly: Assembly) -> None:
    assembly.propose(PSB, proposals.SUSPEND, STREET, life=DAY)
    assembly.time += DAY + 1
    assert assembly.vote(HOME) == "proposal-expired"
    assembly.propose(PSB, proposals.SUSPEND, STREET, life=DAY)
    assembly.time += DAY
    assert assembly.vote(HOME) is None
    assert assembly.vote(STREET) == "agency-suspended"


def test_nobody_floods_the_others_with_proposals(assembly: Assembly) -> None:
    for _ in range(governance.MAX_OPEN):
        assert assembly.propose(STREET, proposals.EMPOWER, STREET, 1, 0) is None
    assert assembly.propose(STREET, proposals.EMPOWER, STREET, 1, 0) == "too-many-proposals"
    assert assembly.propose(HOME, proposals.SUSPEND, STREET) is None
    assembly.vote(PSB, 1)
    assembly.time += DAY + 1
    assert assembly.propose(STREET, proposals.EMPOWER, STREET, 1, 0) is None


def test_agencies_enrolled_later_have_no_vote_on_it(assembly: Assembly) -> None:
    assembly.propose(STREET, proposals.SUSPEND, HOME)
    open_one = assembly.latest
    assembly.pass_(*NEW.enrol(4))
    assert assembly.vote(4, open_one) == "not-a-voter"
    assert assembly.propose(4, proposals.SUSPEND, HOME) is None
    assert assembly.proposal()[4] == [1, 2, 3, 4]


def test_a_vote_cast_counts_after_its_voter_was_suspended(assembly: Assembly) -> None:
    assembly.propose(STREET, proposals.EMPOWER, PSB, 1, 0)
    open_one = assembly.latest
    assembly.pass_(proposals.SUSPEND, STREET)
    assert assembly.vote(HOME, open_one) is None
    assert assembly.agency(PSB)[7] == [[1, 0]]


IMPOSSIBLE = {
    "enrol out of turn": (NEW.enrol(5), "agency-number-not-next"),
    "enrol again": (NEW.enrol(3), "agency-number-not-next"),
    "suspend a stranger": ((proposals.SUSPEND, 9), "agency-unknown"),
    "reinstate a stranger": ((proposals.REINSTATE, 9), "agency-unknown"),
    "reinstate who is not suspended": ((proposals.REINSTATE, 2), "not-suspended"),
    "rotate a stranger's": (NEW.rotate(9), "agency-unknown"),
    "rotate to a number in use": (NEW.rotate(2, 1), "key-number-not-next"),
    "rotate out of turn": (NEW.rotate(2, 3), "key-number-not-next"),
    "accredit a stranger": ((proposals.ACCREDIT, 9, 1), "agency-unknown"),
    "accredit again": ((proposals.ACCREDIT, 1, 1), "accredited-already"),
    "withdraw a stranger's": ((proposals.DISACCREDIT, 9, 1), "agency-unknown"),
    "withdraw what is not there": ((proposals.DISACCREDIT, 2, 1), "accreditation-unknown"),
    "empower a stranger": ((proposals.EMPOWER, 9, 1, 0), "agency-unknown"),
    "disempower a stranger": ((proposals.DISEMPOWER, 9, 1), "agency-unknown"),
    "disempower without power": ((proposals.DISEMPOWER, 1, 1), "power-not-held"),
    "parameter too small": ((proposals.SET_PARAMETER, proposals.LEAST_VOTERS, 1), "parameter-out-of-range"),
    "parameter too large": ((proposals.SET_PARAMETER, proposals.OUTSTANDING, 257), "parameter-out-of-range"),
    "revoke a stranger's key": ((proposals.REVOKE_KEY, 9, 1, 1), "agency-unknown"),
    "revoke keys there never were": ((proposals.REVOKE_KEY, 2, 2, 1), "key-number-unknown"),
    "revoke the keys in use": ((proposals.REVOKE_KEY, 2, 1, 1), "key-in-use"),
    "rules out of turn": ((proposals.SET_RULES, 3, 1000), "version-not-next"),
    "rules for the past": ((proposals.SET_RULES, 2, 0), "height-passed"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_take_effect_cannot_be_proposed(assembly: Assembly, name: str) -> None:
    action, code = IMPOSSIBLE[name]
    assert assembly.propose(PSB, *action) == code


def test_a_deciding_vote_is_refused_while_the_action_is_impossible(assembly: Assembly) -> None:
    assembly.propose(STREET, *NEW.enrol(4))
    late = assembly.latest
    assembly.pass_(*KeySet(41).enrol(4))
    assert assembly.vote(HOME, late) == "agency-number-not-next"
    assert assembly.vote(HOME, late, yes=False) is None


def test_a_suspension_never_leaves_one_agency_to_decide(assembly: Assembly) -> None:
    assembly.pass_(proposals.SUSPEND, STREET)
    assert assembly.propose(PSB, proposals.SUSPEND, HOME) == "too-few-voters"
    assert assembly.propose(PSB, proposals.SUSPEND, STREET) == "suspended-already"
    assembly.pass_(proposals.REINSTATE, STREET)
    assembly.pass_(proposals.SET_PARAMETER, proposals.LEAST_VOTERS, 3)
    assert assembly.propose(PSB, proposals.SUSPEND, STREET) == "too-few-voters"


def example(kind: int) -> bytes:
    """A record of each kind that an agency in good standing might send."""
    return {
        records.TYPE: type_record(),
        records.MATTER: matter_record(),
        records.MATTER_APPROVE: approval(),
        records.ISSUE: issue_record(),
        records.STATUS: records.status(type=1, list=1, version=1, digest=DIGEST),
        records.GRANT: grant_record(SECRET),
        records.WITHDRAW: records.withdraw(secret=SECRET),
        records.USAGE: usage_record(SECRET),
        records.PROPOSE: records.propose(proposal=2, action=[proposals.REINSTATE, 3], expires=START + DAY),
        records.VOTE: records.vote(proposal=1, yes=True),
        records.STATUTORY: records.statutory(power=1, type=1, mask=1, tag=DIGEST, context_digest=DIGEST),
        records.REVEAL: records.reveal(index=1, tag=DIGEST, salt=DIGEST),
        records.EVIDENCE: records.evidence(evidence=1, digest=DIGEST),
        records.EQUIVOCATION: records.equivocation(
            bls_key=bytes(48), size=1, one=(DIGEST, DIGEST, bytes(96)), two=(DIGEST, bytes(32), bytes(96))
        ),
    }[kind]


@pytest.mark.parametrize("kind", records.KINDS)
def test_a_suspended_agency_records_nothing(assembly: Assembly, kind: int) -> None:
    assembly.pass_(proposals.SUSPEND, STREET)
    assert assembly.act(STREET, example(kind)) == "agency-suspended"


def test_suspension_of_a_recorder_stops_uses_and_not_withdrawals(assembly: Assembly) -> None:
    for agency, record in ((PSB, type_record()), (STREET, matter_record()), (PSB, approval())):
        assert assembly.act(agency, record) is None
    assert assembly.act(HOME, grant_record(SECRET)) is None
    assert assembly.propose(PSB, proposals.SUSPEND, HOME) is None
    assert assembly.vote(STREET) is None
    assert assembly.act(STREET, usage_record(SECRET)) == "recorder-suspended"
    assert assembly.propose(PSB, proposals.REINSTATE, HOME) is None
    assert assembly.vote(STREET) is None
    assert assembly.act(STREET, usage_record(SECRET)) is None
    assert assembly.propose(PSB, proposals.SUSPEND, HOME) is None
    assert assembly.vote(STREET) is None
    assert assembly.act(STREET, records.withdraw(secret=SECRET)) is None


def test_an_enrolled_agency_works_and_can_be_accredited(assembly: Assembly) -> None:
    assembly.pass_(*NEW.enrol(4))
    assert assembly.act(4, type_record(type_=7)) == "not-accredited"
    assembly.pass_(proposals.ACCREDIT, 4, 7)
    assert assembly.act(4, type_record(type_=7)) is None
    assembly.pass_(proposals.DISACCREDIT, 4, 7)
    assert assembly.act(4, type_record(version=2, type_=7)) == "not-accredited"
    assert assembly.act(4, records.issue(type=7, type_version=1, commitment=DIGEST)) == "not-accredited"
    assert assembly.act(4, records.status(type=7, list=1, version=1, digest=DIGEST)) is None


def test_rotated_keys_are_the_agencys_and_the_old_ones_stay_known(assembly: Assembly) -> None:
    before = assembly.agency(HOME)
    new = NEW.public
    assembly.pass_(*NEW.rotate(HOME))
    assert assembly.agency(HOME)[:4] == [2, *new]
    assert assembly.agency(HOME)[4:] == before[4:]
    assert assembly.view.get(state.key_key(HOME, 1)) == [*before[1:4], 0, assembly.index, 0]
    assert assembly.view.get(state.key_key(HOME, 2)) == [*new, assembly.index, 0, 0]


def test_keys_are_enrolled_and_rotated_only_by_who_proves_to_hold_them(assembly: Assembly) -> None:
    """A proof serves these keys, this agency, this number and this ledger, and each key has its part in it."""
    for good in (NEW.enrol(4), NEW.rotate(HOME)):
        *stated, proof = good
        assert isinstance(proof, bytes)
        for at in (0, 64, 128):
            flipped = proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :]
            assert assembly.propose(PSB, *stated, flipped) == "possession-unproven"
        assert assembly.propose(PSB, *stated, bytes(192)) == "possession-unproven"
    *copied, _ = NEW.enrol(4)
    thief = KeySet(41)
    assert assembly.propose(PSB, *copied, thief.enrol(4)[-1]) == "possession-unproven"
    assert assembly.propose(PSB, *NEW.rotate(HOME)[:-1], NEW.rotate(STREET)[-1]) == "possession-unproven"
    assert assembly.propose(PSB, *NEW.enrol(4, ledger_id=DIGEST)) == "possession-unproven"
    assert assembly.propose(PSB, *NEW.enrol(4)) is None


def test_a_key_an_agency_had_does_not_come_back(assembly: Assembly) -> None:
    assembly.pass_(*NEW.rotate(HOME))
    assembly.pass_(*KeySet(41).rotate(HOME, 3))
    assert assembly.propose(PSB, *NEW.rotate(HOME, 4)) == "key-used-before"


def test_revoked_keys_are_void_from_an_entry_on_and_never_later_again(assembly: Assembly) -> None:
    assembly.index = 50
    assembly.pass_(*NEW.rotate(HOME))
    rotated = assembly.index
    assert assembly.propose(PSB, proposals.REVOKE_KEY, HOME, 1, 1000) == "since-in-future"
    assembly.pass_(proposals.REVOKE_KEY, HOME, 1, 20)
    key = assembly.view.get(state.key_key(HOME, 1))
    assert key is not None
    assert key[3:] == [0, rotated, 20]
    assert assembly.propose(PSB, proposals.REVOKE_KEY, HOME, 1, 21) == "key-revoked-already"
    assert assembly.propose(PSB, proposals.REVOKE_KEY, HOME, 1, 20) == "key-revoked-already"
    assembly.pass_(proposals.REVOKE_KEY, HOME, 1, 5)
    assembly.pass_(*KeySet(41).rotate(HOME, 3))
    assert assembly.view.get(state.key_key(HOME, 1)) == [*key[:4], rotated, 5]


def test_a_single_agency_decides_by_proposing() -> None:
    assembly = Assembly(1)
    assert assembly.propose(1, proposals.ACCREDIT, 1, 9) is None
    assert assembly.agency(1)[5] == [9]
    assert assembly.vote(1) == "proposal-passed"


def test_every_sentence_of_an_action_can_be_said() -> None:
    for number, action in proposals.ACTIONS.items():
        values = [[[1, b"", b"", b"", 1]] if name == "validators" else 1 for name, _ in action.fields]
        zh, en = proposals.sentence([number, *values], agency=lambda n: ("甲", "A"), type_=lambda n: ("证", "T"))
        assert zh
        assert en
        assert "{" not in zh + en


def test_a_kind_that_the_rules_version_has_not_is_unknown(assembly: Assembly) -> None:
    value = records.decode_record(type_record())
    assert isinstance(value, list)
    act = Act(PSB, value, START, 5, entries.wrap(START, PSB, type_record()), bytes(32))
    without = {kind: rule for kind, rule in RULES.items() if kind != records.TYPE}
    assert rulesets.judge(assembly.view, act, without) == "kind-unknown"
