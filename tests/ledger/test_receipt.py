"""Receipts: what they prove, and that nothing else passes for one."""

import random
import string
from base64 import b64decode, b64encode

import pytest

from gov_chain.ledger.core import checkpoint, receipt
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.town import HOME, ORIGIN, PSB, START, VERIFIER, Town, issue_record, secret_key

VKEY = VERIFIER.vkey


@pytest.fixture
def text(town: Town) -> str:
    town.register()
    for _ in range(5):
        town.submit(PSB, *(issue_record() for _ in range(3)))
    town.grant()
    return town.reader.receipt(town.reader.size - 1)


def test_a_receipt_says_who_recorded_what_and_when(text: str) -> None:
    found = receipt.verify(text, VKEY)
    assert (found.kind, found.agency, found.time) == ("grant", HOME, START)
    assert found.entry.values["matter"] == 1
    assert found.index < found.size


def test_every_entry_of_the_log_has_a_receipt(town: Town) -> None:
    town.register()
    kinds = [receipt.verify(town.reader.receipt(at), VKEY).kind for at in range(town.reader.size)]
    assert kinds == ["genesis", "transaction", "type", "transaction", "matter", "transaction", "matter-approve"]


def test_ten_thousand_mutated_receipts_prove_nothing_else(text: str) -> None:
    good = receipt.verify(text, VKEY)
    dice = random.Random(4)
    alphabet = string.printable + "—省"
    for _ in range(10_000):
        at = dice.randrange(len(text))
        match dice.randrange(4):
            case 0:
                altered = text[:at] + dice.choice(alphabet) + text[at + 1 :]
            case 1:
                altered = text[:at] + text[at + 1 :]
            case 2:
                altered = text[:at] + dice.choice(alphabet) + text[at:]
            case _:
                altered = text[:at]
        try:
            found = receipt.verify(altered, VKEY)
        except LedgerError:
            continue
        assert altered == text or found == good, altered


def test_a_receipt_of_a_forged_ledger_is_refused(text: str) -> None:
    head, _, signed = text.partition("\n\n")
    parsed = checkpoint.parse(signed.split("\n\n")[0] + "\n")
    forged = checkpoint.sign(verifier=VERIFIER, size=parsed.size, root=parsed.root, signer=secret_key(9).sign)
    with pytest.raises(LedgerError, match="note-signature-wrong"):
        receipt.verify(f"{head}\n\n{forged}", VKEY)


def test_a_receipt_of_another_entry_is_refused(text: str) -> None:
    line = text.split("\n")[1]
    entry = bytearray(b64decode(line.removeprefix("extra ")))
    entry[-1] ^= 1
    with pytest.raises(LedgerError, match="proof-wrong"):
        receipt.verify(text.replace(line, "extra " + b64encode(entry).decode()), VKEY)


def test_a_receipt_under_another_key_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="note-unsigned"):
        receipt.verify(text, VERIFIER.__class__(ORIGIN, bytes(32)).vkey)


def test_a_receipt_of_a_later_format_is_told_apart(text: str) -> None:
    with pytest.raises(LedgerError, match="receipt-version-unknown"):
        receipt.verify(text.replace("proof@v1", "proof@v2"), VKEY)


@pytest.mark.parametrize(
    "junk", ["", "\n\n", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\nindex 0\n\n", "省" * 99]
)
def test_what_is_no_receipt_is_refused(junk: str) -> None:
    with pytest.raises(LedgerError, match="receipt-malformed"):
        receipt.verify(junk, VKEY)
