from pathlib import Path

from gov_chain.ledger import presentation, rulebook
from gov_chain.ledger.core import entries, proposals, records
from gov_chain.ledger.core.errors import REFUSALS
from tests.ledger.test_records import GOOD
from tests.ledger.town import START

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"


def test_the_page_in_docs_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == rulebook.markdown(), "run `govchain ledger rules > docs/ledger.md`"


def test_every_kind_action_and_refusal_is_on_it() -> None:
    assert rulebook.REFUSED_WITH.keys() == records.KINDS.keys()
    assert rulebook.ACTION_REFUSED_WITH.keys() == proposals.ACTIONS.keys()
    tables = (*rulebook.REFUSED_WITH.values(), *rulebook.ACTION_REFUSED_WITH.values(), rulebook.ANY_RECORD)
    assert {code for codes in tables for code in codes} == REFUSALS.keys()


def test_every_kind_of_entry_is_said_in_both_languages() -> None:
    for body in GOOD.values():
        zh, en = presentation.sentence(entries.parse(entries.wrap(START, 1, body)))
        assert zh
        assert en
    action = [proposals.SUSPEND, 3]
    proposal = entries.wrap(START, 1, records.propose(proposal=7, action=action, expires=START))
    assert presentation.sentence(entries.parse(proposal)) == (
        "提出治理提案 7：暂停机关 3",
        "proposal made 7: suspend agency 3",
    )
