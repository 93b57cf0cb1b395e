"""The certificate types this node's agencies bring along: what the definition document on the ledger says.

A field's place in the list is its bit in the ledger's masks. Grades 1–4 are aligned with the levels of
GB/T 43697-2024 (general to sensitive).
"""

from __future__ import annotations

from typing import Any


def _field(name: str, zh: str, en: str, grade: int) -> dict[str, Any]:
    return {"id": name, "zh": zh, "en": en, "grade": grade}


RESIDENT_ID: dict[str, Any] = {
    "kind": "type",
    "id": "resident-id",
    "number": 1,
    "version": 1,
    "issuer": 1,
    "name": {"zh": "居民身份证", "en": "Resident identity card"},
    "vct": "urn:govchain:type:resident-id",
    "fields": [
        _field("name", "姓名", "Name", 3),
        _field("sex", "性别", "Sex", 2),
        _field("ethnicity", "民族", "Ethnicity", 3),
        _field("birth_date", "出生日期", "Date of birth", 3),
        _field("address", "住址", "Address", 3),
        _field("id_number", "公民身份号码", "Identity number", 4),
        _field("issuing_authority", "签发机关", "Issuing authority", 1),
        _field("valid_from", "有效期起", "Valid from", 1),
        _field("valid_until", "有效期止", "Valid until", 1),
    ],
    "validity_days": 3650,
}


def _mandate(number: int, slug: str, *, issuer: int, zh: str, en: str, representation: str) -> dict[str, Any]:
    """A certificate in the agent's wallet by which they act for somebody else (docs/decisions/0073)."""
    return {
        "kind": "type",
        "id": slug,
        "number": number,
        "version": 1,
        "issuer": issuer,
        "name": {"zh": zh, "en": en},
        "vct": f"urn:govchain:type:{slug}",
        "fields": [
            _field("principal_name", "被代理人", "Principal", 3),
            _field("principal_number", "被代理人号码", "Principal's number", 4),
            _field("agent_name", "代理人", "Agent", 3),
            _field("agent_number", "代理人号码", "Agent's number", 4),
            _field("scope", "代理事项", "For", 2),
            _field("valid_until", "有效期止", "Valid until", 1),
        ],
        "validity_days": 366,
        "representation": representation,
        "min_assurance": 2,
    }


MANDATE = _mandate(91, "mandate", issuer=2, zh="委托书", en="Mandate", representation="mandate")
GUARDIANSHIP = _mandate(92, "guardianship", issuer=1, zh="监护关系证明", en="Guardianship", representation="guardian")
LEGAL_REPRESENTATIVE = _mandate(
    93,
    "legal-representative",
    issuer=2,
    zh="法定代表人证明",
    en="Legal representative",
    representation="legal-representative",
)

SHIPPED = (RESIDENT_ID, MANDATE, GUARDIANSHIP, LEGAL_REPRESENTATIVE)


def field_names(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Field id → its entry, in bit order."""
    return {field["id"]: field for field in definition["fields"]}
