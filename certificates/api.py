"""The OpenID4VCI 1.0 endpoints of each issuing agency: pre-authorized code flow with transaction code.

    offer → token → nonce → credential (→ deferred) → notification

Refusals carry the specification's `error` values. No answer with a secret in it may be cached.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from certificates import metadata, nonces, queries
from certificates.actions.collect_certificate import Collected, StillPending, collect_certificate
from certificates.actions.issue_certificate import issue_certificate
from certificates.actions.redeem_code import redeem_code
from certificates.actions.take_notification import take_notification
from certificates.core import proofs
from certificates.core.errors import CertificateError
from certificates.models import AccessToken, Certificate
from gov_chain import clock
from gov_chain.core.codec import sha256
from gov_chain.ledger import relay
from gov_chain.web.inputs import Input, parse_json, read_form, read_json
from identity.models import Agency

SETTLE_SECONDS = 10.0
RETRY_SECONDS = 2
Text = Annotated[str, Field(min_length=1, max_length=200)]


class TokenRequest(Input):
    grant_type: Text
    pre_authorized_code: Annotated[Text | None, Field(alias="pre-authorized_code")] = None
    tx_code: Annotated[str, Field(max_length=32)] | None = None
    authorization_details: Annotated[str, Field(max_length=4000)] | None = None


class CredentialRequest(Input):
    credential_identifier: Text | None = None
    credential_configuration_id: Text | None = None
    proofs: dict[str, list[Any]] | None = None
    credential_response_encryption: dict[str, Any] | None = None


class DeferredRequest(Input):
    transaction_id: Text
    credential_response_encryption: dict[str, Any] | None = None


class Notification(Input):
    notification_id: Text
    event: Literal["credential_accepted", "credential_failure", "credential_deleted"]
    event_description: Annotated[str, Field(max_length=1000)] | None = None


# Metadata


@require_safe
def credential_issuer_metadata(request: HttpRequest, slug: str) -> HttpResponse:
    agency = queries.hosted_issuer(slug)
    return JsonResponse(metadata.credential_issuer(agency, queries.types_in_force(agency)))


@require_safe
def authorization_server_metadata(request: HttpRequest, slug: str) -> HttpResponse:
    return JsonResponse(metadata.authorization_server(queries.hosted_issuer(slug)))


@require_safe
def jwt_vc_issuer_metadata(request: HttpRequest, slug: str) -> HttpResponse:
    return JsonResponse(metadata.jwt_vc_issuer(queries.hosted_issuer(slug)))


# The flow


@require_safe
@never_cache
def offer(request: HttpRequest, slug: str, offer_id: uuid.UUID) -> HttpResponse:
    """credential_offer_uri. Whoever has the link may read it; without the transaction code it opens nothing."""
    agency = queries.hosted_issuer(slug)
    found = queries.offer_of(agency, offer_id)
    state = queries.offer_state(found)
    if state != "open":
        raise CertificateError({"expired": "offer-expired", "locked": "offer-locked"}.get(state, "code-invalid"))
    return JsonResponse(metadata.credential_offer(agency, found.type.slug, found.code))


@csrf_exempt
@require_POST
@never_cache
def token(request: HttpRequest, slug: str) -> HttpResponse:
    agency = queries.hosted_issuer(slug)
    form = read_form(request, TokenRequest, extra="ignore", oauth="invalid_request")
    if form.grant_type != metadata.PRE_AUTHORIZED:
        raise CertificateError("grant-type-unsupported")
    if form.pre_authorized_code is None:
        raise CertificateError("token-request-invalid", where="pre-authorized_code")
    asked = _authorization_details(form.authorization_details)
    redeemed = redeem_code(
        agency=agency,
        code=form.pre_authorized_code,
        tx_code=form.tx_code,
        asked=None if asked is None else [detail.credential_configuration_id for detail in asked],
    )
    answer: dict[str, Any] = {
        "access_token": redeemed.token,
        "token_type": "Bearer",
        "expires_in": redeemed.expires_in,
    }
    if asked is not None:
        answer["authorization_details"] = [
            {
                "type": "openid_credential",
                "credential_configuration_id": redeemed.configuration,
                "credential_identifiers": [redeemed.identifier],
            }
        ]
    return JsonResponse(answer)


@csrf_exempt
@require_POST
@never_cache
def nonce(request: HttpRequest, slug: str) -> HttpResponse:
    return JsonResponse({"c_nonce": nonces.fresh(queries.hosted_issuer(slug))})


@csrf_exempt
@require_POST
@never_cache
def credential(request: HttpRequest, slug: str) -> HttpResponse:
    agency = queries.hosted_issuer(slug)
    access = _access(request, agency)
    body = read_json(request, CredentialRequest, extra="ignore", oauth="invalid_credential_request")
    _check_what_is_asked(body, access)
    proof = _one_proof(body.proofs, agency)
    nonces.spend(agency, proof.nonce)
    issuance = issue_certificate(token=access, proof=proof)
    # Durable here: the certificate is pending, its record in the outbox. Nothing is handed out before it is final.
    if issuance.outbox_id is not None:
        relay.settle([issuance.outbox_id], timeout=SETTLE_SECONDS)
    return _answer(collect_certificate(certificate_id=issuance.certificate_id))


@csrf_exempt
@require_POST
@never_cache
def deferred(request: HttpRequest, slug: str) -> HttpResponse:
    access = _access(request, queries.hosted_issuer(slug))
    body = read_json(request, DeferredRequest, extra="ignore", oauth="invalid_credential_request")
    if body.credential_response_encryption is not None:
        raise CertificateError("encryption-unsupported")
    waiting = Certificate.objects.filter(
        transaction_digest=sha256(body.transaction_id.encode()), offer_id=access.offer_id
    ).first()
    if waiting is None:
        raise CertificateError("transaction-unknown")
    return _answer(collect_certificate(certificate_id=waiting.pk, transaction_id=body.transaction_id))


@csrf_exempt
@require_POST
@never_cache
def notification(request: HttpRequest, slug: str) -> HttpResponse:
    access = _access(request, queries.hosted_issuer(slug))
    body = read_json(request, Notification, extra="ignore", oauth="invalid_notification_request")
    take_notification(token=access, notification_id=body.notification_id, event=body.event)
    return HttpResponse(status=204)


def _access(request: HttpRequest, agency: Agency) -> AccessToken:
    """The living token behind `Authorization: Bearer`, of this agency (RFC 6750)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise CertificateError("token-invalid")
    access = (
        AccessToken.objects.select_related("offer__type__agency", "offer__row")
        .filter(digest=sha256(value.encode()), expires_at__gt=clock.now(), offer__type__agency=agency)
        .first()
    )
    if access is None:
        raise CertificateError("token-invalid")
    return access


