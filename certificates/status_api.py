"""Status lists over HTTP, for software that knows no ledger: Token Status List and Bitstring Status List.

    GET /agencies/<slug>/status/<type>/<list>                  application/statuslist+jwt
    GET /agencies/<slug>/status/<type>/<list>/<purpose>        BitstringStatusListCredential: revocation, suspension

Anyone may ask, for the whole list only, and caches may answer: the issuer cannot tell whose certificate is looked at.
Signed anew when the last signature has lived for half its time; the entries change with a version on the ledger only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from certificates import queries, status_lists
from certificates.contexts import bundled
from certificates.core.errors import CertificateError
from certificates.formats import vcdm
from certificates.formats.data_integrity import proofs
from certificates.formats.multikey import Multikey
from certificates.models import StatusList
from gov_chain import clock
from gov_chain.keys import Signer
from identity import agencies, certificates_x509
from identity.core import jose

TTL = 300
"""Seconds a copy may be used (§5.1 `ttl`)."""
LIFETIME = 86400
TYP = "statuslist+jwt"


@require_safe
def token_list(request: HttpRequest, slug: str, type_number: int, number: int) -> HttpResponse:
    row = _list(slug, type_number, number)
    if "time" in request.GET:
        # §8.4: a provider that keeps no history under this address says so.
        return HttpResponse(status=501)
    body = _kept(row, "token", _token)
    return _answer(HttpResponse(body, content_type=f"application/{TYP}"), row)


@require_safe
def bitstring_list(request: HttpRequest, slug: str, type_number: int, number: int, purpose: str) -> HttpResponse:
    row = _list(slug, type_number, number)
    if purpose not in ("revocation", "suspension"):
        raise CertificateError("status-list-unknown")
    return _answer(JsonResponse(_kept(row, purpose, lambda each: _bitstring(each, purpose))), row)


def _list(slug: str, type_number: int, number: int) -> StatusList:
    agency = queries.hosted_issuer(slug)
    row = (
        StatusList.objects.select_related("agency")
        .filter(agency=agency, type_number=type_number, number=number, version__gte=1)
        .first()
    )
    if row is None:
        raise CertificateError("status-list-unknown")
    return row


def _kept(row: StatusList, form: str, make: Callable[[StatusList], Any]) -> Any:
    """The list as last signed, while it lives for half its time and no version came after it."""
    return cache.get_or_set(f"status:{row.pk}:{row.version}:{form}", lambda: make(row), LIFETIME // 2)


def _answer(response: HttpResponse, row: StatusList) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={TTL}"
    response["ETag"] = status_lists.etag(row)
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _token(row: StatusList) -> str:
    """Token Status List §5.1; `sub` is the address certificates name."""
    now = clock.now()
    signer = agencies.signer(row.agency, "issue")
    claims = {
        "iss": row.agency.url,
        "sub": status_lists.uri(row.agency, row.type_number, row.number),
        "iat": now,
        "exp": now + LIFETIME,
        "ttl": TTL,
        "status_list": status_lists.statuses(row).token(),
    }
    header = {"typ": TYP, "kid": signer.key_id, "x5c": certificates_x509.chain(row.agency, "issue")}
    return jose.sign(header, claims, signer)


def _bitstring(row: StatusList, purpose: str) -> dict[str, Any]:
    """Bitstring Status List 1.0 §2.2, with a Data Integrity proof by the issuing key."""
    address = f"{status_lists.uri(row.agency, row.type_number, row.number)}/{purpose}"
    signer = agencies.signer(row.agency, "issue")
    did = row.agency.did
    document = {
        "@context": [vcdm.V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did,
        "validFrom": vcdm.timestamp(clock.now()),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": status_lists.statuses(row).bitstring(purpose),  # type: ignore[arg-type]
            "ttl": TTL * 1000,
        },
    }
    proof = {
        "cryptosuite": "ecdsa-rdfc-2019",
        "created": vcdm.timestamp(clock.now()),
        "verificationMethod": f"{did}#{signer.key_id}",
        "proofPurpose": "assertionMethod",
    }
    return proofs.add(document, proof, signer=_ProofSigner(signer), contexts=bundled())


@dataclass(frozen=True, slots=True)
class _ProofSigner:
    """A key of the key store, as Data Integrity signs with it."""

    signer: Signer

    @property
    def multikey(self) -> Multikey:
        return Multikey("P-256", self.signer.public_key)

    def sign(self, data: bytes) -> bytes:
        return self.signer.sign(data)
