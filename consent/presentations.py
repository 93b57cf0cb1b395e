"""Taking a presentation apart at the asking agency: `vp_token` of OpenID4VP 1.0 §8.1, one SD-JWT in it."""

from __future__ import annotations

from typing import Any

from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from consent import registry, requests
from consent.core import envelopes
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import PresentationRequest
from gov_chain.core.errors import GovChainError
from gov_chain.web.inputs import parse_json

KEY_BINDING_CODES = {
    "key-binding-audience": "consent-audience",
    "key-binding-nonce": "consent-nonce",
    "key-binding-stale": "consent-stale",
}


def unlock_inner(request: PresentationRequest, token: str) -> dict[str, Any]:
    """The JSON inside an answer encrypted to the request's key; raises `ConsentError` response-malformed."""
    try:
        value = parse_json(envelopes.open_inner(token, key=requests.response_key(request)))
    except (envelopes.MalformedEnvelopeError, envelopes.LockedEnvelopeError) as error:
        raise ConsentError("response-malformed", log=str(error)) from error
    except GovChainError as error:
        raise ConsentError("response-malformed", log=error.code) from error
    if not isinstance(value, dict):
        raise ConsentError("response-malformed", log="not an object")
    return value


def single(payload: dict[str, Any], terms: MatterTerms) -> sd_jwt.SdJwt:
    """The one presentation of a `vp_token` object: query id → array of one."""
    token = payload.get("vp_token")
    wanted = terms.types[0].slug
    if not isinstance(token, dict) or set(token) != {wanted}:
        raise ConsentError("response-malformed", log="vp_token")
    presented = token[wanted]
    if not isinstance(presented, list) or len(presented) != 1 or not isinstance(presented[0], str):
        raise ConsentError("response-malformed", log="vp_token array")
    try:
        return sd_jwt.parse(presented[0])
    except SdJwtError as error:
        raise ConsentError("response-malformed", log=error.code) from error


def require_holder_binding(presentation: sd_jwt.SdJwt, *, request: PresentationRequest, now: int) -> None:
    """Issuer known to the ledger, key binding made for this verifier and this request; raises `ConsentError`."""
    certificate = registry.certificate(presentation.issuer_jwt)
    try:
        sd_jwt.verify_key_binding(
            presentation,
            holder_jwk=certificate.holder_jwk,
            expected_audience=requests.client_id(request.agency),
            expected_nonce=request.nonce,
            now=now,
        )
    except SdJwtError as error:
        raise ConsentError(KEY_BINDING_CODES.get(error.code, "consent-signature"), log=error.code) from error
