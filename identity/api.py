"""HTTP for wallets (`/agencies/<home>/wallets…`), DID documents and the directory. JSON only."""

from __future__ import annotations

import base64
import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from pydantic import Field

from gov_chain.ledger import node, timeline
from gov_chain.ledger.explorer import registry_pages
from gov_chain.web.inputs import Input, read_json, read_query
from identity import agencies, certificates_x509, device, did_documents, passkeys, peers, phones, throttle, wallets
from identity.actions.activate_wallet import activate_wallet
from identity.actions.register_passkey import register_passkey
from identity.actions.unlock_wallet import unlock_wallet
from identity.actions.unlock_with_passkey import unlock_with_passkey
from identity.errors import IdentityError
from identity.models import Agency

Pin = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
PhoneName = Annotated[str, Field(max_length=40)]


class ActivationRequest(Input):
    activation_code: Annotated[str, Field(max_length=40)]
    pin: Pin
    device_proof: Annotated[str, Field(max_length=4096)]
    name: PhoneName = ""


class UnlockRequest(Input):
    """One of the two."""

    pin: Pin | None = None
    passkey: dict[str, Any] | None = None


class PasskeyRegistration(Input):
    credential: dict[str, Any]


class Nothing(Input):
    """An empty object."""


@csrf_exempt
@require_POST
@never_cache
def activate(request: HttpRequest, slug: str) -> HttpResponse:
    """POST /agencies/<home>/wallets: a code, a PIN and the phone's proof become a wallet."""
    home = agencies.home_by_slug(slug)
    asked = read_json(request, ActivationRequest)
    proof = device.prove(request, asked.device_proof)
    address = str(request.META.get("REMOTE_ADDR", ""))
    throttle.require(throttle.ACTIVATION, "activation-throttled", address)
    activated = activate_wallet(
        home=home, code=asked.activation_code, pin=asked.pin, proof=proof, name=asked.name.strip()
    )
    throttle.forgive(throttle.ACTIVATION, address)
    return JsonResponse(
        {
            "wallet_id": str(activated.wallet.id),
            "citizen": {"name": activated.citizen.name},
            "home": {"number": home.number, "slug": home.slug, "name": {"zh": home.name_zh, "en": home.name_en}},
            "assurance": phones.assurance_of(activated.wallet),
        },
        status=201,
    )


@csrf_exempt
@require_POST
@never_cache
def unlock(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/unlock: PIN or passkey, with the phone's proof in `DPoP`, become a session."""
    wallet = wallets.living(agencies.home_by_slug(slug), wallet_id)
    asked = read_json(request, UnlockRequest)
    device.prove(request, request.headers.get("DPoP", ""), wallet=wallet)
    if asked.pin is not None and asked.passkey is None:
        session = unlock_wallet(wallet=wallet, pin=asked.pin)
    elif asked.passkey is not None and asked.pin is None:
        session = unlock_with_passkey(wallet=wallet, assertion=asked.passkey)
    else:
        raise IdentityError("unlock-unclear")
    return JsonResponse({"token": session.token, "expires_in": session.expires_in})


@csrf_exempt
@require_POST
@never_cache
def unlock_options(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/unlock/options: what a passkey must sign, for this phone only."""
    wallet = wallets.living(agencies.home_by_slug(slug), wallet_id)
    read_json(request, Nothing)
    device.prove(request, request.headers.get("DPoP", ""), wallet=wallet)
    return JsonResponse(passkeys.unlock_options(wallet))


@csrf_exempt
@require_POST
@never_cache
def passkey_options(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/passkeys/options: what a new passkey must be made for. Needs an open wallet."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    read_json(request, Nothing)
    return JsonResponse(passkeys.registration_options(wallet))


@csrf_exempt
@require_POST
@never_cache
def passkey_register(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/passkeys: keep the passkey the phone made. Needs an open wallet."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    register_passkey(wallet=wallet, credential=read_json(request, PasskeyRegistration).credential)
    return JsonResponse({"passkeys": wallet.passkeys.count()}, status=201)


class MomentQuery(Input):
    """`?versionTime=` (DID Core §3.2.1: XML date-time, UTC), or `?at=` a size of the log."""

    version_time: str | None = Field(None, alias="versionTime", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    at: int | None = Field(None, ge=0, lt=2**53)


@require_GET
def did_document(request: HttpRequest, slug: str) -> HttpResponse:
    """GET /agencies/<slug>/did.json: the keys that the ledger holds, now or at a moment of its past."""
    agency = agencies.by_slug(slug, hosted=True)
    asked = read_query(request, MomentQuery)
    at = asked.at
    if asked.version_time is not None:
        at = timeline.size_at(node.ledger(), registry_pages.seconds(asked.version_time))
    return JsonResponse(
        did_documents.document(agency, at),
        content_type="application/did+json",
        headers={"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"},
    )


@require_GET
def did_history(request: HttpRequest, slug: str) -> HttpResponse:
    """GET /agencies/<slug>/did-history.json: every version of the document, by the entry that made it."""
    agency = agencies.by_slug(slug, hosted=True)
    return JsonResponse({"id": agency.did, "versions": did_documents.history(agency)})


@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """GET /directory.json: the consortium's agencies; their digests are on the ledger. Applicants are not in it."""
    members = [each.number for each in node.ledger().agencies()]
    return JsonResponse(
        {
            "agencies": [
                {
                    "number": agency.number,
                    "slug": agency.slug,
                    "name": {"zh": agency.name_zh, "en": agency.name_en},
                    "base_url": agency.base_url,
                    "did": agency.did,
                    "profile_digest": agency.profile_digest.hex(),
                }
                for agency in Agency.objects.filter(number__in=members)
            ],
            "home": agencies.home().slug,
        }
    )


@require_GET
def wallet_config(request: HttpRequest) -> HttpResponse:
    """GET /wallet/config.json: where the wallet's home is, and the ledger key it pins on first use."""
    home = agencies.home()
    reader = node.ledger()
    return JsonResponse(
        {
            "home": {"slug": home.slug, "base_url": home.base_url},
            "ledger": {"vkey": reader.vkey, "origin": reader.signed()[1].origin},
        }
    )


class CertificateRequest(Input):
    purpose: Literal["issue", "request"]


@csrf_exempt
@require_POST
@never_cache
def certificates(request: HttpRequest, slug: str) -> HttpResponse:
    """POST /agencies/<home>/certificates: the CA certifies the key that the ledger holds for the agency that asks."""
    above = certificates_x509.authority()
    agency = agencies.by_slug(slug, hosted=True)
    if above != agency:
        raise IdentityError("agency-unknown")
    sender = peers.authenticate(request, to=agency)
    purpose = read_json(request, CertificateRequest).purpose
    on_ledger = node.ledger().agency(sender.number)
    public_key = on_ledger.issue_key if purpose == "issue" else on_ledger.request_key
    certificate = certificates_x509.certify(sender, purpose, public_key)
    return JsonResponse({"certificate": base64.b64encode(certificate).decode()}, status=201)


@require_GET
def consortium_ca(request: HttpRequest) -> HttpResponse:
    """GET /consortium-ca.crt: the trust anchor of the agencies' certificates, DER."""
    above = certificates_x509.authority()
    if above is not None and not above.hosted:
        return HttpResponseRedirect(f"{above.base_url}/consortium-ca.crt")
    return HttpResponse(certificates_x509.ca_certificate(), content_type="application/pkix-cert")
