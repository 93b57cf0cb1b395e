"""The citizen's home agency records a consent, after checking it word by word.

1. a retry of what was posted before gets the same receipt
2. the certificate is anchored, its issuer's signature holds, and it belongs to the open wallet, which was bound at
   the level that the certificate's type and the matter demand
3. the request was signed by an agency with the request key the ledger has for it, and is in time
4. the terms are those of that agency's registered matter, in force, and the query asks no more
5. the key-binding JWT holds under the certificate's holder key and says what `core.agreement` lists
6. the asking agency is not this one
7. whoever acts for somebody else may (`consent.representation`)
8. consent record, one-time key, the handle's secret (with which a lost phone's grants can be withdrawn at a counter)
   and ledger record are kept together; then the ledger decides

The disclosed values never come here: only the issuer-signed JWT and the key-binding JWT do.
"""

from __future__ import annotations

import base64
import hmac
import uuid

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from consent import citizen_grants, grants, registry, representation
from consent.core import agreement, artefact, envelopes, matter, request_object
from consent.core.errors import ConsentError
from consent.grants import RecordedGrant
from consent.models import Grant
from gov_chain import clock
from gov_chain.core.codec import sha256
from gov_chain.ledger.actions.withdraw_grant import withdraw_grant
from identity import agencies, assurance, citizens
from identity.core import jose
from identity.core import jwk as jwks
from identity.errors import IdentityError
from identity.models import Agency, Wallet


def record_grant(
    *,
    home: Agency,
    wallet: Wallet,
    issuer_jwt: str,
    kb_jwt: str,
    request: str,
    one_time_key: bytes,
    secret: bytes,
    holder_salt: bytes = b"",
    mandate: representation.Shown | None = None,
) -> RecordedGrant:
    """The final grant's receipt. Raises `ConsentError`; `ledger-slow` means: post the same again."""
    if len(one_time_key) != envelopes.ONE_TIME_KEY_BYTES:
        raise ConsentError("consent-malformed", log="one-time key")
    owner = citizens.owner_tag(wallet.citizen)
    posted = b"\n".join([issuer_jwt.encode(), kb_jwt.encode(), request.encode(), one_time_key])
    evidence = hmac.digest(owner, posted, "sha256")
    grant = grants.known(evidence, home)
    if grant is not None:
        return _settled(grant, home=home, secret=secret)

    now = clock.now()
    certificate = registry.certificate(issuer_jwt)
    registry.require_holder(certificate, wallet, holder_salt)

    claims, leaf = _read_request_object(request)
    asked = agreement.read_request(claims, leaf=leaf, now=now)
    _verify_asker(request, leaf, registry.request_key(asked.agency))
    terms = registry.load_terms(asked.matter, asked.version)
    agreement.check_query(claims, asked, terms)
    grants.require_usable(certificate, terms, now=now)
    assurance.require(wallet, terms.min_assurance)

    signed = verified_key_binding(kb_jwt, certificate.holder_jwk)
    agreed = agreement.read_agreement(signed, asked=asked, terms=terms, recorder=home.slug, now=now)
    if terms.agency == home.number:
        raise ConsentError("recorder-is-asker")
    if sha256(secret) != agreed.handle:
        raise ConsentError("consent-malformed", log="the secret is not the handle's")
    acting = representation.check(mandate, agreed=agreed, asked=asked, terms=terms, wallet=wallet, now=now)
    if acting is not None:
        representation.announce(acting, home=home, wallet=wallet, terms=terms, secret=secret)

    record = artefact.build(
        terms,
        agreed=agreed,
        request_id=asked.request_id,
        recorder=home.slug,
        controller=agency_name(terms.agency),
        issuer_jwt=issuer_jwt,
        kb_jwt=kb_jwt,
        transaction_data=asked.entry,
    )
    sealed = grants.Sealed(
        artefact=citizen_grants.seal(wallet.citizen, agreed.handle, grants.kept(record, secret)),
        salt=grants.salt(),
        one_time_key=agencies.sealer(home).seal(
            one_time_key + grants.binding(kb_jwt), grants.key_context(agreed.handle)
        ),
        owner_tag=owner,
    )
    grant = grants.enqueue(
        recorder=home,
        terms=terms,
        agreed=agreed,
        record=record,
        sealed=sealed,
        evidence_digest=evidence,
        request_id=uuid.UUID(asked.request_id),
        mandate_issuer=acting.issuer.number if acting else None,
    )
    # Durable: consent, key and the record on its way. A crash here: the wallet posts the same again.
    return _settled(grant, home=home, secret=secret)


def _settled(grant: Grant, *, home: Agency, secret: bytes) -> RecordedGrant:
    """The final grant, which a mandate withdrawn meanwhile takes back before anybody has its receipt."""
    recorded = grants.settle(grant)
    if grant.mandate_issuer is not None:
        try:
            representation.confirm(agencies.by_number(grant.mandate_issuer), home=home, handle=recorded.handle)
        except ConsentError:
            if sha256(secret) == recorded.handle and not registry.standing(recorded.handle, now=clock.now()).withdrawn:
                withdraw_grant(secret=secret)
            raise
    return recorded


def verified_key_binding(kb_jwt: str, holder_jwk: dict[str, object]) -> dict[str, object]:
    """The claims of a key-binding JWT under the holder's key; raises `ConsentError` consent-signature."""
    try:
        return jose.verify(kb_jwt, holder_jwk, typ="kb+jwt").claims
    except jose.JoseError as error:
        raise ConsentError("consent-signature", log=str(error)) from error


def agency_name(number: int) -> matter.Text:
    try:
        agency = agencies.by_number(number)
    except IdentityError:
        return matter.Text(zh=f"机构 {number}", en=f"Agency {number}")
    return matter.Text(zh=agency.name_zh, en=agency.name_en)


def leaf_key(leaf: str) -> bytes:
    """The P-256 point (33 bytes) in a certificate given as base64 DER; raises `ConsentError` request-forged."""
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(leaf, validate=True)).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConsentError("request-forged", log="leaf certificate") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConsentError("request-forged", log="leaf key")
    return jwks.compressed(key)


def _read_request_object(request: str) -> tuple[dict[str, object], str]:
    """Claims and leaf of a request object, not yet believed."""
    try:
        peeked = jose.peek(request, allow=("x5c",))
        claims = peeked.claims
    except jose.JoseError as error:
        raise ConsentError("request-forged", log=str(error)) from error
    chain = peeked.header.get("x5c")
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        raise ConsentError("request-forged", log="x5c")
    leaf_key(chain[0])  # refuses what is no certificate of a P-256 key, before anything is made of its bytes
    return claims, chain[0]


def _verify_asker(request: str, leaf: str, ledger_key: bytes) -> None:
    """The ledger, not the certificate, decides whose key counts; the leaf must hold that very key."""
    if leaf_key(leaf) != ledger_key:
        raise ConsentError("request-forged", log="the leaf's key is not the ledger's")
    try:
        jose.verify(request, jwks.from_public_key(ledger_key), typ=request_object.TYP, allow=("x5c",))
    except jose.JoseError as error:
        raise ConsentError("request-forged", log=str(error)) from error
