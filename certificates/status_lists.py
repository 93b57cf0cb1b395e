"""Status lists as documents: what the ledger's digest stands for, and where a certificate's entry is.

A version of a list is a public document (`gov_chain.ledger.documents`) whose digest the ledger holds with the version's
number. Whoever asks about a certificate asks the ledger for the digest in force and any node for the document: no
issuer learns who asks, an old list is told from the present one, and nothing that a certificate names is fetched.
The same entries are served as a Token Status List and as a Bitstring Status List for software that knows no ledger.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from certificates.core.errors import CertificateError
from certificates.formats import status_list
from certificates.formats.status_list import MIN_ENTRIES, Statuses
from certificates.models import Certificate, CertificateType, StatusList
from gov_chain.core.codec import b64url
from identity.models import Agency

FILL = MIN_ENTRIES // 2
"""Certificates of one list: half stays free, so that a random free entry is found at once."""
_PATH = re.compile(r"/status/([1-9][0-9]{0,4})/([1-9][0-9]{0,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A certificate's entry, by the numbers the ledger knows its list by."""

    type: int
    number: int
    index: int


def uri(agency: Agency, type_number: int, number: int) -> str:
    return f"{agency.url}/status/{type_number}/{number}"


def place(claim: Any, *, issuer: str) -> Place | None:
    """What a certificate's `status` claim points at; None unless it is an entry of one of `issuer`'s own lists."""
    entry = claim.get("status_list") if isinstance(claim, dict) else None
    if not isinstance(entry, dict):
        return None
    address, index = entry.get("uri"), entry.get("idx")
    if not isinstance(address, str) or type(index) is not int or not address.startswith(issuer):
        return None
    found = _PATH.fullmatch(address.removeprefix(issuer))
    return Place(int(found[1]), int(found[2]), index) if found else None


def take_entry(kind: CertificateType) -> tuple[StatusList, int]:
    """An entry that is free now, at random, in the type's newest list or in a new one. Who saves first has it."""
    found = StatusList.objects.filter(type_number=kind.number).order_by("-number").first()
    if found is None or found.certificates.count() >= FILL:
        found, _ = StatusList.objects.get_or_create(
            type_number=kind.number,
            number=1 if found is None else found.number + 1,
            defaults={
                "agency_id": kind.agency_id,
                "size": MIN_ENTRIES,
                "revoked": bytes(MIN_ENTRIES // 8),
                "suspended": bytes(MIN_ENTRIES // 8),
            },
        )
    for _ in range(64):
        index = secrets.randbelow(found.size)
        if not found.certificates.filter(status_index=index).exists():
            return found, index
    raise CertificateError("status-list-full")


def statuses(row: StatusList) -> Statuses:
    """The entries in force."""
    return Statuses(row.size, bytes(row.revoked), bytes(row.suspended))


def document(row: StatusList, version: int, entries: Statuses) -> dict[str, Any]:
    """The public document of a version."""
    return {
        "kind": "status",
        "type": row.type_number,
        "list": row.number,
        "version": version,
        **entries.token(),
    }


def with_waiting(row: StatusList, entries: Statuses) -> list[Certificate]:
    """Put into `entries` what waits for the next version; the certificates it concerns."""
    assert transaction.get_connection().in_atomic_block
    waiting = list(row.certificates.select_for_update().exclude(waiting="").filter(waiting_version=None))
    for certificate in waiting:
        assert certificate.status_index is not None
        entries.put(STATUS_AFTER[certificate.waiting], [certificate.status_index])
    return waiting


STATUS_AFTER: dict[str, status_list.Status] = {
    "suspend": "suspended",
    "reinstate": "valid",
    "revoke": "revoked",
    "replace": "revoked",
}
"""Act → the entry's value once it took effect. A replaced certificate is revoked to the world."""


def claim(row: StatusList, index: int) -> dict[str, Any]:
    """The `status` claim of a certificate (Token Status List §6.2)."""
    return {"status_list": {"idx": index, "uri": uri(row.agency, row.type_number, row.number)}}


def etag(row: StatusList) -> str:
    return f'"{b64url(bytes(row.digest or b""))}"'