def _check_what_is_asked(body: CredentialRequest, access: AccessToken) -> None:
    """Exactly one of the two names, the one this token was given (§8.2)."""
    if (body.credential_identifier is None) == (body.credential_configuration_id is None):
        raise CertificateError("credential-request-invalid", where="credential_identifier")
    if body.credential_response_encryption is not None:
        raise CertificateError("encryption-unsupported")
    if body.credential_identifier is not None:
        if not access.identifier or body.credential_identifier != access.identifier:
            raise CertificateError("identifier-unknown")
    elif access.identifier:
        raise CertificateError("credential-request-invalid", where="credential_configuration_id")
    elif body.credential_configuration_id != access.offer.type.slug:
        raise CertificateError("configuration-unknown")


def _one_proof(given: dict[str, list[Any]] | None, agency: Agency) -> proofs.HolderProof:
    """§8.2: `proofs` holds one type, ours are jwt and attestation; and one proof, because no batches are offered."""
    providers = metadata.wallet_providers()
    if given is None:
        raise CertificateError("proof-invalid", where="proofs")
    match given:
        case {"jwt": [str() as proof]} if len(given) == 1:
            return proofs.verify(proof, expected_audience=agency.url, now=clock.now(), providers=providers)
        case {"attestation": [str() as proof]} if len(given) == 1:
            return proofs.verify_attested(proof, now=clock.now(), providers=providers)
    raise CertificateError("credential-request-invalid", where="proofs")


class _Detail(Input):
    """Members we do not know are no error here (§5.1.1)."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["openid_credential"]
    credential_configuration_id: Text


_DETAILS = TypeAdapter(Annotated[list[_Detail], Field(min_length=1)])


def _authorization_details(text: str | None) -> list[_Detail] | None:
    """RFC 9396 as §5.1.1 uses it; None when not given."""
    if text is None:
        return None
    value = parse_json(text.encode(), oauth="invalid_request")
    try:
        return _DETAILS.validate_python(value)
    except ValidationError as error:
        raise CertificateError("details-invalid") from error


def _answer(result: Collected | StillPending) -> HttpResponse:
    if isinstance(result, StillPending):
        return JsonResponse({"transaction_id": result.transaction_id, "interval": RETRY_SECONDS}, status=202)
    return JsonResponse({"credentials": [{"credential": result.credential}], "notification_id": result.notification_id})
