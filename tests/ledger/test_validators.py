"""Validators by vote: keys proven and never used twice, the quorum kept, and proof that one lied."""

import dataclasses
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.ledger import founding, fsck
from gov_chain.ledger.core import (
    bls,
    checkpoint,
    entries,
    genesis,
    machine,
    note,
    proposals,
    quorum,
    records,
    state,
    transaction,
    validators,
)
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.genesis import FoundingAgency, FoundingValidator, Genesis
from gov_chain.ledger.core.state import View
from gov_chain.ledger.core.validators import Validator
from tests.ledger.test_governance import Assembly
from tests.ledger.town import (
    DIGEST,
    GENESIS,
    ORIGIN,
    POINT,
    PSB,
    START,
    VERIFIER,
    Town,
    bls_secret,
    founding_validator,
    public_key,
    secret_key,
)

IN, OUT, ROTATE, FOUND = (
    proposals.VALIDATOR_IN,
    proposals.VALIDATOR_OUT,
    proposals.VALIDATOR_ROTATE,
    proposals.VALIDATORS_FOUND,
)
IDENTITY = b"\xc0" + bytes(47)
WRONG_SUBGROUP = b"\x80" + bytes(46) + b"\x04"
"""x = 4 is on the curve, outside the prime-order subgroup."""


def consortium(agencies: int, *powers: int) -> Genesis:
    """So many agencies, of which the first few are validators with these powers."""
    return Genesis(
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
        validators=tuple(founding_validator(number, power) for number, power in enumerate(powers, 1)),
    )


class Consortium(Assembly):
    """An assembly whose first agencies are validators; each vote in a second of its own."""

    def __init__(self, agencies: int = 7, powers: tuple[int, ...] = (1, 1, 1, 1)) -> None:
        super().__init__()
        self.view = machine.found(genesis.build(consortium(agencies, *powers)))

    def pass_(self, *action: int | bytes) -> None:
        self.time += 1
        super().pass_(*action)

    @property
    def rows(self) -> state.Value:
        return self.view.get(state.VALIDATORS) or []

    def power(self, agency: int) -> int:
        return next((row[3] for row in self.rows if row[0] == agency), 0)


def joining(agency: int, power: int = 1, key: int = 0) -> list[int | bytes]:
    row = founding_validator(key or agency, power).row
    return [IN, agency, *row[1:]]


def rotation(agency: int, key: int) -> list[int | bytes]:
    return [ROTATE, agency, *founding_validator(key).row[1:4]]


@pytest.fixture
def four() -> Consortium:
    return Consortium()


def test_genesis_names_validators_and_without_them_is_as_it_was() -> None:
    entry = genesis.build(consortium(4, 1, 1, 1, 2))
    assert [each.power for each in genesis.parse(entry).validators] == [1, 1, 1, 2]
    plain = genesis.build(GENESIS)
    assert genesis.parse(plain).validators == ()
    _, _, record = entries.unwrap(plain)
    assert (record[1], len(record)) == (1, 7), "format 1, to the byte: the published receipts hold it to that"


def swapped(**changes: object) -> FoundingValidator:
    return dataclasses.replace(founding_validator(4), **changes)


@pytest.mark.parametrize(
    "fourth",
    [
        swapped(agency=9),
        swapped(agency=3),
        swapped(power=2),
        swapped(bls_key=founding_validator(1).bls_key, possession=founding_validator(1).possession),
        swapped(consensus_key=founding_validator(1).consensus_key),
        swapped(possession=founding_validator(3).possession),
        swapped(bls_key=IDENTITY),
        swapped(bls_key=WRONG_SUBGROUP),
    ],
    ids=["stranger", "twice", "a third", "key twice", "consensus key twice", "foreign proof", "identity", "subgroup"],
)
def test_genesis_with_a_faulty_validator_founds_nothing(fourth: FoundingValidator) -> None:
    three = consortium(4, 1, 1, 1)
    with pytest.raises(LedgerError, match="record-malformed"):
        machine.found(genesis.build(dataclasses.replace(three, validators=(*three.validators, fourth))))


def test_a_validator_joins_rotates_and_leaves(four: Consortium) -> None:
    four.pass_(*joining(5))
    assert [row[0] for row in four.rows] == [1, 2, 3, 4, 5]
    four.pass_(*rotation(5, key=15))
    assert four.rows[4] == [5, public_key(115), bls.sk_to_pk(bls_secret(15)), 1]
    four.pass_(OUT, 5)
    assert [row[0] for row in four.rows] == [1, 2, 3, 4]
    first = four.view.get(state.validator_key_key(bls.sk_to_pk(bls_secret(5))))
    assert first is not None
    assert 0 < first[1] < first[2]


