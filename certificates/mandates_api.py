"""HTTP for mandates: the principal's wallet makes, lists, withdraws; the agent's home agency asks about a use."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import Field

from certificates import mandates
from certificates.actions.create_mandate import create_mandate
from certificates.actions.use_mandate import confirm_mandate, use_mandate
from certificates.actions.withdraw_mandate import withdraw_mandate
from certificates.core.errors import CertificateError
from certificates.models import Mandate
from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.web import qr
from gov_chain.web.errors import InputError
from gov_chain.web.inputs import Input, read_json
from identity import agencies, peers, wallets
from identity.models import Agency

Bytes32 = Annotated[str, Field(min_length=43, max_length=43)]


class Making(Input):
    statement: Annotated[str, Field(max_length=8192, pattern=r"^[A-Za-z0-9._-]+$")]


class Nothing(Input):
    """An empty object."""


class Use(Input):
    commitment: Bytes32
    agent_number: Annotated[str, Field(min_length=18, max_length=18)]
    matter: Annotated[int, Field(ge=1, le=65535)]
    asker: Annotated[int, Field(ge=1, le=65535)]
    secret: Bytes32


class Confirmation(Input):
    handle: Bytes32


@csrf_exempt
@require_http_methods(["GET", "POST"])
@never_cache
def collection(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """GET …/wallets/<id>/mandates: those I gave, with every use. POST: give one; the answer has the agent's offer."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    if request.method == "GET":
        return JsonResponse({"mandates": [_shown(each) for each in mandates.of_principal(wallet.citizen)]})
    made = create_mandate(wallet=wallet, statement=read_json(request, Making).statement)
    return JsonResponse(
        {
            "mandate": _shown(made.mandate),
            "offer": {
                "wallet_url": made.offer.wallet_url,
                "qr": qr.data_uri(made.offer.wallet_url),
                "tx_code": made.offer.tx_code,
                "expires": made.offer.offer.expires_at,
            },
        },
        status=201,
    )


@csrf_exempt
@require_POST
@never_cache
def withdraw(request: HttpRequest, slug: str, wallet_id: uuid.UUID, mandate_id: uuid.UUID) -> HttpResponse:
    """POST …/wallets/<id>/mandates/<mandate>/withdraw: at once, and what is open under it closes."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    read_json(request, Nothing)
    mandate = Mandate.objects.filter(pk=mandate_id, principal=wallet.citizen).first()
    if mandate is None:
        raise CertificateError("mandate-unknown")
    closed = withdraw_mandate(mandate=mandate)
    mandate.refresh_from_db()
    return JsonResponse({"mandate": _shown(mandate), "closed": closed})


@csrf_exempt
@require_POST
@never_cache
def use(request: HttpRequest, slug: str) -> HttpResponse:
    """POST /agencies/<issuer>/mandates/use, from the agent's home agency: may this grant be recorded?"""
    issuer, recorder = _peers(request, slug)
    body = read_json(request, Use)
    use_mandate(
        issuer=issuer,
        commitment=_bytes(body.commitment),
        agent_number=body.agent_number,
        matter=body.matter,
        asker=body.asker,
        recorder=recorder,
        secret=_bytes(body.secret),
    )
    return JsonResponse({"may": True})


@csrf_exempt
@require_POST
@never_cache
def confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """POST /agencies/<issuer>/mandates/confirm: the grant is final; does the mandate still count?"""
    issuer, recorder = _peers(request, slug)
    confirm_mandate(issuer=issuer, handle=_bytes(read_json(request, Confirmation).handle), recorder=recorder)
    return JsonResponse({"stands": True})


def _peers(request: HttpRequest, slug: str) -> tuple[Agency, Agency]:
    issuer = agencies.by_slug(slug, hosted=True)
    return issuer, peers.authenticate(request, to=issuer)


def _shown(mandate: Mandate) -> dict[str, Any]:
    """As its principal sees it."""
    data = mandate.row.data
    return {
        "id": str(mandate.pk),
        "kind": mandate.kind,
        "agent": {"name": data.get("agent_name", ""), "number": data.get("agent_number", "")},
        "matters": mandates.matter_names(mandate.matters),
        "made": mandate.created_at,
        "not_after": mandate.not_after,
        "state": mandates.state_of(mandate),
        "uses": [
            {"handle": b64url(bytes(each.handle)), "matter": each.matter, "asker": each.asker, "at": each.at}
            for each in mandate.uses.all()
        ],
    }


def _bytes(text: str) -> bytes:
    try:
        return b64url_decode(text)
    except ValueError as error:
        raise InputError("input-invalid", where="base64url") from error
