"""The published receipts under quorum certificates stay what the code makes, and say here what they say."""

import json

import pytest

from gov_chain.ledger.core import quorum as certificates
from gov_chain.ledger.core import receipt, state_proof
from gov_chain.ledger.core.errors import LedgerError
from tests.vectors import quorum

PUBLISHED = json.loads(quorum.FILE.read_text())
FOLLOWED = quorum.followed(PUBLISHED)


def test_the_file_is_what_the_code_makes() -> None:
    assert quorum.FILE.read_text() == quorum.text(quorum.build()), "run `python -m tests.vectors --write`"


@pytest.mark.parametrize("vector", PUBLISHED["certified"], ids=lambda each: f"{each['index']}-{each['size']}")
def test_a_certified_receipt_proves_what_the_vector_says(vector) -> None:
    found = receipt.verify(vector["receipt"], quorum=FOLLOWED)
    assert (found.index, found.size, found.kind) == (vector["index"], vector["size"], vector["kind"])
    assert found.certified


def test_the_record_of_an_equivocation_is_among_them() -> None:
    assert "equivocation" in {each["kind"] for each in PUBLISHED["certified"]}


def test_a_final_receipt_is_only_its_signers_word() -> None:
    (vector,) = PUBLISHED["final"]
    assert not receipt.verify(vector["receipt"], PUBLISHED["node_vkey"], quorum=FOLLOWED).certified
    with pytest.raises(LedgerError, match="quorum-missing"):
        receipt.verify(vector["receipt"], quorum=FOLLOWED)


def test_a_state_proof_carries_the_certificate() -> None:
    (vector,) = PUBLISHED["states"]
    found = state_proof.verify(vector["proof"], quorum=FOLLOWED, vkey=PUBLISHED["node_vkey"])
    assert (found.key.hex(), found.size) == (vector["key"], vector["size"])


@pytest.mark.parametrize("vector", PUBLISHED["refused"], ids=lambda each: each["why"])
def test_a_false_certificate_is_refused(vector) -> None:
    with pytest.raises(LedgerError):
        receipt.verify(vector["receipt"], quorum=FOLLOWED)


@pytest.mark.parametrize("vector", PUBLISHED["chains_refused"], ids=lambda each: each["why"])
def test_a_false_chain_of_sets_is_refused(vector) -> None:
    with pytest.raises(LedgerError):
        certificates.Followed.pinned(PUBLISHED["vkey"], *certificates.links_from_json(vector))
