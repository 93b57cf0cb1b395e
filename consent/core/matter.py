"""A matter (事项) as its registered definition says it, and its fields as bit masks.

The definition is a content-addressed JSON document; its SHA-256 stands on the ledger, so a text
shown to a citizen is either the registered one or no text at all. Bit n of a mask is field n of
the type's registered order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DAY = 86400


@dataclass(frozen=True, slots=True)
class Text:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Field:
    id: str
    zh: str
    en: str
    grade: int


@dataclass(frozen=True, slots=True)
class RequestedType:
    """One certificate type as a matter asks for it."""

    number: int
    version: int
    slug: str
    vct: str
    name: Text
    fields: tuple[Field, ...]
    required: int
    optional: int

    @property
    def whole(self) -> int:
        return self.required | self.optional

    def named(self, mask: int) -> tuple[Field, ...]:
        """The fields whose bits are set, in registered order."""
        return tuple(field for bit, field in enumerate(self.fields) if mask >> bit & 1)

    def mask(self, ids: Iterable[str]) -> int:
        """The mask of field ids; raises KeyError for an id the type does not have."""
        bits = {field.id: 1 << bit for bit, field in enumerate(self.fields)}
        mask = 0
        for field_id in ids:
            mask |= bits[field_id]
        return mask


@dataclass(frozen=True, slots=True)
class MatterTerms:
    """Everything a citizen is asked to agree to, and the limits the ledger holds it to."""

    number: int
    version: int
    slug: str
    agency: int
    digest: bytes
    name: Text
    purpose: Text
    legal_basis: Text
    offline: Text
    types: tuple[RequestedType, ...]
    retention_days: int
    max_life_s: int
    max_uses: int
    min_assurance: int
    """The least level (`identity.core.assurance.Level`) a phone must have been bound at: the matter's or its types'."""
    representation: tuple[str, ...]
    """Who may act for somebody else here: `mandate`, `guardian`, `legal-representative`; nobody unless it says so."""

    @property
    def whole(self) -> list[int]:
        return [requested.whole for requested in self.types]


def text(value: Mapping[str, str]) -> Text:
    return Text(zh=value["zh"], en=value["en"])


def read(
    document: Mapping[str, Any], *, digest: bytes, types: Mapping[tuple[int, int], Mapping[str, Any]]
) -> MatterTerms:
    """The typed terms of a matter document; `types` maps (type, version) to type documents.

    Raises KeyError when the document names a type or a field that is not there.
    """
    return MatterTerms(
        number=document["number"],
        version=document["version"],
        slug=document["id"],
        agency=document["agency"],
        digest=digest,
        name=text(document["name"]),
        purpose=text(document["purpose"]),
        legal_basis=text(document["legal_basis"]),
        offline=text(document["offline"]),
        types=tuple(_requested(item, types[item["type"], item["version"]]) for item in document["types"]),
        retention_days=document["retention_days"],
        max_life_s=document["max_life_days"] * DAY,
        max_uses=document["max_uses"],
        min_assurance=max(
            document.get("min_assurance", 1),
            *(types[item["type"], item["version"]].get("min_assurance", 1) for item in document["types"]),
        ),
        representation=tuple(document.get("representation", ())),
    )


def _requested(item: Mapping[str, Any], document: Mapping[str, Any]) -> RequestedType:
    fields = tuple(Field(id=f["id"], zh=f["zh"], en=f["en"], grade=f["grade"]) for f in document["fields"])
    bare = RequestedType(
        number=document["number"],
        version=document["version"],
        slug=document["id"],
        vct=document["vct"],
        name=text(document["name"]),
        fields=fields,
        required=0,
        optional=0,
    )
    return RequestedType(
        number=bare.number,
        version=bare.version,
        slug=bare.slug,
        vct=bare.vct,
        name=bare.name,
        fields=fields,
        required=bare.mask(item["required"]),
        optional=bare.mask(item["optional"]),
    )
