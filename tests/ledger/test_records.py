from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.proposals import ACTIONS, HOME
from gov_chain.ledger.core.shapes import Choice, Fixed, Many, Point, Row, Shape, Signatures, Uint
from tests.ledger.town import (
    DIGEST,
    POINT,
    START,
    KeySet,
    approval,
    grant_record,
    issue_record,
    matter_record,
    type_record,
    usage_record,
)

SECRET = b"s" * 32
GOOD = {
    records.TYPE: type_record(),
    records.MATTER: matter_record(),
    records.MATTER_APPROVE: approval(),
    records.ISSUE: issue_record(DIGEST),
    records.GRANT: grant_record(SECRET),
    records.WITHDRAW: records.withdraw(secret=SECRET),
    records.USAGE: usage_record(SECRET),
    records.STATUS: records.status(type=1, list=1, version=1, digest=DIGEST),
    records.PROPOSE: records.propose(proposal=1, action=KeySet(4).enrol(4), expires=START + 86400),
    records.VOTE: records.vote(proposal=1, yes=True),
    records.STATUTORY: records.statutory(power=1, type=1, mask=1, tag=DIGEST, context_digest=DIGEST),
    records.REVEAL: records.reveal(index=1, tag=DIGEST, salt=DIGEST),
    records.EVIDENCE: records.evidence(evidence=1, digest=DIGEST),
    records.EQUIVOCATION: records.equivocation(
        bls_key=bytes(48), size=7, one=(DIGEST, DIGEST, bytes(96)), two=(DIGEST, bytes(32), bytes(96))
    ),
}
FIELDS = [(kind, at, name) for kind, row in records.KINDS.items() for at, (name, _) in enumerate(row.fields, 1)]


@pytest.mark.parametrize("number", ACTIONS)
def test_every_action_fits_the_table(number: int) -> None:
    action = [number, *(example(shape) for _, shape in ACTIONS[number].fields)]
    record = records.parse(records.propose(proposal=1, action=action, expires=START))
    assert record.values["action"] == action


def test_there_is_an_example_of_every_kind() -> None:
    assert GOOD.keys() == records.KINDS.keys()


@pytest.mark.parametrize("kind", GOOD)
def test_a_record_parses_to_its_fields(kind: int) -> None:
    record = records.parse(GOOD[kind])
    assert record.kind == kind
    assert list(record.values) == [name for name, _ in records.KINDS[kind].fields]


def wrong_values(shape: Shape) -> list[Any]:
    """Values next to a shape: of another type, one too small, one too large, too short, too long."""
    wrong: list[Any] = ["110101199003070011", None, True, 1.5, -1, {}, b"", [None]]
    match shape:
        case Uint(limit, least):
            wrong += [limit, least - 1, DIGEST, [1]]
        case Signatures(count):
            wrong += [bytes(64 * count - 1), bytes(64 * count + 1), b"", 1, "x"]
        case Fixed(size):
            wrong += [bytes(size - 1), bytes(size + 1), 1, []]
        case Many(item, most, least):
            wrong += [1, DIGEST, [example(item)] * (most + 1), *([[]] if least else [])]
            wrong += [[each] for each in wrong_values(item)]
        case Row(items):
            row = [example(item) for item in items]
            wrong += [row[:-1], [*row, 1]]
            for at, item in enumerate(items):
                wrong += [[*row[:at], each, *row[at + 1 :]] for each in wrong_values(item)]
        case Point():
            off_the_curve = b"\x02" + (1).to_bytes(32)
            wrong += [POINT[1:], POINT + b"\x00", b"\x04" + POINT[1:], b"\x02" + b"\xff" * 32, off_the_curve, 1]
        case Choice(rows):
            wrong += [[], [0], [max(rows) + 1], [[1]]]
            for number, row_shape in rows.items():
                wrong += [[number, *each] for each in wrong_values(row_shape) if type(each) is list]
    return wrong


def example(shape: Shape) -> Any:
    match shape:
        case Uint(_, least):
            return least
        case Signatures(count):
            return bytes(64 * count)
        case Fixed(size):
            return bytes(size)
        case Many(item, _, least):
            return [example(item)] * least
        case Row(items):
            return [example(item) for item in items]
        case Point():
            return POINT
        case Choice(rows):
            return [min(rows), *example(rows[min(rows)])]


@pytest.mark.parametrize(("kind", "at", "name"), FIELDS, ids=str)
def test_a_record_with_this_field_wrong_is_malformed(kind: int, at: int, name: str) -> None:
    shape = records.KINDS[kind].fields[at - 1][1]
    for value in wrong_values(shape):
        record = [*cbor2.loads(GOOD[kind])]
        record[at] = value
        assert records.decode_record(cbor2.dumps(record)) == "record-malformed", value


@pytest.mark.parametrize("kind", GOOD)
def test_a_field_more_or_less_is_malformed(kind: int) -> None:
    record = cbor2.loads(GOOD[kind])
    assert records.decode_record(cbor2.dumps([*record, 1])) == "record-malformed"
    assert records.decode_record(cbor2.dumps(record[:-1])) == "record-malformed"


@pytest.mark.parametrize("kind", [0, 1, 2, 9, 13, 255, 2**63])
def test_kinds_that_nobody_may_submit_are_unknown(kind: int) -> None:
    assert records.decode_record(cbor2.dumps([kind, 1])) == "kind-unknown"


@pytest.mark.parametrize("kind", GOOD)
def test_another_encoding_of_a_record_is_malformed(kind: int) -> None:
    body = GOOD[kind]
    assert body[1] == 0x0A or body[1] == 0x18 or body[1] < 0x18
    longer = body[:1] + b"\x19\x00" + bytes([kind]) + body[2 if kind < 24 else 3 :]
    assert cbor2.loads(longer) == cbor2.loads(body)
    assert records.decode_record(longer) == "record-malformed"


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_record_or_refused(data: bytes) -> None:
    found = records.decode_record(data)
    assert isinstance(found, list) or found in ("record-malformed", "kind-unknown")


def test_an_oversized_record_is_malformed() -> None:
    assert records.decode_record(bytes(records.MAX_RECORD + 1)) == "record-malformed"


def test_a_builder_refuses_what_the_table_refuses() -> None:
    with pytest.raises(LedgerError, match="record-malformed"):
        records.propose(proposal=1, action=[2, HOME], expires=START)
    with pytest.raises(LedgerError, match="record-malformed"):
        records.issue(type=0, type_version=1, commitment=DIGEST)


def test_no_record_can_hold_anything_but_bounded_integers_and_fixed_digests() -> None:
    """The privacy lint: no text, no free bytes, no integer that fits an 18-digit identity number."""
    identity_number = 10**17

    def lint(shape: Shape) -> None:
        match shape:
            case Uint(limit, _):
                assert limit <= 2**40 < identity_number
            case Fixed(48 | 96):
                pass  # a BLS key or signature: the rules accept none that does not verify
            case Fixed(size):
                assert size == 32
            case Point() | Signatures():
                pass  # a rule verifies each signature
            case Choice(rows):
                for row in rows.values():
                    lint(row)
            case Many(item, most, _):
                assert most <= 32
                lint(item)
            case Row(items):
                for item in items:
                    lint(item)
            case _:
                pytest.fail(f"a shape the lint does not know: {shape}")

    for kind in records.KINDS.values():
        for _, shape in kind.fields:
            lint(shape)
