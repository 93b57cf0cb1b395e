"""Propose, vote, and what a passed proposal does.

- Voters are the agencies not suspended when the proposal is made; their list is kept with it, and what happens to an
  agency later changes neither the count nor a vote already cast.
- Making a proposal is the proposer's yes. One vote an agency, not taken back.
- It passes when 3 · yes ≥ 2 · voters, and takes effect in the record that makes it pass.
- An action that cannot take effect is refused with its own code: at once if it could not when proposed, else the
  deciding vote is refused, is not counted, and may be cast again until the proposal expires.
- It expires by block time; a proposer has at most `MAX_OPEN` open, each for an hour at least, so that nobody can
  flood the others.
- Who is to get keys proves to hold them (`possession`), or the proposal is refused.
- Compromised keys are rotated first, then revoked from an entry of the log on: `docs/decisions/` says what that means.
- A suspension leaves at least `least-voters` voters (2 unless voted higher): never can one agency alone pass what
  takes two thirds, however suspensions are strung together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gov_chain.ledger.core import possession, proposals, state, validator_rules
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.state import Value, View

MAX_OPEN = 16
LEAST_LIFE = 3600

Effect = Callable[..., str | None]
"""Takes the view, the index of the deciding record, and the action's fields; a refusal code, or None once written."""


def parameter(view: View, number: int) -> int:
    """The value in force."""
    found = view.get(state.parameter_key(number))
    return proposals.PARAMETERS[number].default if found is None else int(found[0])


def passes(*, yes: int, voters: int) -> bool:
    return 3 * yes >= 2 * voters


