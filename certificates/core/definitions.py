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

SHIPPED = (RESIDENT_ID,)


def field_names(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Field id → its entry, in bit order."""
    return {field["id"]: field for field in definition["fields"]}
