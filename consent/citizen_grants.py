"""A citizen's grants as their home agency knows them: for the citizen who stands at a counter without the phone.

The recorder finds them by the owner tag and reads them under the citizen's data key. Once that key is destroyed both
are gone, and what is left on the ledger is nobody's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent import grants, registry
from consent.core.matter import Text, text
from consent.models import Grant
from gov_chain import clock
from gov_chain.core.codec import b64url_decode
from gov_chain.ledger import documents
from identity import citizens
from identity.models import Citizen

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class CitizenGrant:
    pk: int
    handle: bytes
    given: int
    not_after: int
    agency: Text
    matter: Text
    closed: str
    """Why no further use is possible: the ledger's code; empty while one is."""

    @property
    def withdrawable(self) -> bool:
        """Also one that is spent or expired: what stands open under it closes."""
        return self.closed != "grant-withdrawn"


def of_citizen(citizen: Citizen) -> list[CitizenGrant]:
    """Every grant that was recorded for `citizen` by their home agency, newest first."""
    return [_read(grant, citizen) for grant in _rows(citizen)]


def secret_of(citizen: Citizen, pk: int) -> bytes | None:
    """What withdraws the grant `pk`; None if it is not this citizen's."""
    grant = next((grant for grant in _rows(citizen) if grant.pk == pk), None)
    return b64url_decode(_opened(grant, citizen)["secret"]) if grant else None


def seal(citizen: Citizen, handle: bytes, plaintext: bytes) -> bytes:
    """Sealed so that erasing the citizen's data key erases it. The nonce is fresh: one handle, one record."""
    nonce = grants.salt()[:NONCE_BYTES]
    return nonce + AESGCM(citizens.data_key(citizen)).encrypt(nonce, plaintext, grants.artefact_context(handle))


def erase(citizen: Citizen) -> None:
    """The sealed consent records, their keys and the tag that found them; what is on the ledger stays there."""
    owned = Grant.objects.filter(recorder=citizen.home, owner_tag=citizens.owner_tag(citizen))
    owned.update(artefact_sealed=b"", artefact_salt=b"", one_time_key_sealed=None, owner_tag=None)


def _rows(citizen: Citizen) -> list[Grant]:
    owned = Grant.objects.filter(recorder=citizen.home, owner_tag=citizens.owner_tag(citizen), state=Grant.State.LIVE)
    return list(owned.order_by("-created_at", "-pk"))


def _opened(grant: Grant, citizen: Citizen) -> dict[str, Any]:
    sealed, context = bytes(grant.artefact_sealed), grants.artefact_context(bytes(grant.handle))
    opened = AESGCM(citizens.data_key(citizen)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    value: dict[str, Any] = json.loads(opened)
    return value


def _read(grant: Grant, citizen: Citizen) -> CitizenGrant:
    record = _opened(grant, citizen)["record"]
    definition = documents.load(bytes.fromhex(record["pii_processing"]["matter"]["definition_sha256"]))
    handle = bytes(grant.handle)
    return CitizenGrant(
        pk=grant.pk,
        handle=handle,
        given=grant.created_at,
        not_after=grant.not_after,
        agency=text(record["party_identification"]["controller"]["name"]),
        matter=text(definition["name"]),
        closed=registry.standing(handle, now=clock.now()).closed,
    )
