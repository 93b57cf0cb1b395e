"""What a presentation request looks like on the wire: its addresses, its key, its signed object."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from consent import registry
from consent.core import request_object, transaction_data
from consent.core.errors import ConsentError
from consent.models import PresentationRequest
from identity import agencies
from identity.core import jose
from identity.core import jwk as jwks


def seal_context(request: PresentationRequest) -> bytes:
    """What the request's sealed values are bound to."""
    return b"govchain/presentation-request/v1\n" + request.id.bytes


def request_uri(request: PresentationRequest) -> str:
    return f"{request.agency.url}/oid4vp/requests/{request.id}"


def response_uri(request: PresentationRequest) -> str:
    return f"{request.agency.url}/oid4vp/responses/{request.id}"


def leaf(request: PresentationRequest) -> str:
    """The certificate the request was made with, as base64 DER: the form of `x5c`."""
    return base64.b64encode(bytes(request.leaf)).decode()


def wallet_url(request: PresentationRequest) -> str:
    """For our wallet: an ordinary web address, so that any phone camera opens it."""
    return agencies.wallet_url(f"present?{_parameters(request)}")


def standard_uri(request: PresentationRequest) -> str:
    """For any wallet that follows OpenID4VP 1.0."""
    return f"openid4vp://?{_parameters(request)}"


def _parameters(request: PresentationRequest) -> str:
    return urlencode(
        {
            "client_id": request.client_id,
            "request_uri": request_uri(request),
            "request_uri_method": "post",
        }
    )


def response_key(request: PresentationRequest) -> dict[str, Any]:
    """The request's private JWK."""
    opened = agencies.sealer(request.agency).open(bytes(request.response_key_sealed), seal_context(request))
    value: dict[str, Any] = json.loads(opened)
    return value


def terms_entry(request: PresentationRequest) -> str:
    """The request's transaction data: always the same bytes."""
    return transaction_data.entry(
        registry.terms_of(request.matter), request_id=str(request.id), expires=request.expires_at
    )


def signed(request: PresentationRequest, *, wallet_nonce: str | None, with_terms: bool) -> str:
    """The request object, signed with the agency's request key.

    Raises `ConsentError("request-expired")` once that key was rotated: a request's name is the hash of its certificate.
    """
    signer = agencies.signer(request.agency, "request")
    certified = x509.load_der_x509_certificate(bytes(request.leaf)).public_key()
    if not isinstance(certified, EllipticCurvePublicKey) or jwks.compressed(certified) != signer.public_key:
        raise ConsentError("request-expired", log="its key was rotated")
    parts = request_object.RequestParts(
        client_id=request.client_id,
        response_uri=response_uri(request),
        nonce=request.nonce,
        state=request.wallet_state,
        response_key=request.response_jwk,
        issued=request.created_at,
        expires=request.expires_at,
    )
    claims = request_object.claims(
        registry.terms_of(request.matter),
        parts,
        wallet_nonce=wallet_nonce,
        transaction_data=terms_entry(request) if with_terms else None,
    )
    return jose.sign({"typ": request_object.TYP, "kid": signer.key_id, "x5c": [leaf(request)]}, claims, signer)
