"""Have the issuer record the grant that a standard wallet's key binding stands for.

Only the issuer-signed JWT and the key-binding JWT leave this node: no disclosed value does. Safe to
repeat: the issuer knows a key binding it has seen and answers with the same grant.
"""

from __future__ import annotations

from django.db import transaction

from consent import live, presentations, registry, requests
from consent.actions.record_usage import record_usage
from consent.core import lifecycle
from consent.models import PresentationResponse
from gov_chain.core.codec import b64url, b64url_decode
from identity import agencies, peers
from identity.errors import IdentityError


def forward_presentation(*, response: PresentationResponse) -> None:
    """received → granted (the usage record then is on its way), or → refused. Unreachable: stays received."""
    if response.state != lifecycle.RECEIVED:
        return
    request = response.request
    terms = registry.terms_of(request.matter)
    presentation = presentations.single(presentations.unlock_inner(request, response.ciphertext), terms)
    issuer = agencies.by_number(registry.certificate(presentation.issuer_jwt).agency)
    body = {
        "issuer_jwt": presentation.issuer_jwt,
        "kb_jwt": presentation.key_binding_jwt,
        "matter": request.matter.number,
        "version": request.matter.version,
        "request_id": str(request.id),
        "nonce_salt": b64url(bytes(request.nonce_salt)),
        "client_id": request.client_id,
        "leaf": requests.leaf(request),
        "received_at": response.received_at,
    }
    try:
        answer = peers.call(
            sender=request.agency, to=issuer, path=f"/agencies/{issuer.slug}/grants/forwarded", body=body
        )
    except peers.PeerRefusedError as error:
        if error.remote_status < 500:
            _refuse(response, error.remote_code)
        return
    except IdentityError:
        return
    # A crash here: the response stays received, the same call gives the same handle.
    with transaction.atomic():
        moved = PresentationResponse.objects.filter(pk=response.pk, state=lifecycle.RECEIVED).update(
            state=lifecycle.target("grant"), handle=b64url_decode(answer["handle"]), recorder=issuer.slug
        )
        if moved:
            response.refresh_from_db()
            record_usage(response=response, masks=terms.whole)
    live.announce(request)


def _refuse(response: PresentationResponse, code: str) -> None:
    PresentationResponse.objects.filter(pk=response.pk, state=lifecycle.RECEIVED).update(
        state=lifecycle.REFUSED, refusal=code
    )
    response.refresh_from_db()
    live.announce(response.request)
