"""The issuer's node records a single-use grant for a wallet that knows no terms of ours.

1. a key binding forwarded before gets the same handle. It is known by its signed words alone: an ECDSA signature has
   two valid forms, and beside it could stand another certificate of the same holder
2. the certificate is one this very agency issued, anchored and in time
3. the caller runs the matter, which is in force; the client identifier is of the caller's ledger-known key
4. the key binding holds under the holder's key, for that client identifier, and its nonce commits to
   this matter, version and request; it was fresh when the caller received it, a day ago at most
5. one use of the matter's whole set, for an hour
"""

from __future__ import annotations

import secrets
import uuid

from consent import grants, registry
from consent.actions.record_grant import agency_name, leaf_key, verified_key_binding
from consent.core import agreement, artefact, request_object
from consent.core.agreement import Agreement
from consent.core.errors import ConsentError
from consent.grants import RecordedGrant
from gov_chain import clock
from gov_chain.core.codec import sha256
from identity import agencies
from identity.models import Agency

LIFE_SECONDS = 3600


def record_forwarded_grant(
    *,
    issuer: Agency,
    asker: Agency,
    issuer_jwt: str,
    kb_jwt: str,
    matter: int,
    version: int,
    request_id: uuid.UUID,
    nonce_salt: bytes,
    client_id: str,
    leaf: str,
    received_at: int,
) -> RecordedGrant:
    """The final grant. Raises `ConsentError`."""
    evidence = grants.binding(kb_jwt)
    grant = grants.known(evidence, issuer)
    if grant is not None:
        if grant.asker != asker.number:
            raise ConsentError("handle-taken")
        return grants.settle(grant)

    now = clock.now()
    certificate = registry.certificate(issuer_jwt)
    if certificate.agency != issuer.number:
        raise ConsentError("certificate-untrusted", log="issued by another agency")
    terms = registry.load_terms(matter, version)
    grants.require_usable(certificate, terms, now=now)
    if terms.agency != asker.number:
        raise ConsentError("consent-terms", log="the caller does not run this matter")
    if terms.agency == issuer.number:
        raise ConsentError("recorder-is-asker")
    if leaf_key(leaf) != registry.request_key(asker.number) or request_object.client_id(leaf) != client_id:
        raise ConsentError("request-forged", log="client_id is not of the caller's key")
    signed = verified_key_binding(kb_jwt, certificate.holder_jwk)
    agreement.check_plain(
        signed,
        client_id=client_id,
        matter=matter,
        version=version,
        request_id=request_id,
        salt=nonce_salt,
        received_at=received_at,
        now=now,
    )

    secret = secrets.token_bytes(32)
    agreed = Agreement(
        handle=sha256(secret),
        masks=tuple(terms.whole),
        not_after=now + min(LIFE_SECONDS, terms.max_life_s),
        uses=1,
        given=now,
    )
    record = artefact.build(
        terms,
        agreed=agreed,
        request_id=str(request_id),
        recorder=issuer.slug,
        controller=agency_name(asker.number),
        issuer_jwt=issuer_jwt,
        kb_jwt=kb_jwt,
        transaction_data=None,
    )
    sealed = grants.Sealed(
        artefact=agencies.sealer(issuer).seal(grants.kept(record, secret), grants.artefact_context(agreed.handle)),
        salt=grants.salt(),
        one_time_key=None,
        owner_tag=None,
    )
    grant = grants.enqueue(
        recorder=issuer,
        terms=terms,
        agreed=agreed,
        record=record,
        sealed=sealed,
        evidence_digest=evidence,
        request_id=request_id,
    )
    return grants.settle(grant)
