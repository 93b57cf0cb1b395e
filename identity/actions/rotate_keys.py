"""An agency's new keys: made in this node's store, proven, and put to the vote."""

from __future__ import annotations

from dataclasses import dataclass

from gov_chain import keys
from gov_chain.ledger import node
from gov_chain.ledger.actions.make_proposal import make_proposal
from gov_chain.ledger.governing import Recorded
from identity import agencies, applications
from identity.errors import IdentityError
from identity.models import Agency


@dataclass(frozen=True, slots=True)
class Rotation:
    agency: Agency
    key_no: int
    application: str
    recorded: Recorded | None
    """None: only the file was made, for another agency to propose."""


def rotate_keys(*, agency: Agency, life: int, propose: bool = True) -> Rotation:
    """Make the keys of the next number unless they are there, and propose them.

    The old keys sign on until the vote; from that entry on this node signs with the new ones by itself
    (`gov_chain.ledger.node_keys`). An agency whose keys are stolen does not propose: another does, with the
    file.
    """
    if not agency.hosted:
        raise IdentityError("agency-unknown")
    key_no = node.ledger().agency(agency.number).key_no + 1
    for purpose in applications.PURPOSES:
        keys.create(agencies.key_uri(agency.slug, purpose, key_no), agencies.ALGORITHMS[purpose])
    text = applications.write(slug=agency.slug, agency=agency.number, key_no=key_no)
    if not propose:
        return Rotation(agency, key_no, text, None)
    action = applications.read(text).action
    recorded = make_proposal(agency=agency.number, action=action, life=life)
    return Rotation(agency, key_no, text, recorded)
