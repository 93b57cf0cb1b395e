"""Acting for somebody else, as the asking agency checks it for itself: what stands beside the certificate shown.

It trusts neither the agent nor the agent's home agency: the mandate is verified like any certificate (issuer,
accreditation, validity, anchor, its own key binding for this request), is the one that the signed consent names, is for
this matter, and names as its agent the very person whose certificate was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certificates import mandates, verification
from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from consent import registry, representation
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import PresentationResponse
from gov_chain.core.codec import b64url
from gov_chain.ledger import node

CLAIM = "@represented"
"""Under this name the sealed claims hold whom it was done for; no field id can be it."""
FIELDS = ("principal_name", "principal_number", "agent_name", "agent_number", "scope", "valid_until")
TITLE = (9, "representation", "代理关系有效", "May act for somebody else")


@dataclass(frozen=True, slots=True)
class Acting:
    check: verification.Check
    claims: dict[str, Any]
    """kind, name and number of the person acted for; empty unless the check passed."""


def check(
    shown: object, *, named: object, response: PresentationResponse, terms: MatterTerms, claims: Mapping[str, Any]
) -> Acting:
    """`shown` stands beside the presentation, `named` in the signed consent, `claims` were shown by the agent."""
    if not isinstance(shown, str) or not isinstance(named, str):
        return _no("consent-terms", "同意书与所附委托不一致。", "Consent and mandate do not go together.")
    report = verification.verify_presentation(
        presentation=shown,
        expected_audience=response.request.client_id,
        expected_nonce=response.request.nonce,
        now=response.received_at,
        reader=node.ledger(),
        allowed=FIELDS,
        required=FIELDS,
    )
    if report.result != "pass":
        worst = next(each for each in report.checks if each.result == report.result)
        unsure = verification.Check(*TITLE, report.result, worst.reason_zh, worst.reason_en, code=worst.code)
        return Acting(unsure, {})
    if report.commitment is None or b64url(report.commitment) != named:
        return _no("consent-terms", "同意书指的是另一份委托。", "The consent names another mandate.")
    try:
        kind = _kind(shown, terms)
    except ConsentError as error:
        return _no(error.code, error.zh, error.en)
    who = report.claims
    if any(name in claims and claims[name] != who[f"agent_{end}"] for name, end in _SAME):
        return _no("mandate-not-holder", "出示人不是委托书上的代理人。", "Whoever shows it is not the agent named.")
    return Acting(
        verification.Check(*TITLE, "pass"),
        {"kind": kind, "name": who["principal_name"], "number": who["principal_number"], "until": who["valid_until"]},
    )


_SAME = (("name", "name"), ("id_number", "number"))
"""Fields of the certificate shown, and the mandate's of the same meaning."""


def _kind(shown: str, terms: MatterTerms) -> str:
    """Which kind of representation; raises `ConsentError` mandate-not-admitted, mandate-other-matter."""
    try:
        issuer_jwt = sd_jwt.parse(shown).issuer_jwt
        _, payload = sd_jwt.peek(issuer_jwt)
    except SdJwtError as error:
        raise ConsentError("mandate-not-admitted", log=error.code) from error
    certificate = registry.certificate(issuer_jwt)
    kind = registry.type_document(certificate.type, certificate.version).get("representation")
    if kind not in mandates.KINDS or kind not in terms.representation:
        raise ConsentError("mandate-not-admitted")
    representation.require_scope(payload.get("matters"), terms)
    return str(kind)


def _no(code: str, zh: str, en: str) -> Acting:
    check = verification.Check(
        *TITLE, "fail", zh, en, "请由本人办理，或重新委托。", "The principal must come, or give a new mandate.", code
    )
    return Acting(check, {})
