"""HTTP for machines: the verifier's protocol endpoints (OpenID4VP 1.0) and the doors between agencies."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import Field

from consent import live, registry, representation, requests
from consent.actions.receive_response import receive_error, receive_response, require_open
from consent.actions.record_forwarded_grant import record_forwarded_grant
from consent.actions.record_grant import record_grant
from consent.actions.release_key import confirm_grant, release_key
from consent.core import envelopes, transaction_data
from consent.core.errors import ConsentError
from consent.models import Matter, PresentationRequest
from gov_chain import clock
from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.core.errors import GovChainError
from gov_chain.web.inputs import Input, parse_json, read_form, read_json
from identity import agencies, peers, wallets
from identity.core import holder_binding

REQUEST_OBJECT = "application/oauth-authz-req+jwt"
INVALID = "invalid_request"


class RequestForm(Input):
    wallet_metadata: str | None = Field(default=None, max_length=16 * 1024)
    wallet_nonce: str | None = Field(default=None, min_length=1, max_length=256)


class ResponseForm(Input):
    response: str | None = Field(default=None, max_length=envelopes.MAX_CHARS)
    state: str | None = Field(default=None, max_length=256)
    error: str | None = Field(default=None, max_length=100)
    error_description: str | None = Field(default=None, max_length=1000)


class MandateBody(Input):
    issuer_jwt: str = Field(max_length=48 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    kb_jwt: str = Field(max_length=16 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    holder_salt: str = Field(max_length=32)


class GrantBody(Input):
    issuer_jwt: str = Field(max_length=48 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    kb_jwt: str = Field(max_length=16 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    request: str = Field(max_length=32 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    one_time_key: str = Field(max_length=64)
    secret: str = Field(max_length=64)
    holder_salt: str = Field(default="", max_length=32)
    mandate: MandateBody | None = None


class ForwardedBody(Input):
    issuer_jwt: str = Field(max_length=48 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    kb_jwt: str = Field(max_length=16 * 1024, pattern=r"^[A-Za-z0-9._-]+$")
    matter: int = Field(ge=0, le=65535)
    version: int = Field(ge=0, le=65535)
    request_id: uuid.UUID = Field(strict=False)
    nonce_salt: str = Field(max_length=32)
    client_id: str = Field(max_length=128)
    leaf: str = Field(max_length=8 * 1024)
    received_at: int = Field(ge=0, lt=2**40)


class ConfirmBody(Input):
    handle: str = Field(max_length=64)
    request_id: uuid.UUID = Field(strict=False)


class ReleaseBody(ConfirmBody):
    usage_index: int = Field(ge=0, lt=2**53)


# OpenID4VP


def _request(slug: str, request_id: uuid.UUID) -> PresentationRequest:
    found = (
        PresentationRequest.objects.select_related("agency", "matter__agency")
        .filter(id=request_id, agency__slug=slug, agency__hosted=True)
        .first()
    )
    if found is None:
        raise ConsentError("request-unknown")
    return found


@csrf_exempt
@require_http_methods(["GET", "POST"])
def request_object(http: HttpRequest, slug: str, request_id: uuid.UUID) -> HttpResponse:
    """§5.10: the signed request. A POST may say what the wallet knows, and gets its nonce back."""
    request = _request(slug, request_id)
    require_open(request)
    form = read_form(http, RequestForm, extra="ignore", oauth=INVALID) if http.method == "POST" else RequestForm()
    metadata = _wallet_metadata(form.wallet_metadata)
    signed = requests.signed(request, wallet_nonce=form.wallet_nonce, with_terms=transaction_data.offered(metadata))
    if PresentationRequest.objects.filter(id=request.id, fetched_at__isnull=True).update(fetched_at=clock.now()):
        live.announce(request)
    response = HttpResponse(signed, content_type=REQUEST_OBJECT)
    response["Cache-Control"] = "no-store"
    return response


def _wallet_metadata(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = parse_json(text.encode())
    except GovChainError as error:
        raise ConsentError("wallet-metadata-invalid", log=error.code) from error
    if not isinstance(value, dict):
        raise ConsentError("wallet-metadata-invalid")
    return value


@csrf_exempt
@require_POST
def response(http: HttpRequest, slug: str, request_id: uuid.UUID) -> HttpResponse:
    """§8.3: direct_post.jwt. Answers 200 with `redirect_uri` for a same-device request."""
    request = _request(slug, request_id)
    form = read_form(http, ResponseForm, extra="ignore", oauth=INVALID)
    if form.error is not None:
        received = receive_error(request=request, error=form.error, state=form.state)
    elif form.response is not None:
        received = receive_response(request=request, token=form.response, state=form.state)
    else:
        raise ConsentError("response-malformed", log="neither response nor error")
    return _private({"redirect_uri": received.redirect_uri} if received.redirect_uri else {})


@require_safe
def representable(http: HttpRequest) -> HttpResponse:
    """GET /matters/representable.json: the matters in force to which one may send somebody with a mandate."""
    found = [registry.terms_of(matter) for matter in Matter.objects.filter(state=Matter.State.IN_FORCE)]
    newest = {terms.number: terms for terms in sorted(found, key=lambda terms: terms.version)}
    admitting = [terms for terms in newest.values() if "mandate" in terms.representation]
    shown = [{"number": terms.number, "name": {"zh": terms.name.zh, "en": terms.name.en}} for terms in admitting]
    return JsonResponse({"matters": shown})


# Between agencies, and from our wallets to their home agency


@csrf_exempt
@require_POST
def grants(http: HttpRequest, slug: str) -> HttpResponse:
    home = agencies.by_slug(slug, hosted=True)
    wallet = wallets.wallet_of(http, home=home)
    body = read_json(http, GrantBody)
    recorded = record_grant(
        home=home,
        wallet=wallet,
        issuer_jwt=body.issuer_jwt,
        kb_jwt=body.kb_jwt,
        request=body.request,
        one_time_key=_bytes(body.one_time_key),
        secret=_bytes(body.secret),
        holder_salt=_bytes(body.holder_salt, holder_binding.SALT_BYTES) if body.holder_salt else b"",
        mandate=_mandate(body.mandate),
    )
    return _private({"receipt": recorded.receipt, "handle": b64url(recorded.handle)}, status=201)


@csrf_exempt
@require_POST
def confirm(http: HttpRequest, slug: str) -> HttpResponse:
    """Before an asker records a use: was this grant given for its very request?"""
    home = agencies.by_slug(slug, hosted=True)
    asker = peers.authenticate(http, to=home)
    body = read_json(http, ConfirmBody)
    grant = confirm_grant(home=home, asker=asker, handle=_bytes(body.handle), request_id=body.request_id)
    return _private({"index": grant.index})


@csrf_exempt
@require_POST
def release(http: HttpRequest, slug: str) -> HttpResponse:
    home = agencies.by_slug(slug, hosted=True)
    asker = peers.authenticate(http, to=home)
    body = read_json(http, ReleaseBody)
    released = release_key(
        home=home,
        asker=asker,
        handle=_bytes(body.handle),
        usage_index=body.usage_index,
        request_id=body.request_id,
    )
    return _private({"key": b64url(released.key), "binding": b64url(released.binding)})


@csrf_exempt
@require_POST
def forwarded(http: HttpRequest, slug: str) -> HttpResponse:
    issuer = agencies.by_slug(slug, hosted=True)
    asker = peers.authenticate(http, to=issuer)
    body = read_json(http, ForwardedBody)
    recorded = record_forwarded_grant(
        issuer=issuer,
        asker=asker,
        issuer_jwt=body.issuer_jwt,
        kb_jwt=body.kb_jwt,
        matter=body.matter,
        version=body.version,
        request_id=body.request_id,
        nonce_salt=_bytes(body.nonce_salt, 16),
        client_id=body.client_id,
        leaf=body.leaf,
        received_at=body.received_at,
    )
    return _private({"handle": b64url(recorded.handle)}, status=201)


def _mandate(body: MandateBody | None) -> representation.Shown | None:
    if body is None:
        return None
    return representation.Shown(body.issuer_jwt, body.kb_jwt, _bytes(body.holder_salt, holder_binding.SALT_BYTES))


def _bytes(text: str, length: int = 32) -> bytes:
    try:
        value = b64url_decode(text)
    except ValueError as error:
        raise ConsentError("consent-malformed", log="base64url") from error
    if len(value) != length:
        raise ConsentError("consent-malformed", log="length")
    return value


def _private(body: dict[str, Any], *, status: int = 200) -> HttpResponse:
    answer = JsonResponse(body, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
