"""Versions of the rules, and which one judges a record.

The version is voted for a height of the log; a transaction, and every record in it, is judged by the version of the
index its leaf has. (Not the block's: where blocks end cannot be seen in the log, and a replay must come to the same
verdicts from the entries alone.) A node that lacks the version refuses every transaction from that height on with
`rules-unknown`, and writes nothing, until its software is renewed.

What a kind number's fields are never changes: a version adds kinds, drops some, or gives one another rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from gov_chain.ledger.core import state
from gov_chain.ledger.core.act import Act, Rule
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.rules import RULES
from gov_chain.ledger.core.state import View

Ruleset = Mapping[int, Rule]
"""Kind number → rule."""

RULESETS: dict[int, Ruleset] = {1: RULES}
"""Every version this software knows."""


def version_at(view: View, height: int) -> int:
    """The version voted for this height."""
    schedule = view.get(state.RULES) or []
    return max(int(version) for version, since, _ in schedule if since <= height)


def in_force(view: View, height: int) -> Ruleset:
    """The rules for a transaction whose leaf has this index; raises `LedgerError("rules-unknown")`."""
    version = version_at(view, height)
    try:
        return RULESETS[version]
    except KeyError as error:
        raise LedgerError("rules-unknown", log=f"version {version} at {height}") from error


def judge(view: View, act: Act, ruleset: Ruleset) -> str | None:
    """The refusal code of a record, or None with its effect written.

    A suspended agency can do nothing but read: its transactions are not admitted (`machine.admit`), and if it is
    suspended by a record of its own batch, which then is written in this very view, the rest is refused here.
    """
    agency = view.written.get(state.agency_key(act.agency))
    if agency is not None and agency[6]:
        return "agency-suspended"
    rule = ruleset.get(act.record[0])
    if rule is None:
        return "kind-unknown"
    view.at = act.at
    return rule(view, act)
