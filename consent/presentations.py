"""Taking a presentation apart at the asking agency: `vp_token` of OpenID4VP 1.0 §8.1, one SD-JWT in it."""

from __future__ import annotations

from typing import Any

from certificates import verification
from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from consent import grants, registry, represented, requests
from consent.core import agreement, envelopes, transaction_data
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import PresentationRequest, PresentationResponse, Usage
from gov_chain.core.codec import b64url_decode
from gov_chain.core.errors import GovChainError
from gov_chain.ledger import node
from gov_chain.web.inputs import parse_json
from identity.core import jose

LEEWAY = 60
"""Taken off what an issuer allows (`agreement.SIGNED_WITHIN`): an answer taken here must not be stale there."""

KEY_BINDING_CODES = {
    "key-binding-audience": "consent-audience",
    "key-binding-nonce": "consent-nonce",
    "key-binding-stale": "consent-stale",
}


def unlock_inner(request: PresentationRequest, token: str) -> dict[str, Any]:
    """The JSON inside an answer encrypted to the request's key; raises `ConsentError` response-malformed."""
    key = requests.response_key(request)  # A key store that is away says nothing about the answer: not caught.
    try:
        value = parse_json(envelopes.open_inner(token, key=key))
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
            expected_audience=request.client_id,
            expected_nonce=request.nonce,
            now=now,
            max_age=agreement.SIGNED_WITHIN - LEEWAY,
            leeway=LEEWAY,
        )
    except SdJwtError as error:
        raise ConsentError(KEY_BINDING_CODES.get(error.code, "consent-signature"), log=error.code) from error


def verify(
    presentation: sd_jwt.SdJwt,
    *,
    response: PresentationResponse,
    usage: Usage,
    terms: MatterTerms,
    binding: bytes | None,
    mandate: object = None,
) -> verification.Report:
    """The certificate's own checks, the eighth: what was signed, granted and shown is one and the same; and where
    somebody else is acted for, the ninth: they may.

    `binding` names the consent the home agency recorded; None where a wallet of another make has one lock.

    Judged as of the moment the answer came: a later look reads what was good when it was given.
    """
    requested = terms.types[0]
    granted = usage.masks[0]
    report = verification.verify_presentation(
        presentation=presentation,
        expected_audience=response.request.client_id,
        expected_nonce=response.request.nonce,
        now=response.received_at,
        reader=node.ledger(),
        allowed=[field.id for field in requested.named(granted)],
        required=[field.id for field in requested.named(requested.required)],
    )
    check = _consent_check(presentation, response=response, granted=granted, binding=binding)
    checks, claims = (*report.checks, check), dict(report.claims)
    named = _named_mandate(presentation)
    if mandate is not None or named is not None:
        acting = represented.check(mandate, named=named, response=response, terms=terms, claims=report.claims)
        checks, claims = (*checks, acting.check), claims | {represented.CLAIM: acting.claims}
    if any(each.result == "fail" for each in checks):
        claims = {}
    return verification.Report(checks=checks, claims=claims, commitment=report.commitment)


def _named_mandate(presentation: sd_jwt.SdJwt) -> object:
    """What the signed consent says of a mandate; None where it names none."""
    try:
        consent = jose.peek(presentation.key_binding_jwt or "").claims.get("consent")
    except jose.JoseError:
        return None
    return consent.get("on_behalf_of") if isinstance(consent, dict) else None


def checks_json(report: verification.Report) -> list[dict[str, Any]]:
    """The checks without any claim's value, as stored and shown."""
    return [
        {
            "number": check.number,
            "id": check.id,
            "zh": check.zh,
            "en": check.en,
            "result": check.result,
            "reason": {"zh": check.reason_zh, "en": check.reason_en},
            "next": {"zh": check.next_zh, "en": check.next_en},
            "code": check.code,
        }
        for check in report.checks
    ]


def _consent_check(
    presentation: sd_jwt.SdJwt, *, response: PresentationResponse, granted: int, binding: bytes | None
) -> verification.Check:
    title = (8, "consent", "同意的内容与账本记录一致", "Consent and ledger say the same")
    if binding is None:
        return verification.Check(
            *title,
            "not-applicable",
            "其他钱包的出示签名即为一次性同意，由发证机关记录。",
            "Another wallet's signature is the consent to one use; the issuer recorded it.",
        )
    try:
        signed = presentation.key_binding_jwt or ""
        claims = jose.peek(signed).claims
        consent = claims["consent"]
        same = (
            grants.binding(signed) == binding
            and b64url_decode(consent["handle"]) == bytes(response.handle or b"")
            and consent["masks"] == [granted]
            and consent["recorder"] == response.recorder
            and claims["transaction_data_hashes"]
            == [transaction_data.entry_hash(requests.terms_entry(response.request))]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        same = False
    if same:
        return verification.Check(*title, "pass")
    return verification.Check(
        *title,
        "fail",
        "签署的同意与账本上的授权不同。",
        "The signed consent is not the grant on the ledger.",
        "请持有人重新扫码出示。",
        "Ask the holder to scan and show again.",
        "consent-terms",
    )
