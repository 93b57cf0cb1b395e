"""Documents the ledger names by digest: type and matter definitions, agency profiles. Public, immutable."""

from __future__ import annotations

import json
from typing import Any

from gov_chain.core.codec import canonical_json, sha256
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.models import Document


def publish(value: Any) -> bytes:
    """Keep a JSON value as canonical bytes (RFC 8785); its digest, 32 bytes. Idempotent."""
    body = canonical_json(value)
    digest = sha256(body)
    Document.objects.get_or_create(digest=digest.hex(), defaults={"body": body})
    return digest


def load(digest: bytes) -> Any:
    """The value; raises `LedgerError("document-unknown")`."""
    return json.loads(body(digest.hex()))


def body(digest: str) -> bytes:
    """The canonical bytes of a public document by its digest in hex; raises `LedgerError("document-unknown")`."""
    found = Document.objects.filter(digest=digest, public=True).first()
    if found is None:
        raise LedgerError("document-unknown", log=digest[:64])
    return bytes(found.body)