def needed(voters: int) -> int:
    """The least yes votes that pass."""
    return -(-2 * voters // 3)


def propose(view: View, act: Act) -> str | None:
    """The number is the next; it lives an hour to `proposal-life`; its maker has few open; the action is possible."""
    _, number, action, expires = act.record
    (latest,) = view.get(state.PROPOSALS) or [0]
    if number != latest + 1:
        return "proposal-number-not-next"
    if not LEAST_LIFE <= expires - act.time <= parameter(view, proposals.PROPOSAL_LIFE):
        return "proposal-life-wrong"
    made = [row for row in view.get(state.open_proposals_key(act.agency)) or [] if row[1] >= act.time]
    if len(made) >= MAX_OPEN:
        return "too-many-proposals"
    if not possession.shown(action, act.ledger_id):
        return "possession-unproven"
    trial = View(view.get, act.at)
    code = _take_effect(trial, act, action)
    if code is not None:
        return code
    voters = _consortium(view)[0]
    passed = passes(yes=1, voters=len(voters))
    if passed:
        view.absorb(trial)
    else:
        view.put(state.open_proposals_key(act.agency), [*made, [number, expires]])
    view.put(state.PROPOSALS, [number])
    effect = act.at if passed else 0
    view.put(state.proposal_key(number), [act.agency, action, expires, act.at, voters, [[act.agency, 1]], effect])
    return None


def vote(view: View, act: Act) -> str | None:
    """The proposal exists and is open; by one of its voters, once; if it passes with this, the action is possible."""
    _, number, yes = act.record
    key = state.proposal_key(number)
    found = view.get(key)
    if found is None:
        return "proposal-unknown"
    proposer, action, expires, index, voters, votes, effect = found
    if effect:
        return "proposal-passed"
    if act.time > expires:
        return "proposal-expired"
    if act.agency not in voters:
        return "not-a-voter"
    if any(agency == act.agency for agency, _ in votes):
        return "voted-already"
    votes = [*votes, [act.agency, yes]]
    if yes and passes(yes=sum(each for _, each in votes), voters=len(voters)):
        trial = View(view.get, act.at)
        code = _take_effect(trial, act, action)
        if code is not None:
            return code
        view.absorb(trial)
        effect = act.at
        made = view.get(state.open_proposals_key(proposer)) or []
        view.put(state.open_proposals_key(proposer), [row for row in made if row[0] != number])
    view.put(key, [proposer, action, expires, index, voters, votes, effect])
    return None


def _take_effect(view: View, act: Act, action: list[Any]) -> str | None:
    if action[0] in validator_rules.EFFECTS:
        return validator_rules.EFFECTS[action[0]](view, act, *action[1:])
    return EFFECTS[action[0]](view, act.at, *action[1:])


def _consortium(view: View) -> Value:
    return view.get(state.CONSORTIUM) or [[], []]


def enrol(
    view: View, agency: int, at: int, *, key_no: int, keys: list[bytes], profile: bytes, types: list[int]
) -> None:
    """Write a new agency, by genesis or by vote."""
    view.put(state.agency_key(agency), [key_no, *keys, profile, types, 0, [], at])
    view.put(state.key_key(agency, key_no), [*keys, at, 0, 0])
    active, suspended = _consortium(view)
    view.put(state.CONSORTIUM, [sorted([*active, agency]), suspended])


def _enrol(view: View, at: int, agency: int, *keys_and_profile: bytes) -> str | None:
    """Numbers are given in turn."""
    *keys, profile, _possession = keys_and_profile
    active, suspended = _consortium(view)
    if agency != max(active + suspended) + 1:
        return "agency-number-not-next"
    enrol(view, agency, at, key_no=1, keys=keys, profile=profile, types=[])
    return None


def _suspend(view: View, at: int, agency: int) -> str | None:
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    if found[6]:
        return "suspended-already"
    active, suspended = _consortium(view)
    if len(active) - 1 < parameter(view, proposals.LEAST_VOTERS):
        return "too-few-voters"
    view.put(state.agency_key(agency), [*found[:6], at, *found[7:]])
    view.put(state.CONSORTIUM, [[each for each in active if each != agency], sorted([*suspended, agency])])
    return None


def _reinstate(view: View, at: int, agency: int) -> str | None:
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    if not found[6]:
        return "not-suspended"
    active, suspended = _consortium(view)
    view.put(state.agency_key(agency), [*found[:6], 0, *found[7:]])
    view.put(state.CONSORTIUM, [sorted([*active, agency]), [each for each in suspended if each != agency]])
    return None


def _rotate(view: View, at: int, agency: int, key_no: int, *keys_and_proof: bytes) -> str | None:
    """The old keys sign nothing more from the next record on; they stay known for what they signed.

    None of the new keys is one the agency had: a key given up, or lost to a thief, does not come back.
    """
    *keys, _possession = keys_and_proof
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    before = found[0]
    if key_no != before + 1:
        return "key-number-not-next"
    for number in range(1, key_no):
        known = view.get(state.key_key(agency, number)) or []
        if any(key in known[:3] for key in keys):
            return "key-used-before"
    old = view.get(state.key_key(agency, before))
    assert old is not None
    view.put(state.key_key(agency, before), [*old[:4], at, old[5]])
    view.put(state.key_key(agency, key_no), [*keys, at, 0, 0])
    view.put(state.agency_key(agency), [key_no, *keys, *found[4:]])
    return None


def _accredit(view: View, at: int, agency: int, type_: int) -> str | None:
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    if type_ in found[5]:
        return "accredited-already"
    if len(found[5]) >= MAX_ACCREDITATIONS:
        return "too-many-accreditations"
    view.put(state.agency_key(agency), [*found[:5], sorted([*found[5], type_]), *found[6:]])
    return None


def _disaccredit(view: View, at: int, agency: int, type_: int) -> str | None:
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    if type_ not in found[5]:
        return "accreditation-unknown"
    view.put(state.agency_key(agency), [*found[:5], [each for each in found[5] if each != type_], *found[6:]])
    return None


def _empower(view: View, at: int, agency: int, power: int, max_concealment: int) -> str | None:
    """A power held already gets the new limit."""
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    others = [row for row in found[7] if row[0] != power]
    if len(others) >= MAX_POWERS:
        return "too-many-powers"
    powers = sorted([*others, [power, max_concealment]])
    view.put(state.agency_key(agency), [*found[:7], powers, *found[8:]])
    return None


def _disempower(view: View, at: int, agency: int, power: int) -> str | None:
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    left = [row for row in found[7] if row[0] != power]
    if len(left) == len(found[7]):
        return "power-not-held"
    view.put(state.agency_key(agency), [*found[:7], left, *found[8:]])
    return None


def _set_parameter(view: View, at: int, number: int, value: int) -> str | None:
    row = proposals.PARAMETERS[number]
    if not row.least <= value <= row.most:
        return "parameter-out-of-range"
    view.put(state.parameter_key(number), [value, at])
    return None


def _set_rules(view: View, at: int, version: int, height: int) -> str | None:
    """Versions follow each other, in the log's future."""
    schedule = view.get(state.RULES) or []
    latest, from_height, _ = schedule[-1]
    if version != latest + 1:
        return "version-not-next"
    if height <= max(at, from_height):
        return "height-passed"
    view.put(state.RULES, [*schedule, [version, height, at]])
    return None


def _revoke_key(view: View, at: int, agency: int, key_no: int, since: int) -> str | None:
    """Of keys given up; again only from an earlier entry: what was void once is never good again."""
    found = view.get(state.agency_key(agency))
    if found is None:
        return "agency-unknown"
    key = view.get(state.key_key(agency, key_no))
    if key is None:
        return "key-number-unknown"
    if not key[4]:
        return "key-in-use"
    if since > at:
        return "since-in-future"
    if key[5] and since >= key[5]:
        return "key-revoked-already"
    view.put(state.key_key(agency, key_no), [*key[:5], since])
    return None


MAX_ACCREDITATIONS = 1024
MAX_POWERS = 64

EFFECTS: dict[int, Effect] = {
    proposals.ENROL: _enrol,
    proposals.SUSPEND: _suspend,
    proposals.REINSTATE: _reinstate,
    proposals.ROTATE: _rotate,
    proposals.ACCREDIT: _accredit,
    proposals.DISACCREDIT: _disaccredit,
    proposals.EMPOWER: _empower,
    proposals.DISEMPOWER: _disempower,
    proposals.SET_PARAMETER: _set_parameter,
    proposals.SET_RULES: _set_rules,
    proposals.REVOKE_KEY: _revoke_key,
}