REFUSED = {
    "an agency nobody knows": (joining(9), "agency-unknown"),
    "an agency that has one": (joining(4, key=14), "validator-already"),
    "another's BLS key": ([*joining(5)[:3], *joining(5, key=1)[3:]], "validator-key-taken"),
    "another's consensus key": ([IN, 5, founding_validator(1).consensus_key, *joining(5)[3:]], "validator-key-taken"),
    "a proof by another key": ([*joining(5)[:4], founding_validator(6).possession, 1], "possession-wrong"),
    "the identity point": ([IN, 5, public_key(105), IDENTITY, b"\xc0" + bytes(95), 1], "possession-wrong"),
    "a point of another subgroup": ([IN, 5, public_key(105), WRONG_SUBGROUP, bytes(96), 1], "possession-wrong"),
    "a third of the power": (joining(5, power=2), "validator-too-strong"),
    "one fewer than four": ([OUT, 4], "validators-too-few"),
    "one that is none": ([OUT, 5], "validator-unknown"),
    "rotating one that is none": (rotation(5, key=15), "validator-unknown"),
    "rotating to the same keys": (rotation(4, key=4), "validator-key-taken"),
    "founding again": ([FOUND, [founding_validator(n).row for n in (1, 2, 3, 4)]], "validators-founded-already"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_endangers_the_quorum_or_proves_nothing_is_refused(four: Consortium, name: str) -> None:
    action, code = REFUSED[name]
    before = four.rows
    assert four.propose(PSB, *action) == code
    assert four.rows == before


def test_a_suspended_agency_does_not_become_a_validator(four: Consortium) -> None:
    four.pass_(proposals.SUSPEND, 5)
    assert four.propose(PSB, *joining(5)) == "suspended-already"


def test_a_key_never_comes_back(four: Consortium) -> None:
    four.pass_(*joining(5))
    four.pass_(OUT, 5)
    assert four.propose(PSB, *joining(5)) == "validator-key-taken"
    assert four.propose(PSB, *joining(6, key=5)) == "validator-key-taken"
    four.pass_(*joining(5, key=15))


def test_too_much_power_does_not_leave_at_once() -> None:
    """10 of 31 leaves 21: 3 · 21 > 62. 11 of 32 leaves 21: 3 · 21 is not above 64, but no validator is so strong."""
    heavy = Consortium(7, (10, 7, 7, 7, 1))
    heavy.pass_(OUT, 5)
    assert validators.change(heavy.rows, heavy.rows[1:]).needed == 21
    assert heavy.propose(PSB, OUT, 1) == "validators-too-few"
    strong = [[1, b"", b"", 11], [2, b"", b"", 7], [3, b"", b"", 7], [4, b"", b"", 7]]
    more = [*strong[1:], [5, b"", b"", 6], [6, b"", b"", 6]]
    assert validators.change(strong, more).refusal() == "quorum-endangered"


def test_validators_change_once_in_a_second(four: Consortium) -> None:
    for number in (5, 6):
        assert four.propose(PSB, *joining(number)) is None
    for voter in (2, 3, 4):
        assert four.vote(voter, 1) is None
        assert four.vote(voter, 2) is None
    four.time += 1
    assert four.vote(5, 1) is None
    assert four.vote(5, 2) == "validators-changed-just-now"
    four.time += 1
    assert four.vote(5, 2) is None
    assert len(four.rows) == 6


def test_a_ledger_without_validators_founds_them_together() -> None:
    town = Consortium(6, ())
    assert town.propose(PSB, *joining(1)) == "validators-not-founded"
    rows = [founding_validator(number).row for number in (1, 2, 3, 4)]
    for bad, code in (
        ([*rows[:3], rows[2]], "validator-already"),
        ([*rows[:3], [9, *rows[3][1:]]], "agency-unknown"),
        ([*rows[:3], [*rows[3][:3], rows[0][3], 1]], "possession-wrong"),
        ([*rows[:3], [*rows[3][:4], 2]], "validator-too-strong"),
    ):
        assert town.propose(PSB, FOUND, bad) == code
    town.pass_(FOUND, rows)
    assert len(town.rows) == 4


@given(
    powers=st.lists(st.integers(1, 50), min_size=4, max_size=12),
    data=st.data(),
)
def test_an_allowed_change_leaves_a_quorum_of_either_set_to_those_who_stay(
    powers: list[int], data: st.DataObject
) -> None:
    before = [[number, b"%d" % number, b"%d." % number, power] for number, power in enumerate(powers, 1)]
    leave = data.draw(st.sets(st.integers(1, len(powers))))
    join = data.draw(st.lists(st.integers(1, 50), max_size=6))
    stay = [row for row in before if row[0] not in leave]
    after = stay + [[100 + number, b"+%d" % number, b"+%d." % number, power] for number, power in enumerate(join)]
    change = validators.change(before, after)
    assert change.stays == sum(row[3] for row in stay)
    if change.refusal() is None:
        for rows in (before, after):
            total = sum(row[3] for row in rows)
            assert 3 * change.stays > 2 * total
        assert all(3 * row[3] < change.after for row in after)
        assert len(after) >= 4
    elif change.refusal() == "quorum-endangered":
        assert 3 * change.stays <= 2 * max(change.before, change.after)


def test_the_set_has_one_encoding_and_refuses_others() -> None:
    made = machine.found(genesis.build(consortium(4, 1, 1, 1, 1)))
    rows = made.get(state.VALIDATORS)
    assert rows is not None
    known = validators.of(rows)
    assert validators.parse(known.encoding) == known
    assert known.digest == validators.digest(rows)
    assert known.position(rows[2][2]) == 2
    assert (known.is_quorum(2), known.is_quorum(3)) == (False, True)
    for wrong in (known.encoding[:-1], known.encoding + b"\x00", b"", b"\x80", b"\x01", b"\x81\x01"):
        with pytest.raises(LedgerError, match="validators-malformed"):
            validators.parse(wrong)
    for rows_wrong in ([rows[1], rows[0]], [rows[0], rows[0]], [rows[0], [2, *rows[0][1:]]], []):
        with pytest.raises(LedgerError, match="validators-malformed"):
            validators.of(rows_wrong)


def test_abci_updates_are_what_changed_by_consensus_key() -> None:
    one, two, three = (Validator(n, bytes([n]) * 32, bytes(48), 1) for n in (1, 2, 3))
    stronger = dataclasses.replace(two, power=5)
    rotated = dataclasses.replace(one, consensus_key=bytes([9]) * 32)
    assert validators.updates([one, two], [one, two]) == []
    assert validators.updates([], [one]) == [(one.consensus_key, 1)]
    assert validators.updates([one, two], [rotated, stronger, three]) == [
        (one.consensus_key, 0),
        (two.consensus_key, 5),
        (three.consensus_key, 1),
        (rotated.consensus_key, 1),
    ]


def statement(number: int, size: int, body: bytes) -> tuple[bytes, bytes, bytes]:
    return (DIGEST, body, bls.sign(bls_secret(number), quorum.statement(DIGEST, size, body)))


ONE, TWO = sha256(b"one").digest(), sha256(b"two").digest()


def test_two_statements_of_one_size_are_proof_once(four: Consortium) -> None:
    key = bls.sk_to_pk(bls_secret(3))

    def proof(one: tuple[bytes, bytes, bytes], two: tuple[bytes, bytes, bytes], of: bytes = key) -> bytes:
        return records.equivocation(bls_key=of, size=40, one=one, two=two)

    first, second = statement(3, 40, ONE), statement(3, 40, TWO)
    assert four.act(5, proof(first, first)) == "statements-agree"
    assert four.act(5, proof(first, statement(3, 41, TWO))) == "statement-unsigned"
    assert four.act(5, proof(first, statement(4, 40, TWO))) == "statement-unsigned"
    assert four.act(5, proof(first, second, bls.sk_to_pk(bls_secret(9)))) == "validator-key-unknown"
    assert four.act(5, proof(first, second)) is None
    found = four.view.get(state.validator_key_key(key))
    assert found == [3, 0, 0, four.index]
    assert four.act(6, proof(second, first)) == "equivocation-known"
    assert len(four.rows) == 4


def test_proof_holds_against_a_validator_that_left(four: Consortium) -> None:
    four.pass_(*joining(5))
    four.pass_(OUT, 5)
    key = bls.sk_to_pk(bls_secret(5))
    proof = records.equivocation(bls_key=key, size=9, one=statement(5, 9, ONE), two=statement(5, 9, TWO))
    assert four.act(PSB, proof) is None


def test_a_transaction_holds_few_records_that_need_a_pairing() -> None:
    view = machine.found(genesis.build(GENESIS))
    record = records.equivocation(bls_key=bytes(48), size=1, one=(DIGEST, ONE, bytes(96)), two=(DIGEST, TWO, bytes(96)))
    signed = transaction.parse(
        transaction.build(
            ledger_id=DIGEST,
            agency=1,
            key_no=1,
            sequence=1,
            valid_until=START + 60,
            records=[record] * (machine.MAX_PAIRINGS + 2),
            sign=secret_key(1).sign,
        )
    )
    done = machine.execute(View(view.get), signed, ledger_id=DIGEST, time=START, first=1)
    assert list(done.refused.values()) == ["validator-key-unknown"] * machine.MAX_PAIRINGS + ["too-many-pairings"] * 2


def test_checkpoints_name_the_set_and_fsck_compares(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    founding.found(ledger, consortium(3, 1, 1, 1), origin=ORIGIN, sign=secret_key(0).sign)
    text = (ledger / "ledger.sqlite3").read_bytes().find(b"\nvalidators ")
    assert text > 0
    assert fsck.check(ledger, vkey=VERIFIER.vkey).findings == []


def test_a_ledger_without_validators_says_nothing_of_them(town: Town) -> None:
    head = checkpoint.parse(note.split(town.reader.checkpoint())[0])
    assert head.validators is None
    assert len(head.extensions) == 1
