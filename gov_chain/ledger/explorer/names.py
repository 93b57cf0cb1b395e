"""Names of agencies, types and matters, out of the documents whose digests stand on the ledger.

What this node has no document for is called by its number.
"""

from __future__ import annotations

from typing import Any

from gov_chain.ledger import documents
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import Reader

Pair = dict[str, str]
"""A text by language: {"zh": …, "en": …}."""

CONSORTIUM = {"zh": "联盟", "en": "The consortium"}


class Names:
    """Each looked up once. `at`: as they were when the log had that many entries."""

    def __init__(self, reader: Reader, at: int | None = None) -> None:
        self._reader, self._at = reader, at
        self._agencies: dict[int, Pair] = {0: CONSORTIUM}
        self._documents: dict[tuple[str, int, int | None], dict[str, Any] | None] = {}

    def agency(self, number: int) -> Pair:
        if number not in self._agencies:
            document = self._agency(number)
            named = {"zh": f"机构 {number}", "en": f"Agency {number}"}
            self._agencies[number] = document["name"] if document else named
        return self._agencies[number]

    def type(self, number: int, version: int | None = None) -> Pair:
        return self._name("type", number, version) or {"zh": f"证照类型 {number}", "en": f"type {number}"}

    def matter(self, number: int, version: int | None = None) -> Pair:
        return self._name("matter", number, version) or {"zh": f"事项 {number}", "en": f"matter {number}"}

    def fields(self, matter: int, version: int, masks: list[int]) -> Pair:
        """The fields that masks of a matter stand for."""
        document = self.document("matter", matter, version)
        if document is None or len(masks) != len(document["types"]):
            return {"zh": "若干字段", "en": "some fields"}
        named = [
            field
            for item, mask in zip(document["types"], masks, strict=True)
            for field in self._fields(item["type"], item["version"], mask)
        ]
        return _listed(named)

    def type_fields(self, number: int, version: int | None, mask: int) -> Pair:
        """The fields that a mask of a type stands for."""
        count = mask.bit_count()
        if self.document("type", number, version) is None:
            return {"zh": f"{count} 个字段", "en": f"{count} field{'s' * (count != 1)}"}
        return _listed(self._fields(number, version, mask))

    def document(self, kind: str, number: int, version: int | None) -> dict[str, Any] | None:
        """The definition of a type or matter (`version` None: the one in force), if this node has it."""
        key = (kind, number, version)
        if key not in self._documents:
            look_up = self._reader.type if kind == "type" else self._reader.matter
            state = look_up(number, version, self._at)
            self._documents[key] = _load(state.digest) if state else None
        return self._documents[key]

    def _agency(self, number: int) -> dict[str, Any] | None:
        try:
            return _load(self._reader.agency(number).profile_digest)
        except LedgerError as error:
            if error.code != "agency-unknown":
                raise
            return None

    def _fields(self, number: int, version: int | None, mask: int) -> list[dict[str, Any]]:
        document = self.document("type", number, version)
        return [field for bit, field in enumerate(document["fields"] if document else ()) if mask >> bit & 1]

    def _name(self, kind: str, number: int, version: int | None) -> Pair | None:
        document = self.document(kind, number, version)
        return document["name"] if document else None


def _load(digest: bytes) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = documents.load(digest)
    except LedgerError as error:
        if error.code != "document-unknown":
            raise
        return None
    return found


def _listed(fields: list[dict[str, Any]]) -> Pair:
    if not fields:
        return {"zh": "无", "en": "none"}
    return {"zh": "、".join(each["zh"] for each in fields), "en": ", ".join(each["en"].lower() for each in fields)}
