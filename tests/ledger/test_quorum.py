"""Certificates and the sets they follow: what a verifier accepts, and everything it refuses."""

import dataclasses
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain import cli
from gov_chain.ledger import fsck
from gov_chain.ledger.core import bls, checkpoint, note, proposals, quorum, receipt, state, state_proof, validators
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.quorum import Followed, Link
from gov_chain.ledger.core.validators import ValidatorSet
from gov_chain.ledger.reader import Reader
from tests.ledger.committee import Committee, certificate
from tests.ledger.test_validators import consortium, joining
from tests.ledger.town import DIGEST, ORIGIN, VERIFIER, bls_secret, public_key, secret_key


def committee_of(*powers: int) -> ValidatorSet:
    founding = consortium(len(powers), *powers)
    return validators.of([[each.agency, each.consensus_key, each.bls_key, each.power] for each in founding.validators])


FOUR = committee_of(1, 1, 1, 1)
OTHER = committee_of(1, 1, 1, 1, 1)


def head(size: int = 9, names: ValidatorSet | None = FOUR, origin: str = ORIGIN) -> Checkpoint:
    lines = checkpoint.commitments(DIGEST, None if names is None else names.digest)
    return Checkpoint(origin, size, DIGEST, lines)


def noted(of: Checkpoint, line: str) -> str:
    return f"{of.text}\n{line}"


def relined(line: str, change: Any) -> str:
    """The line with its bytes changed."""
    name, _, encoded = line.removeprefix(note.DASH).rstrip("\n").partition(" ")
    return f"{note.DASH}{name} {b64encode(change(b64decode(encoded))).decode()}\n"


@pytest.fixture(scope="module")
def line() -> str:
    return certificate(head(), FOUR, 1, 2, 3)


def test_three_of_four_certify(line: str) -> None:
    found = Followed(ORIGIN, FOUR).certify(noted(head(), line))
    assert found == head()


def test_without_a_line_of_a_known_set_there_is_no_certificate(line: str) -> None:
    followed = Followed(ORIGIN, FOUR)
    signed = note.sign(head().text, VERIFIER, secret_key(0).sign)
    assert followed.certify(signed) is None
    assert Followed(ORIGIN, OTHER).certify(noted(head(), line)) is None
    assert followed.certify(signed + certificate(head(names=OTHER), OTHER, 1, 2, 3, 4)) is None


