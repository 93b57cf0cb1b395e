"""When the ledger accepts a record: one rule a kind, in the table `RULES`.

A rule returns the code of its refusal (see `errors.REFUSALS`), or None after writing the record's effect to the
view. It checks everything before it writes anything. Inputs are the state, the submitting agency, the
record, the block time and the index the entry will have: no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from gov_chain.ledger.core import records, state
from gov_chain.ledger.core.state import View


class Act(NamedTuple):
    """A record on trial: already known to fit its row of `records.KINDS`."""

    agency: int
    record: list[Any]
    time: int
    at: int
    """The index its entry will have."""
    entry: bytes


Rule = Callable[[View, Act], str | None]


def _accredited(view: View, agency: int, type_: int) -> bool:
    found = view.get(state.agency_key(agency))
    return found is not None and type_ in found[5]


def type_(view: View, act: Act) -> str | None:
    """By an agency accredited for the type, whose first version it registers or has registered; version is the next."""
    _, number, version, digest, grades = act.record
    if not _accredited(view, act.agency, number):
        return "not-accredited"
    owner, latest = view.get(state.type_key(number)) or (act.agency, 0)
    if owner != act.agency:
        return "type-of-another-agency"
    if version != latest + 1:
        return "version-not-next"
    view.put(state.type_key(number), [owner, version])
    view.put(state.type_version_key(number, version), [digest, grades, act.at])
    return None


def matter(view: View, act: Act) -> str | None:
    """Types exist at the versions named, fields are within them; version is the next of the same agency."""
    _, number, version, digest, types, max_life, max_uses, retention = act.record
    owner, latest, in_force = view.get(state.matter_key(number)) or (act.agency, 0, 0)
    if owner != act.agency:
        return "matter-of-another-agency"
    if version != latest + 1:
        return "version-not-next"
    if len({row[0] for row in types}) != len(types):
        return "type-repeated"
    for of_type, of_version, required, optional in types:
        registered = view.get(state.type_version_key(of_type, of_version))
        if registered is None:
            return "type-unknown"
        if (required | optional) >> len(registered[1]) or not required | optional:
            return "fields-beyond-type"
        if required & optional:
            return "fields-overlap"
    view.put(state.matter_key(number), [owner, version, in_force])
    view.put(
        state.matter_version_key(number, version),
        [digest, types, max_life, max_uses, retention, [], act.at],
    )
    return None


def matter_approve(view: View, act: Act) -> str | None:
    """By the agency that registered the type; the matter is in force once every type's issuer approved."""
    _, number, version, of_type = act.record
    key = state.matter_version_key(number, version)
    registered = view.get(key)
    if registered is None:
        return "matter-unknown"
    digest, types, max_life, max_uses, retention, approvals, index = registered
    if of_type not in [row[0] for row in types]:
        return "type-not-in-matter"
    issuer = view.get(state.type_key(of_type))
    if issuer is None or issuer[0] != act.agency:
        return "not-the-issuer"
    if of_type in [row[0] for row in approvals]:
        return "approved-already"
    approvals = [*approvals, [of_type, act.at]]
    view.put(key, [digest, types, max_life, max_uses, retention, approvals, index])
    owner, latest, in_force = view.get(state.matter_key(number)) or (0, 0, 0)
    if len(approvals) == len(types) and version > in_force:
        view.put(state.matter_key(number), [owner, latest, version])
    return None


def issue(view: View, act: Act) -> str | None:
    """By an accredited agency, of a registered version; the commitment is new."""
    _, number, version, commitment = act.record
    if not _accredited(view, act.agency, number):
        return "not-accredited"
    if view.get(state.type_version_key(number, version)) is None:
        return "type-unknown"
    key = state.issue_key(commitment)
    if view.get(key) is not None:
        return "commitment-taken"
    view.put(key, [act.agency, number, version, act.time, act.at])
    return None


def grant(view: View, act: Act) -> str | None:
    """Handle new; recorder is not the matter's agency; required ⊆ fields ⊆ matter; life and uses within its limits."""
    _, handle, number, version, masks, not_after, uses, _consent = act.record
    known = view.get(state.matter_key(number))
    registered = view.get(state.matter_version_key(number, version))
    if known is None or registered is None:
        return "matter-unknown"
    asker, _latest, in_force = known
    if asker == act.agency:
        return "recorder-is-asker"
    if version != in_force:
        return "matter-superseded" if version < in_force else "matter-not-in-force"
    _, types, max_life, max_uses, *_ = registered
    if len(masks) != len(types):
        return "fields-count-wrong"
    for mask, (_type, _version, required, optional) in zip(masks, types, strict=True):
        if required & ~mask:
            return "fields-missing"
        if mask & ~(required | optional):
            return "fields-beyond-matter"
    if not act.time < not_after <= act.time + max_life:
        return "life-beyond-matter"
    if uses > max_uses:
        return "uses-beyond-matter"
    key = state.grant_key(handle)
    if view.get(key) is not None:
        return "handle-taken"
    chain = sha256(state.NO_CHAIN + act.entry).digest()
    view.put(key, [act.agency, number, version, masks, not_after, uses, 0, act.at, chain])
    return None


def withdraw(view: View, act: Act) -> str | None:
    """By anyone who shows the preimage of a live grant's handle."""
    key = state.grant_key(sha256(act.record[1]).digest())
    found = view.get(key)
    if found is None:
        return "grant-unknown"
    recorder, number, version, masks, not_after, uses, withdrawn, index, chain = found
    if withdrawn:
        return "grant-withdrawn"
    if act.time > not_after:
        return "grant-expired"
    chain = sha256(chain + act.entry).digest()
    view.put(key, [recorder, number, version, masks, not_after, uses, act.at, index, chain])
    return None


def usage(view: View, act: Act) -> str | None:
    """By the matter's agency; the grant is live at block time, of this matter; fields ⊆ grant; a use is left."""
    _, handle, number, version, masks, _context = act.record
    key = state.grant_key(handle)
    found = view.get(key)
    if found is None:
        return "grant-unknown"
    recorder, of_matter, of_version, granted, not_after, uses, withdrawn, index, chain = found
    if (number, version) != (of_matter, of_version):
        return "grant-of-another-matter"
    asker = view.get(state.matter_key(number))
    if asker is None or asker[0] != act.agency:
        return "not-the-asker"
    if withdrawn:
        return "grant-withdrawn"
    if act.time > not_after:
        return "grant-expired"
    if len(masks) != len(granted):
        return "fields-count-wrong"
    if any(mask & ~allowed for mask, allowed in zip(masks, granted, strict=True)):
        return "fields-beyond-grant"
    if uses == 0:
        return "uses-spent"
    chain = sha256(chain + act.entry).digest()
    view.put(key, [recorder, number, version, granted, not_after, uses - 1, withdrawn, index, chain])
    return None


RULES: dict[int, Rule] = {
    records.TYPE: type_,
    records.MATTER: matter,
    records.MATTER_APPROVE: matter_approve,
    records.ISSUE: issue,
    records.GRANT: grant,
    records.WITHDRAW: withdraw,
    records.USAGE: usage,
}
