"""A receipt under a witnessed checkpoint: the phone and the platform read it as before."""

from pathlib import Path

from gov_chain.ledger.core import cosignature, note, receipt
from gov_chain.ledger.witness import rounds
from gov_chain.ledger.witness.kept import Kept
from tests.ledger.strangers import witnessing
from tests.ledger.town import Town
from tests.wallet.test_receipts import here, on_the_phone, town

__all__ = ["town"]


def test_lines_of_witnesses_change_nothing_about_what_is_proven(town: Town, tmp_path: Path) -> None:
    plain = town.reader.receipt(5)
    with (
        witnessing(tmp_path / "one", name="one.example/省") as one,
        witnessing(tmp_path / "two", name="two.example") as two,
    ):
        rounds.ask_all(town.reader, Kept(town.directory), [one.at, two.at])
        cosigned = town.reader.receipt(5)
        body, lines = note.split(receipt.parse(cosigned).checkpoint)
        assert all(cosignature.find(body, lines, each.witness.cosigner) for each in (one, two))
    assert cosigned.startswith(plain)
    verdicts = on_the_phone([plain, cosigned])["receipts"]
    assert verdicts[0] == verdicts[1] == here(plain) == here(cosigned)
    assert verdicts[0] is not None
