"""Statutory use: looking at data by a power the law gives, without the person's consent, and never without a trace.

An open use carries a tag by which the person concerned finds it (see `watch`). A concealed one carries the tag
blinded, and its agency has to reveal it by the time it named. One that is overdue suspends the power for that agency
until it is revealed; revealing late is accepted, since it is what is wanted. A reveal needs neither the power nor a
tag nobody has used: a use once recorded can always be revealed.
"""

from __future__ import annotations

from gov_chain.ledger.core import governance, proposals, state, watch
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.state import View


def statutory(view: View, act: Act) -> str | None:
    """By an agency with the power, nothing overdue; fields of a registered type; open: the tag is new; concealed: the
    end is within the power's limit, and few are outstanding."""
    _, power, type_, mask, tag, _context, until = act.record
    agency = view.get(state.agency_key(act.agency))
    limit = next((limit for of, limit in agency[7] if of == power), None) if agency else None
    if limit is None:
        return "power-not-held"
    outstanding = view.get(state.outstanding_key(act.agency, power)) or []
    if any(due < act.time for _, due in outstanding):
        return "reveal-overdue"
    known = view.get(state.type_key(type_))
    if known is None:
        return "type-unknown"
    registered = view.get(state.type_version_key(type_, known[1]))
    assert registered is not None
    if mask >> len(registered[1]):
        return "fields-beyond-type"
    if until == 0:
        if view.get(state.tag_key(tag)) is not None:
            return "tag-taken"
        view.put(state.tag_key(tag), [[act.agency, power, type_, mask, act.time, act.at, 0]])
        return None
    if not act.time < until <= act.time + limit:
        return "concealment-beyond-power"
    if len(outstanding) >= governance.parameter(view, proposals.OUTSTANDING):
        return "too-many-concealed"
    view.put(state.concealed_key(act.at), [act.agency, power, type_, mask, tag, until, act.time, 0])
    view.put(state.outstanding_key(act.agency, power), [*outstanding, [act.at, until]])
    return None


def reveal(view: View, act: Act) -> str | None:
    """By the agency that concealed the use at that index, once; tag and salt are those it was blinded from."""
    _, index, tag, salt = act.record
    key = state.concealed_key(index)
    found = view.get(key)
    if found is None:
        return "concealed-unknown"
    agency, power, type_, mask, blinded, until, time, revealed = found
    if agency != act.agency:
        return "concealed-by-another"
    if revealed:
        return "revealed-already"
    if watch.conceal(tag=tag, salt=salt) != blinded:
        return "reveal-wrong"
    before = view.get(state.tag_key(tag)) or []
    outstanding = view.get(state.outstanding_key(agency, power)) or []
    view.put(state.tag_key(tag), [*before, [agency, power, type_, mask, time, index, act.at]])
    view.put(key, [agency, power, type_, mask, blinded, until, time, act.at])
    view.put(state.outstanding_key(agency, power), [row for row in outstanding if row[0] != index])
    return None
