"""The published receipts stay what the code makes, and say what they say to whoever verifies them here."""

import json

import pytest

from gov_chain.ledger.core import receipt, records
from gov_chain.ledger.core.errors import LedgerError
from tests.vectors import receipts

PUBLISHED = json.loads(receipts.FILE.read_text())


def test_the_file_is_what_the_code_makes() -> None:
    assert receipts.FILE.read_text() == receipts.text(receipts.build()), "run `python -m tests.vectors --write`"


def test_every_kind_of_record_is_there_at_several_sizes() -> None:
    assert {each["kind"] for each in PUBLISHED["genuine"]} == set(records.LOG_KINDS.values()) - {"equivocation"}
    assert len({each["size"] for each in PUBLISHED["genuine"]}) >= 10


@pytest.mark.parametrize(
    "vector", PUBLISHED["genuine"], ids=lambda each: f"{each['kind']}-{each['index']}-{each['size']}"
)
def test_a_genuine_receipt_proves_what_the_vector_says(vector) -> None:
    found = receipt.verify(vector["receipt"], PUBLISHED["vkey"])
    said = (vector["index"], vector["size"], vector["time"], vector["agency"], vector["kind"])
    assert (found.index, found.size, found.time, found.agency, found.kind) == said
    assert receipt.parse(vector["receipt"]).entry.hex() == vector["entry"]


@pytest.mark.parametrize("vector", PUBLISHED["refused"], ids=lambda each: each["why"])
def test_a_false_receipt_is_refused(vector) -> None:
    assert vector["receipt"] not in {each["receipt"] for each in PUBLISHED["genuine"]}
    with pytest.raises(LedgerError):
        receipt.verify(vector["receipt"], PUBLISHED["vkey"])
