"""Our agencies' DID documents, from the ledger: now, or as they were at any moment of it.

Every key the agency had by then is in it. A key replaced keeps its purpose and says when it `expires`, so that what it
signed before can be verified; a revoked one has none and says from when it is `revoked`. A suspended agency's keys are
good for nothing until it is reinstated.
"""

from __future__ import annotations

from typing import Any

from gov_chain.core.codec import b64url, sha256
from gov_chain.ledger import node, registry
from gov_chain.ledger.registry import KeyPeriod
from identity.core.dids import documents, multikey
from identity.core.dids.documents import Method
from identity.models import Agency

PURPOSES: tuple[tuple[str, multikey.Kind, tuple[str, ...]], ...] = (
    ("issue_key", "P-256", ("assertionMethod",)),
    ("request_key", "P-256", ("authentication", "assertionMethod")),
    ("ledger_key", "Ed25519", ("capabilityInvocation",)),
)


def document(agency: Agency, at: int | None = None) -> dict[str, Any]:
    """Raises `LedgerError`: agency-unknown (not enrolled then), entry-unknown."""
    found = registry.record(node.ledger(), agency.number, at)
    methods = [
        _method(period, name, kind, () if found.state.suspended else relationships)
        for period in reversed(found.keys)
        for name, kind, relationships in PURPOSES
    ]
    return documents.document(agency.did, methods)


def history(agency: Agency) -> list[dict[str, Any]]:
    """Each change of it: {index, time} of the entry, and the size of the log to ask for the document after it."""
    found = registry.record(node.ledger(), agency.number)
    moments = {period.since for period in found.keys} | {found.keys[0].since}
    for period in (*found.keys, *found.suspensions):
        moments |= {each for each in (period.since, period.until) if each is not None}
    moments |= {revoked for revoked in map(_revoked_by, found.keys) if revoked is not None}
    ordered = sorted(moments, key=lambda moment: moment.index)
    return [{"index": each.index, "time": each.time, "at": each.index + 1} for each in ordered]


def _revoked_by(period: KeyPeriod) -> registry.Moment | None:
    """The vote that revoked a key; what it is void from lies before."""
    if period.revoked_from is None:
        return None
    return registry.changed(node.ledger(), period.key)


def _method(period: KeyPeriod, name: str, kind: multikey.Kind, relationships: tuple[str, ...]) -> Method:
    public_key: bytes = getattr(period.key, name)
    revoked = period.revoked_from.time if period.revoked_from else None
    return Method(
        b64url(sha256(public_key)[:12]),
        multikey.key(kind, public_key),
        () if revoked is not None else relationships,
        expires=period.until.time if period.until and revoked is None else None,
        revoked=revoked,
    )
