"""HTTP for a citizen's own phones and account: list, name, add, end; backup; deletion. JSON only.

All but the recovery and a deletion's proof need an open wallet (`Authorization: Bearer`).
"""

from __future__ import annotations

import uuid
from typing import Annotated

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from pydantic import Field

from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.web.errors import InputError
from gov_chain.web.inputs import Input, read_json
from identity import accounts, agencies, assurance, phones, throttle, wallets
from identity.actions.delete_account import delete_account
from identity.actions.issue_activation import OWN_PHONE_SECONDS, issue_activation
from identity.actions.keep_backup import keep_backup
from identity.actions.open_backup import open_backup
from identity.actions.revoke_wallet import revoke_wallet
from identity.actions.unlock_wallet import unlock_wallet
from identity.api import Nothing, PhoneName, Pin
from identity.core import recovery
from identity.errors import IdentityError
from identity.models import ErasureProof, Wallet

Locator = Annotated[str, Field(pattern=f"^{recovery.LOCATOR.pattern}$")]
Bytes32 = Annotated[str, Field(min_length=43, max_length=43)]


class Naming(Input):
    name: PhoneName


class Ending(Input):
    lost: bool
    """Whatever was signed with it and still stands (mandates) ends with it."""


class BackupToKeep(Input):
    locator: Locator
    verifier: Bytes32
    content: Annotated[str, Field(min_length=1, max_length=recovery.MAX_CONTENT * 4 // 3 + 4)]


class Deletion(Input):
    number: Annotated[uuid.UUID, Field(strict=False)]
    salt: Annotated[str, Field(min_length=22, max_length=22)]
    pin: Pin


class Recovery(Input):
    locator: Locator
    asking_key: Bytes32
    lost: bool


@require_GET
@never_cache
def listed(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """GET …/phones"""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    return JsonResponse({"phones": phones.listed(wallet), "backup": hasattr(wallet, "backup")})


@csrf_exempt
@require_POST
@never_cache
def name(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/name: what the owner calls this phone."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    Wallet.objects.filter(pk=wallet.pk).update(name=read_json(request, Naming).name.strip())
    return JsonResponse({"phones": phones.listed(wallet)})


@csrf_exempt
@require_POST
@never_cache
def end(request: HttpRequest, slug: str, wallet_id: uuid.UUID, phone_id: uuid.UUID) -> HttpResponse:
    """POST …/phones/<phone>/end: another phone of mine is lost, or I no longer use it."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    lost = read_json(request, Ending).lost
    ended_as = Wallet.Ended.LOST if lost else Wallet.Ended.CLOSED
    revoke_wallet(wallet=phones.another(wallet, phone_id), home=wallet.citizen.home, ended_as=ended_as)
    return JsonResponse({"phones": phones.listed(wallet)})


@csrf_exempt
@require_POST
@never_cache
def add(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/activations: a code for one more phone of mine, at this phone's level, for a quarter of an hour."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    read_json(request, Nothing)
    issued = issue_activation(
        citizen=wallet.citizen,
        verified=assurance.of_wallet(wallet),
        officer=None,
        adds=True,
        life_seconds=OWN_PHONE_SECONDS,
    )
    return JsonResponse({"code": issued.code, "expires": int(issued.expires_at.timestamp())}, status=201)


@csrf_exempt
@require_POST
@never_cache
def backup(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/backup: ciphertext to keep, and what its recovery code will be known by."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    asked = read_json(request, BackupToKeep)
    keep_backup(
        wallet=wallet,
        locator=asked.locator,
        verifier=_bytes(asked.verifier, "verifier"),
        content=_bytes(asked.content, "content"),
    )
    return JsonResponse({"kept": True}, status=201)


@csrf_exempt
@require_POST
@never_cache
def recover(request: HttpRequest, slug: str) -> HttpResponse:
    """POST /agencies/<home>/recovery: the ciphertext, for the right code; with `lost`, the phone ends too."""
    home = agencies.home_by_slug(slug)
    asked = read_json(request, Recovery)
    address = str(request.META.get("REMOTE_ADDR", ""))
    throttle.require(throttle.RECOVERY, "recovery-throttled", address)
    opened = open_backup(
        home=home, locator=asked.locator, asking_key=_bytes(asked.asking_key, "asking_key"), lost=asked.lost
    )
    throttle.forgive(throttle.RECOVERY, address)
    return JsonResponse({"content": b64url(opened.content), "ended": opened.ended})


@require_GET
@never_cache
def account(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """GET …/account: what deletion would take, and what stays and why."""
    return JsonResponse(accounts.overview(wallets.opened(request, slug=slug, wallet_id=wallet_id).citizen))


@csrf_exempt
@require_POST
@never_cache
def delete(request: HttpRequest, slug: str, wallet_id: uuid.UUID) -> HttpResponse:
    """POST …/account/delete: with the PIN once more, the whole account goes."""
    wallet = wallets.opened(request, slug=slug, wallet_id=wallet_id)
    asked = read_json(request, Deletion)
    salt = _bytes(asked.salt, "salt")
    unlock_wallet(wallet=wallet, pin=asked.pin)
    deleted = delete_account(citizen=wallet.citizen, number=asked.number, salt=salt)
    return JsonResponse({"proof": deleted.proof})


@require_GET
@never_cache
def erasure(request: HttpRequest, slug: str, number: uuid.UUID) -> HttpResponse:
    """GET /agencies/<home>/erasures/<number>: the proof again, and the receipt for its digest once the ledger has it.

    Whoever knows the number may have them.
    """
    proof = ErasureProof.objects.filter(pk=number, home=agencies.home_by_slug(slug)).first()
    if proof is None:
        raise IdentityError("erasure-unknown")
    return JsonResponse({"proof": proof.proof, "receipt": proof.receipt or None})


def _bytes(text: str, where: str) -> bytes:
    try:
        return b64url_decode(text)
    except ValueError as error:
        raise InputError("input-invalid", where=f"{where}: base64url") from error
