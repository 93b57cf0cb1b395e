"""A principal lets somebody act for them: what their phone signed becomes a mandate, and an offer for the agent.

1. the phone was bound at a substantial level at least
2. the statement holds under the phone's device key (`core.mandate_statement`) and was not used before
3. each matter is in force and admits mandates
4. mandate and register row exist together; the certificate is offered as any other, link and transaction code apart

The agent is named by number: whoever else gets hold of link and code has a certificate that counts for nothing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from certificates import mandates, queries
from certificates.actions.make_offer import MadeOffer, make_offer
from certificates.core import definitions, mandate_statement
from certificates.core.errors import CertificateError
from certificates.models import Mandate
from gov_chain import clock
from identity import assurance, tokens
from identity.core.assurance import Level
from identity.models import Wallet


@dataclass(frozen=True, slots=True)
class CreatedMandate:
    mandate: Mandate
    offer: MadeOffer


def create_mandate(*, wallet: Wallet, statement: str) -> CreatedMandate:
    """Raises `CertificateError` mandate-statement-invalid, mandate-not-admitted; `IdentityError` assurance-too-low."""
    assurance.require(wallet, Level.SUBSTANTIAL)
    home, principal = wallet.citizen.home, wallet.citizen
    said = mandate_statement.read(
        statement,
        device_jwk=wallet.device_jwk,
        thumbprint=wallet.thumbprint,
        audience=home.did,
        principal=principal.id_number,
        now=clock.now(),
        today=mandates.today(),
    )
    kind = queries.type_in_force(definitions.MANDATE["id"])
    for number in said.matters:
        mandates.require_admitted(number, kind.definition["representation"])
    expires = said.issued + mandate_statement.WINDOW + 1
    if not tokens.take_once(f"mandate:{wallet.thumbprint}", said.jti, expires=expires):
        raise CertificateError("mandate-statement-invalid", where="jti")
    with transaction.atomic():
        mandate = mandates.add(
            kind=kind,
            represented=(principal.name, principal.id_number),
            agent=(said.agent_name, said.agent_number),
            matters=list(said.matters),
            until=said.until,
            mandate_id=uuid.uuid4(),
            signed_with=wallet,
            statement=statement,
            principal=principal,
        )
        offer = make_offer(type=kind, row=mandate.row, made_by=None)
    return CreatedMandate(mandate, offer)
