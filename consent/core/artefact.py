"""The consent record: who agreed to what, why, until when, and how to take it back.

Aligned with the fields of ISO/IEC TS 27560:2023 (record header, processing, parties, events); full
conformance is not claimed. It is stored sealed at the recorder and its salted digest stands on the
ledger; it names the person only by the digest of the certificate shown.
"""

from __future__ import annotations

from typing import Any

from consent.core.agreement import Agreement
from consent.core.matter import MatterTerms, Text
from gov_chain.core.codec import b64url, canonical_json, sha256

PROFILE = "urn:govchain:consent-record:1"


def build(
    terms: MatterTerms,
    *,
    agreed: Agreement,
    request_id: str,
    recorder: str,
    controller: Text,
    issuer_jwt: str,
    kb_jwt: str,
    transaction_data: str | None,
) -> dict[str, Any]:
    """The record as JSON. `transaction_data` is None for a wallet that was offered no terms."""
    return {
        "profile": PROFILE,
        "schema_version": "ISO/IEC TS 27560:2023 (aligned)",
        "record_id": b64url(agreed.handle),
        "pii_principal_id": b64url(sha256(issuer_jwt.encode())),
        "on_behalf_of": None if agreed.on_behalf_of is None else {"mandate": b64url(agreed.on_behalf_of)},
        "pii_processing": {
            "matter": {"number": terms.number, "version": terms.version, "definition_sha256": terms.digest.hex()},
            "purpose": _text(terms.purpose),
            "lawful_basis": _text(terms.legal_basis),
            "pii": [
                {
                    "type": requested.slug,
                    "field": field.id,
                    "optional": not requested.mask([field.id]) & requested.required,
                    "sensitivity": field.grade,
                }
                for requested, mask in zip(terms.types, agreed.masks, strict=True)
                for field in requested.named(mask)
            ],
            "retention_days": terms.retention_days,
            "uses": agreed.uses,
            "valid_until": agreed.not_after,
            "withdrawal": {"zh": "在手机钱包的使用记录中一键撤回。", "en": "One tap in the wallet's history."},
            "alternative": _text(terms.offline),
        },
        "party_identification": {
            "controller": {"agency": terms.agency, "name": _text(controller)},
            "recorder": recorder,
        },
        "events": [
            {"type": "explicit-consent-given", "time": agreed.given, "state": "given", "request_id": request_id}
        ],
        "evidence": {"kb_jwt": kb_jwt, "transaction_data": transaction_data},
    }


def digest(record: dict[str, Any], *, salt: bytes) -> bytes:
    """What the ledger holds: SHA-256(16 random bytes ‖ JCS of the record)."""
    return sha256(salt, canonical_json(record))


def _text(value: Text) -> dict[str, str]:
    return {"zh": value.zh, "en": value.en}
