"""When the ledger accepts a record: one rule a kind, in the table `RULES`, which is version 1 of the rules.

Governance and statutory uses have modules of their own. See `act` for what a rule may see and do, and `rulesets` for
what is asked before any rule: that the agency is not suspended.
"""

from __future__ import annotations

from gov_chain.core import hot
from gov_chain.ledger.core import governance, proposals, records, state, statutory, validator_rules
from gov_chain.ledger.core.act import Act, Rule
from gov_chain.ledger.core.state import View


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
    """By the accredited agency that registered the type, of a registered version; the commitment is new."""
    _, number, version, commitment = act.record
    if not _accredited(view, act.agency, number):
        return "not-accredited"
    known = view.get(state.type_key(number))
    if known is None or not 0 < version <= known[1]:
        return "type-unknown"
    if known[0] != act.agency:
        return "type-of-another-agency"
    key = state.issue_key(commitment)
    if view.get(key) is not None:
        return "commitment-taken"
    view.put(key, [act.agency, number, version, act.time, act.at])
    return None


def status(view: View, act: Act) -> str | None:
    """By the agency that registered the type, also once it may issue no more of it; version is the list's next."""
    _, number, list_, version, digest = act.record
    known = view.get(state.type_key(number))
    if known is None:
        return "type-unknown"
    if known[0] != act.agency:
        return "type-of-another-agency"
    latest, *_ = view.get(state.status_key(number, list_)) or [0]
    if version != latest + 1:
        return "version-not-next"
    view.put(state.status_key(number, list_), [version, digest, act.at])
    return None


def _may_record(view: View, act: Act, types: list[list[int]], masks: list[int]) -> bool:
    """Citizens' home agencies may; others only for fields of types they registered themselves."""
    if _accredited(view, act.agency, proposals.HOME):
        return True
    for (of_type, *_), mask in zip(types, masks, strict=True):
        registered = view.get(state.type_key(of_type))
        if mask and (registered is None or registered[0] != act.agency):
            return False
    return True


def grant(view: View, act: Act) -> str | None:
    """Handle new; recorder is a home agency or the issuer, not the matter's agency; required ⊆ fields ⊆ matter; life
    and uses within its limits."""
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
    if not _may_record(view, act, types, masks):
        return "recorder-not-entitled"
    if not act.time < not_after <= act.time + max_life:
        return "life-beyond-matter"
    if uses > max_uses:
        return "uses-beyond-matter"
    key = state.grant_key(handle)
    if view.get(key) is not None:
        return "handle-taken"
    chain = hot.sha256(state.NO_CHAIN + act.entry)
    view.put(key, [act.agency, number, version, masks, not_after, uses, 0, act.at, chain])
    return None


def withdraw(view: View, act: Act) -> str | None:
    """By anyone who shows the preimage of a live grant's handle, whoever recorded it."""
    key = state.grant_key(hot.sha256(act.record[1]))
    found = view.get(key)
    if found is None:
        return "grant-unknown"
    recorder, number, version, masks, not_after, uses, withdrawn, index, chain = found
    if withdrawn:
        return "grant-withdrawn"
    if act.time > not_after:
        return "grant-expired"
    chain = hot.sha256(chain + act.entry)
    view.put(key, [recorder, number, version, masks, not_after, uses, act.at, index, chain])
    return None


def usage(view: View, act: Act) -> str | None:
    """By the matter's agency; the grant is live at block time, of this matter; fields ⊆ grant; a use is left.

    Its recorder is not suspended: that agency's word is what the consent rests on, so doubt about it stops every use.
    """
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
    by = view.get(state.agency_key(recorder))
    if by is None or by[6]:
        return "recorder-suspended"
    if len(masks) != len(granted):
        return "fields-count-wrong"
    for mask, allowed in zip(masks, granted, strict=True):
        if mask & ~allowed:
            return "fields-beyond-grant"
    if uses == 0:
        return "uses-spent"
    chain = hot.sha256(chain + act.entry)
    view.put(key, [recorder, number, version, granted, not_after, uses - 1, withdrawn, index, chain])
    return None


def evidence(view: View, act: Act) -> str | None:
    """By any agency: the entry is all there is."""
    return None


RULES: dict[int, Rule] = {
    records.TYPE: type_,
    records.MATTER: matter,
    records.MATTER_APPROVE: matter_approve,
    records.ISSUE: issue,
    records.STATUS: status,
    records.GRANT: grant,
    records.WITHDRAW: withdraw,
    records.USAGE: usage,
    records.PROPOSE: governance.propose,
    records.VOTE: governance.vote,
    records.STATUTORY: statutory.statutory,
    records.REVEAL: statutory.reveal,
    records.EVIDENCE: evidence,
    records.EQUIVOCATION: validator_rules.equivocation,
}
