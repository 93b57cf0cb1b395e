"""The demo world's matter: 居住证办理, run by the subdistrict service centre, approved by the public security bureau.

Idempotent: what is registered or in force already is left as it is.
"""

from __future__ import annotations

from typing import Any

from certificates.core.definitions import SHIPPED
from consent import matters, registry
from gov_chain.ledger import node, relay
from gov_chain.ledger.core.errors import LedgerError
from identity import agencies

RESIDENCE_PERMIT: dict[str, Any] = {
    "kind": "matter",
    "id": "residence-permit",
    "number": 1,
    "version": 1,
    "agency": 3,
    "name": {"zh": "居住证办理", "en": "Residence permit"},
    "purpose": {
        "zh": "核对申请人身份，办理居住证。",
        "en": "Check who applies, and issue a residence permit.",
    },
    "legal_basis": {
        "zh": "《居住证暂行条例》（国务院令第663号）第九条",
        "en": "Interim Regulations on Residence Permits (State Council Decree No. 663), Article 9",
    },
    "types": [
        {
            "type": 1,
            "version": 1,
            "required": ["name", "sex", "birth_date", "id_number", "address"],
            "optional": ["ethnicity"],
        }
    ],
    "representation": ["mandate", "guardian"],
    "retention_days": 30,
    "max_life_days": 30,
    "max_uses": 3,
    "offline": {
        "zh": "携带居民身份证原件到青石街道政务服务中心窗口办理。",
        "en": "Bring the identity card itself to the Qingshi Subdistrict Government Service Centre.",
    },
}

MATTERS = (RESIDENCE_PERMIT,)


def seed() -> bool:
    """Bring the shipped matters as far as the agencies on this node can; whether all of them are in force.

    On the asker's node a matter is registered once the ledger has its types; on an issuer's node it is approved once
    the ledger has the matter.
    """
    done = [_bring(document) for document in MATTERS]
    return all(done)


def _bring(document: dict[str, Any]) -> bool:
    number, version = document["number"], document["version"]
    ledger = node.ledger()
    asker = agencies.by_number(document["agency"])
    types = {definition["number"]: definition for definition in SHIPPED}
    if any(ledger.type(item["type"], item["version"]) is None for item in document["types"]):
        return False
    if asker.hosted:
        relay.settle(matters.register(document, agency=asker, types=types))
    state = ledger.matter(number, version)
    if state is None:
        return False
    approved = {type_number for type_number, _ in state.approvals}
    for item in document["types"]:
        issuer = agencies.by_number(types[item["type"]]["issuer"])
        if issuer.hosted and item["type"] not in approved:
            relay.settle([matters.approve(number, version, issuer=issuer, type_number=item["type"])])
    state = ledger.matter(number, version)
    return state is not None and state.in_force and _defined(number, version)


def _defined(number: int, version: int) -> bool:
    """Whether the definitions have come to this node, from wherever they were registered."""
    try:
        registry.load_terms(number, version)
    except LedgerError as error:
        if error.code != "document-unknown":
            raise
        return False
    return True
