"""What a proposal or a vote would come to, before it is sent: the very rule run on a view that is thrown away.

And the sums people should see: how a proposal stands, and what a change does to who decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gov_chain.ledger.core import entries, governance, proposals, records, rulesets, state, validators
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.state import Get, Value, View

Outcome = Literal["passed", "open", "lost", "expired"]


@dataclass(frozen=True, slots=True)
class Tally:
    """How a proposal stands. `needed` is the least yes votes; `lost`: those left cannot bring it there."""

    voters: int
    yes: int
    no: int
    needed: int
    outcome: Outcome

    @property
    def lacking(self) -> int:
        return max(self.needed - self.yes, 0)

    @property
    def undecided(self) -> int:
        return self.voters - self.yes - self.no


@dataclass(frozen=True, slots=True)
class Sums:
    """Who decides now, and once the change is in force: voters, the votes that then pass, the fewest allowed."""

    voters: int
    needed: int
    voters_after: int
    needed_after: int
    least: int
    power: validators.Change | None = None
    """What a change of validators does to their power."""


def tally(*, voters: int, votes: Sequence[tuple[int, int]], effect: int, expires: int, time: int) -> Tally:
    """`votes` are (agency, 1 for yes); `effect` the index it took effect at, or 0."""
    yes = sum(each for _, each in votes)
    needed = governance.needed(voters)
    outcome: Outcome = "open"
    if effect:
        outcome = "passed"
    elif time > expires:
        outcome = "expired"
    elif voters - (len(votes) - yes) < needed:
        outcome = "lost"
    return Tally(voters, yes, len(votes) - yes, needed, outcome)


def judge(get: Get, *, agency: int, record: bytes, time: int, at: int, ledger_id: bytes) -> str | None:
    """The code a record would be refused with if it were entry `at` at block time `time`; None if it would stand."""
    view = View(get, at)
    known = view.get(state.agency_key(agency))
    if known is None:
        return "agency-unknown"
    if known[6]:
        return "agency-suspended"
    decoded = records.decode_record(record)
    if isinstance(decoded, str):
        return decoded
    act = Act(agency, decoded, time, at, entries.wrap(time, agency, record), ledger_id)
    return rulesets.judge(view, act, rulesets.in_force(view, at))


def sums(get: Get, action: Sequence[Any]) -> Sums:
    """What an action does to the number of those who decide, whether or not the rules would let it."""
    view = View(get)
    active, _ = view.get(state.CONSORTIUM) or [[], []]
    voters = len(active)
    after = voters
    if action[0] == proposals.SUSPEND:
        after -= action[1] in active
    elif action[0] in (proposals.ENROL, proposals.REINSTATE):
        after += action[1] not in active
    least = governance.parameter(view, proposals.LEAST_VOTERS)
    if list(action[:2]) == [proposals.SET_PARAMETER, proposals.LEAST_VOTERS]:
        least = action[2]
    now = view.get(state.VALIDATORS) or []
    then = _validators_after(now, list(action))
    power = None if then is None else validators.change(now, then)
    return Sums(voters, governance.needed(voters), after, governance.needed(after), least, power)


def _validators_after(now: Value, action: list[Any]) -> list[list[Any]] | None:
    """The validators' rows once a change of them is in force; None for any other action."""
    match action:
        case [proposals.VALIDATOR_IN, agency, consensus, bls, _, power]:
            return sorted([*now, [agency, consensus, bls, power]])
        case [proposals.VALIDATOR_OUT, agency]:
            return [row for row in now if row[0] != agency]
        case [proposals.VALIDATOR_ROTATE, agency, consensus, bls, _]:
            return [[agency, consensus, bls, row[3]] if row[0] == agency else row for row in now]
        case [proposals.VALIDATORS_FOUND, rows]:
            return sorted([agency, consensus, bls, power] for agency, consensus, bls, _, power in rows)
    return None
