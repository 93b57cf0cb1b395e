"""Proposals and votes as acts of two persons: frozen when an officer asks for them, done once an approver agrees.

What is frozen is exactly what will be signed: the action in canonical CBOR, or a proposal's number and the choice. When
it is approved, the rules are asked once more; then the record is in the outbox, and the relay brings it to the ledger.
"""

from __future__ import annotations

from typing import Any

from gov_chain.core.codec import decode, encode
from gov_chain.ledger import governing, node, outbox
from gov_chain.ledger.core import proposals, records
from gov_chain.ledger.core.errors import LedgerError
from identity import applications, governance
from identity.actions.admit_agency import admit_agency
from identity.acts import Content, Executed, register
from identity.core.permissions import ACTS
from identity.models import PendingAct


def proposing(action: list[Any], *, days: int, application: str = "") -> dict[str, Any]:
    """The content of an act that proposes; `application` is the file of an enrolment, for who the applicant is."""
    enrolment = {"application": application} if action[0] == proposals.ENROL else {}
    return {"propose": encode(action).hex(), "days": days, **enrolment}


def voting(proposal: int, *, yes: bool) -> dict[str, Any]:
    return {"vote": int(yes), "proposal": proposal}


def execute(pending: PendingAct, content: Content) -> Executed:
    """Put the record in the outbox; raises `LedgerError` with the rule's code if the ledger would refuse it now."""
    reader = node.ledger()
    if "vote" in content:
        number = int(content["proposal"])
        record, subject = records.vote(proposal=number, yes=bool(content["vote"])), f"ledger.vote:{number}"
    else:
        number = next((each.number for each in reader.proposals(1)), 0) + 1
        expires = governing.block_time(reader) + int(content["days"]) * governance.DAY
        record = records.propose(proposal=number, action=_action(content), expires=expires)
        subject = f"ledger.proposal:{number}"
    code = governing.trial(pending.agency_id, record)
    if code is not None:
        raise LedgerError(code)
    if "application" in content:
        admit_agency(applications.read(str(content["application"])))
    outbox.enqueue(agency=pending.agency_id, record=record, subject=subject)
    return Executed({"proposal": number})


def describe(content: Content) -> tuple[str, str]:
    if "vote" in content:
        state = node.ledger().proposal(int(content["proposal"]))
        what = governance.sentence(state.action) if state is not None else ("", "")
        zh, en = ("赞成", "for") if content["vote"] else ("反对", "against")
        number = content["proposal"]
        return f"对第 {number} 号提案投{zh}票：{what[0]}", f"Vote {en} proposal {number}: {what[1]}"
    zh, en = governance.sentence(_action(content))
    return f"提出提案（{content['days']} 天）：{zh}", f"Propose, open for {content['days']} days: {en}"


def _action(content: Content) -> list[Any]:
    action: list[Any] = decode(bytes.fromhex(str(content["propose"])))
    return action


def register_all() -> None:
    """Every act of governance there is (`identity.core.permissions`)."""
    for name, act in ACTS.items():
        if name.startswith("governance.") and act.second:
            register(name, execute=execute, describe=describe)