FALSE = {
    "below the quorum": (lambda line: certificate(head(), FOUR, 1, 2), "quorum-not-reached"),
    "a bit of one who did not sign": (lambda line: relined(line, lambda b: b[:-1] + b"\x0f"), "certificate-wrong"),
    "a bit less": (lambda line: relined(line, lambda b: b[:-1] + b"\x03"), "quorum-not-reached"),
    "other three": (lambda line: relined(line, lambda b: b[:-1] + b"\x0e"), "certificate-wrong"),
    "a bit beyond the set": (lambda line: relined(line, lambda b: b[:-1] + b"\x17"), "certificate-malformed"),
    "no bit": (lambda line: relined(line, lambda b: b[:-1] + b"\x00"), "certificate-malformed"),
    "a bitmap too long": (lambda line: relined(line, lambda b: b + b"\x00"), "certificate-malformed"),
    "no bitmap": (lambda line: relined(line, lambda b: b[:-1]), "certificate-malformed"),
    "another set's digest": (
        lambda line: relined(line, lambda b: b[:4] + OTHER.digest + b[36:]),
        "certificate-malformed",
    ),
    "the identity as aggregate": (
        lambda line: relined(line, lambda b: b[:36] + b"\xc0" + bytes(95) + b[132:]),
        "certificate-wrong",
    ),
    "a bit of the aggregate": (
        lambda line: relined(line, lambda b: b[:60] + bytes([b[60] ^ 1]) + b[61:]),
        "certificate-wrong",
    ),
    "another checkpoint's": (lambda line: certificate(head(10), FOUR, 1, 2, 3), "certificate-wrong"),
    "another origin's": (lambda line: certificate(head(origin="other.example"), FOUR, 1, 2, 3), "certificate-wrong"),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_certificate_is_refused(line: str, name: str) -> None:
    make, code = FALSE[name]
    with pytest.raises(LedgerError, match=code):
        Followed(ORIGIN, FOUR).certify(noted(head(), make(line)))


def test_another_origin_or_set_in_the_text_is_refused() -> None:
    foreign = head(origin="other.example")
    made = certificate(foreign, FOUR, 1, 2, 3)
    with pytest.raises(LedgerError, match="checkpoint-malformed"):
        Followed(ORIGIN, FOUR).certify(noted(foreign, made))
    silent = head(names=None)
    with pytest.raises(LedgerError, match="certificate-wrong"):
        Followed(ORIGIN, FOUR).certify(noted(silent, certificate(silent, FOUR, 1, 2, 3)))


def test_sets_follow_each_other_by_certificates() -> None:
    followed = Followed(ORIGIN, FOUR)
    change = head(20, names=OTHER)
    followed.follow(Link(OTHER.encoding, noted(change, certificate(change, FOUR, 1, 2, 4))))
    later = head(21, names=OTHER)
    assert followed.certify(noted(later, certificate(later, OTHER, 1, 2, 3, 5))) == later
    assert followed.certify(noted(change, certificate(change, FOUR, 1, 2, 4))) == change
    earlier = head(19)
    assert followed.certify(noted(earlier, certificate(earlier, FOUR, 1, 2, 3))) == earlier


def test_a_set_certifies_nothing_outside_its_term() -> None:
    followed = Followed(ORIGIN, FOUR)
    change = head(20, names=OTHER)
    followed.follow(Link(OTHER.encoding, noted(change, certificate(change, FOUR, 1, 2, 4))))
    for size, names, of in ((21, FOUR, FOUR), (21, OTHER, FOUR), (20, OTHER, OTHER), (19, OTHER, OTHER)):
        beyond = head(size, names=names)
        with pytest.raises(LedgerError, match="certificate-wrong"):
            followed.certify(noted(beyond, certificate(beyond, of, 1, 2, 3, 4)))
    for size, names in ((19, OTHER), (20, FOUR)):
        other = head(size, names=names)
        with pytest.raises(LedgerError, match="certificate-wrong"):
            followed.certify(noted(other, certificate(other, FOUR, 1, 2, 3)))


def test_a_link_that_does_not_hold_is_not_followed() -> None:
    change, plain = head(20, names=OTHER), head(20)
    good = certificate(change, FOUR, 1, 2, 4)
    for encoding, text in (
        (FOUR.encoding, noted(plain, certificate(plain, FOUR, 1, 2, 3))),
        (FOUR.encoding, noted(change, good)),
        (OTHER.encoding, noted(plain, certificate(plain, FOUR, 1, 2, 3))),
        (OTHER.encoding, noted(change, certificate(change, OTHER, 1, 2, 3, 4))),
    ):
        with pytest.raises(LedgerError, match="validators-foreign"):
            Followed(ORIGIN, FOUR, [Link(encoding, text)])
    with pytest.raises(LedgerError, match="quorum-not-reached"):
        Followed(ORIGIN, FOUR, [Link(OTHER.encoding, noted(change, certificate(change, FOUR, 1, 2)))])
    with pytest.raises(LedgerError, match="validators-malformed"):
        Followed(ORIGIN, FOUR, [Link(OTHER.encoding + b"\x00", noted(change, good))])


@given(
    powers=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    data=st.data(),
)
def test_join_certifies_exactly_when_the_right_shares_are_a_quorum(powers: list[int], data: st.DataObject) -> None:
    of = committee_of(*powers)
    subject = head(7, names=of)
    message = quorum.statement_of(subject, of.digest)
    places = st.sets(st.integers(0, len(powers) - 1))
    offered, false = data.draw(places), data.draw(places)
    shares = {at: bls.sign(bls_secret(at + 1), b"not this" if at in false else message) for at in offered}
    made, wrong = quorum.join(shares, subject, of)
    right = offered - false
    assert sorted(wrong) == sorted(offered & false)
    assert (made is not None) == (3 * of.power(right) > 2 * of.total)
    if made is not None:
        text = noted(subject, quorum.line(made, origin=ORIGIN, count=len(powers)))
        assert Followed(ORIGIN, of).certify(text) == subject


def test_the_pin_is_a_verifier_key() -> None:
    pin = quorum.vkey(ORIGIN, FOUR.digest)
    assert quorum.parse_vkey(pin + "\n") == (ORIGIN, FOUR.digest)
    assert checkpoint.is_quorum(pin)
    name, shown, encoded = pin.split("+", 2)
    for wrong in ("", name, VERIFIER.vkey, f"{name}+{shown}+{encoded[:-4]}", f"{ORIGIN}+{shown}+{encoded}"):
        with pytest.raises(LedgerError, match="vkey-malformed"):
            quorum.parse_vkey(wrong)
    with pytest.raises(LedgerError, match="validators-foreign"):
        Followed.pinned(pin, [OTHER.encoding], [])


def test_a_node_signs_as_origin_and_agency() -> None:
    verifier = note.Verifier(f"{ORIGIN}/3", public_key(3))
    signed = note.sign(head().text, verifier, secret_key(3).sign)
    assert checkpoint.verify(signed, verifier) == head()
    for name in (f"{ORIGIN}/x", f"{ORIGIN}/03", "other.example/3"):
        other = note.Verifier(name, public_key(3))
        with pytest.raises(LedgerError, match="checkpoint-malformed"):
            checkpoint.verify(note.sign(head().text, other, secret_key(3).sign), other)


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Committee]:
    """Four validators become five; everything certified."""
    made = Committee(tmp_path, agencies=5)
    made.exchange()
    made.node(5).start()
    made.vote(*joining(5))
    made.note()
    made.exchange()
    yield made
    made.close()


