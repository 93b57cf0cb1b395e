"""The demo world's matter: 居住证办理, run by the subdistrict service centre, approved by the public security bureau.

Idempotent: what is registered or in force already is left as it is.
"""

from __future__ import annotations

from typing import Any

from certificates.core.definitions import SHIPPED
from consent import matters
from consent.models import Matter
from gov_chain.ledger import relay
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
    "retention_days": 30,
    "max_life_days": 30,
    "max_uses": 3,
    "offline": {
        "zh": "携带居民身份证原件到青石街道政务服务中心窗口办理。",
        "en": "Bring the identity card itself to the Qingshi Subdistrict Government Service Centre.",
    },
}

MATTERS = (RESIDENCE_PERMIT,)


def seed() -> None:
    """Register and approve the shipped matters; returns once they are in force."""
    types = {definition["number"]: definition for definition in SHIPPED}
    for document in MATTERS:
        agency = agencies.by_number(document["agency"])
        relay.settle(matters.register(document, agency=agency, types=types))
        matter = Matter.objects.get(number=document["number"], version=document["version"])
        if matter.state == Matter.State.PENDING:
            relay.settle([])
            matter.refresh_from_db()
        if matter.state == Matter.State.REGISTERED:
            relay.settle(
                [
                    matters.approve(
                        matter, issuer=agencies.by_number(types[item["type"]]["issuer"]), type_number=item["type"]
                    )
                    for item in document["types"]
                ]
            )
