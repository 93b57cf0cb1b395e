"""Take a wallet's answer to a request: one answer, locked, and not yet readable by anyone.

1. the request is this agency's, unanswered and in time
2. the answer names this request's `state`
3. two locks (our wallet): the grant is on the ledger, for this matter, recorded by the agency the
   envelope names, and that agency confirms it was given for this request
   one lock (another wallet): issuer, holder, audience and nonce hold
4. request and answer change together, by a conditional update: of two answers at once one is taken

Until 4 nothing is written, so a stranger's nonsense does not use up a citizen's request. After 4 the
usage record is on its way (two locks) or the issuer is asked to record the grant (one lock).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from consent import live, presentations, registry
from consent.actions.forward_presentation import forward_presentation
from consent.actions.record_usage import record_usage
from consent.core import envelopes, lifecycle, wallet_errors
from consent.core.errors import ConsentError
from consent.models import PresentationRequest, PresentationResponse
from gov_chain import clock
from gov_chain.core.codec import b64url
from gov_chain.ledger import following, node
from identity import agencies, peers
from identity.errors import IdentityError
from identity.models import Agency

DAY = 86400


@dataclass(frozen=True, slots=True)
class Received:
    request: PresentationRequest
    redirect_uri: str | None
    """Same-device: where the wallet sends the citizen back to."""


def receive_response(*, request: PresentationRequest, token: str, state: str | None) -> Received:
    """Store the answer `token` (compact JWE). Raises `ConsentError`."""
    require_open(request)
    try:
        head = envelopes.header(token)
    except envelopes.MalformedEnvelopeError as error:
        raise ConsentError("response-malformed", log=str(error)) from error
    if envelopes.is_outer(head):
        return _receive_two_locks(request, token, head, state)
    return _receive_one_lock(request, token, state)


def receive_error(*, request: PresentationRequest, error: object, state: object) -> Received:
    """The wallet shows nothing: the citizen declined, or the phone could not. Of its reasons only the code is kept."""
    require_open(request)
    _require_state(request, state)
    if error == wallet_errors.DECLINED:
        _take(request, PresentationRequest.State.DECLINED)
    else:
        _take(request, PresentationRequest.State.UNABLE, failure=wallet_errors.known(error))
    live.announce(request)
    return _received(request)


def require_open(request: PresentationRequest) -> None:
    """Raises `ConsentError` request-answered or request-expired."""
    if request.state != PresentationRequest.State.WAITING:
        raise ConsentError("request-answered")
    if request.expires_at <= clock.now():
        raise ConsentError("request-expired")


def _receive_two_locks(request: PresentationRequest, token: str, head: dict[str, Any], state: str | None) -> Received:
    _require_state(request, state)
    try:
        outer = envelopes.outer_header(head)
    except envelopes.MalformedEnvelopeError as error:
        raise ConsentError("response-malformed", log=str(error)) from error
    home = _recorder(outer.recorder)
    _reach(outer.handle)
    masks = registry.granted_masks(outer.handle, matter=request.matter, recorder=home.number, now=clock.now())
    _require_given_for(request, home=home, handle=outer.handle)
    try:
        with transaction.atomic():
            _take(request, PresentationRequest.State.ANSWERED)
            response = _store(request, token, locks=2, state=lifecycle.GRANTED)
            response.handle, response.recorder = outer.handle, outer.recorder
            response.save(update_fields=["handle", "recorder"])
            record_usage(response=response, masks=masks)
    except IntegrityError as error:
        raise ConsentError("grant-elsewhere", log="handle answered another request") from error
    # Durable: the locked answer and its usage record in the outbox. A crash from here on loses nothing.
    live.announce(request)
    return _received(request)


def _receive_one_lock(request: PresentationRequest, token: str, state: str | None) -> Received:
    payload = presentations.unlock_inner(request, token)
    named = payload.get("state", state)
    if "error" in payload:
        return receive_error(request=request, error=payload["error"], state=named)
    _require_state(request, named)
    presentation = presentations.single(payload, registry.terms_of(request.matter))
    presentations.require_holder_binding(presentation, request=request, now=clock.now())
    with transaction.atomic():
        _take(request, PresentationRequest.State.ANSWERED)
        response = _store(request, token, locks=1, state=lifecycle.RECEIVED)
    # Durable: the locked answer. If the issuer cannot be reached now, the counter page asks again.
    live.announce(request)
    forward_presentation(response=response)
    return _received(request)


def _require_given_for(request: PresentationRequest, *, home: Agency, handle: bytes) -> None:
    """Handles are public on the ledger: without this anybody could spend a stranger's grant on an empty answer."""
    try:
        peers.call(
            sender=request.agency,
            to=home,
            path=f"/agencies/{home.slug}/grants/confirm",
            body={"handle": b64url(handle), "request_id": str(request.id)},
        )
    except peers.PeerRefusedError as error:
        if error.remote_status >= 500:
            raise
        raise ConsentError("grant-elsewhere", log=error.remote_code) from error


def _reach(handle: bytes) -> None:
    """The wallet has come straight from its home agency, whose node may have the grant a moment before this one."""
    following.within_reach(lambda: node.ledger().grant(handle))


def _recorder(slug: str) -> Agency:
    try:
        return agencies.by_slug(slug)
    except IdentityError as error:
        raise ConsentError("grant-elsewhere", log="recorder unknown") from error


def _require_state(request: PresentationRequest, state: object) -> None:
    if not isinstance(state, str) or not secrets.compare_digest(state.encode(), request.wallet_state.encode()):
        raise ConsentError("state-mismatch")


def _take(request: PresentationRequest, state: str, *, failure: str = "") -> None:
    """Exactly one caller gets past this."""
    request.response_code = b64url(secrets.token_bytes(32)) if request.browser_digest else None
    taken = PresentationRequest.objects.filter(
        id=request.id, state=PresentationRequest.State.WAITING, expires_at__gt=clock.now()
    ).update(state=state, failure=failure, response_code=request.response_code)
    if not taken:
        raise ConsentError("request-answered")
    request.state = state


def _store(request: PresentationRequest, token: str, *, locks: int, state: str) -> PresentationResponse:
    now = clock.now()
    return PresentationResponse.objects.create(
        request=request,
        state=state,
        locks=locks,
        ciphertext=token,
        received_at=now,
        erase_at=now + registry.terms_of(request.matter).retention_days * DAY,
    )


def _received(request: PresentationRequest) -> Received:
    redirect = None
    if request.response_code:
        redirect = f"{request.agency.base_url}/matters/{request.matter.slug}/done?response_code={request.response_code}"
    return Received(request=request, redirect_uri=redirect)