def served(reader: Reader) -> dict[str, Any]:
    """What `GET /ledger/validators` answers."""
    return {
        "sets": [
            {"set": b64encode(each.encoding).decode(), "checkpoint": text or None}
            for each, text in reader.validator_sets()
        ]
    }


def test_receipts_and_state_proofs_carry_the_certificate(five: Committee) -> None:
    reader = five.node(2).town.reader
    followed = Followed.pinned(five.pin(), *quorum.links_from_json(json.loads(json.dumps(served(reader)))))
    assert len(followed.latest.validators) == 5
    for index in range(reader.size):
        found = receipt.verify(reader.receipt(index), quorum=followed)
        assert (found.index, found.certified) == (index, True)
    text, _ = reader.certified() or ("", None)
    size = checkpoint.parse(note.split(text)[0]).size
    proven = state_proof.verify(reader.state_proof(state.VALIDATORS, size), quorum=followed, vkey=VERIFIER.vkey)
    assert proven.value == [[each.agency, each.consensus_key, each.bls_key, 1] for each in followed.latest.validators]
    (one,) = reader.validator_sets(five.first_set().digest)
    assert one[0] == followed.latest
    with pytest.raises(LedgerError, match="validators-unknown"):
        reader.validator_sets(bytes(32))


def test_before_the_quorum_a_receipt_is_final_by_its_signer_alone(five: Committee) -> None:
    reader = five.node(1).town.reader
    followed = reader.followed()
    index = reader.size
    five.note()
    text = reader.receipt(index)
    assert receipt.verify(text, VERIFIER.vkey, quorum=followed).certified is False
    with pytest.raises(LedgerError, match="quorum-missing"):
        receipt.verify(text, quorum=followed)
    five.exchange()
    assert receipt.verify(reader.receipt(index), quorum=followed).certified is True


@pytest.mark.parametrize("count", [5, 6])
def test_the_command_says_final_or_quorum(
    five: Committee, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    reader = five.node(1).town.reader
    (tmp_path / "sets.json").write_text(json.dumps(served(reader)))
    (tmp_path / "receipt").write_text(reader.receipt(count))

    def verify(*pins: str, sets: bool = True) -> tuple[int, dict[str, Any]]:
        arguments = ["ledger", "verify", str(tmp_path / "receipt"), "--json"]
        arguments += [word for pin in pins for word in ("--vkey", pin)]
        arguments += ["--validators", str(tmp_path / "sets.json")] if sets else []
        return cli.main(arguments), json.loads(capsys.readouterr().out)

    status, told = verify(five.pin())
    assert (status, told["proven"]["standing"], told["proven"]["index"]) == (0, "quorum", count)
    status, told = verify(VERIFIER.vkey, five.pin())
    assert (status, told["proven"]["standing"]) == (0, "quorum")
    status, told = verify(VERIFIER.vkey)
    assert (status, told["proven"]["standing"]) == (0, "final")
    status, told = verify(five.pin(), sets=False)
    assert (status, told["code"]) == (2, "validators-needed")
    status, told = verify(quorum.vkey(ORIGIN, OTHER.digest))
    assert (status, told["code"]) == (2, "validators-foreign")


def test_fsck_holds_certificates_against_the_replay(five: Committee) -> None:
    import sqlite3

    directory = five.node(3).town.directory
    assert fsck.check(directory, vkey=VERIFIER.vkey).findings == []
    connection = sqlite3.connect(directory / "certificates.sqlite3", isolation_level=None)
    one, two = connection.execute("SELECT size, line FROM certificates ORDER BY size LIMIT 2").fetchall()
    connection.execute("UPDATE certificates SET line = ? WHERE size = ?", (two[1], one[0]))
    connection.close()
    (found,) = fsck.check(directory, vkey=VERIFIER.vkey).findings
    assert (found.kind, found.where) == ("certificate", str(one[0]))


def test_an_embedded_ledger_founds_its_first_validators_by_vote(tmp_path: Path) -> None:
    made = Committee(tmp_path, validators=0)
    try:
        reader = made.node(1).town.reader
        old = reader.receipt(0)
        assert reader.first_validators() is None
        assert reader.validator_sets() == []
        made.vote(proposals.VALIDATORS_FOUND, [each.row for each in consortium(4, 1, 1, 1, 1).validators])
        made.note()
        for each in made.nodes:
            each.start()
        made.exchange()
        followed = reader.followed()
        assert followed is not None
        assert receipt.verify(reader.receipt(reader.size - 1), quorum=followed).certified
        assert receipt.verify(old, VERIFIER.vkey).index == 0
        assert dataclasses.replace(head(), size=1).size == 1
    finally:
        made.close()
