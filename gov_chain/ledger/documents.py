"""Documents the ledger names by digest: type and matter definitions, agency profiles. Public, immutable.

Who registers one publishes it on its own node; any other node takes it from there. Since the digest stands on the
ledger, it does not matter which node a document comes from.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from django.db import connection

from gov_chain import clock
from gov_chain.core.codec import canonical_json, sha256
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.models import Document

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
MAX_DOCUMENT = 256 * 1024
SECONDS = 5.0
"""For the body of one answer, however slowly it drips."""
ASK_AGAIN = 1
"""Seconds after which a document that no node had is asked for again."""

Elsewhere = Callable[[], Iterable[str]]
_elsewhere: Elsewhere = tuple
_missing: dict[bytes, int] = {}
_wanted: set[bytes] = set()


def look_elsewhere(base_urls: Elsewhere) -> None:
    """Where other nodes are, asked each time. Register in `AppConfig.ready`."""
    global _elsewhere  # noqa: PLW0603 - who knows the agencies says it once
    _elsewhere = base_urls


def publish(value: Any) -> bytes:
    """Keep a JSON value as canonical bytes (RFC 8785); its digest, 32 bytes. Idempotent."""
    body = canonical_json(value)
    digest = sha256(body)
    _keep(digest, body)
    return digest


def load(digest: bytes) -> Any:
    """The value of a document whose digest came from the ledger; raises `LedgerError("document-unknown")`.

    If this node has not got it the others are asked: not inside a transaction, which would wait for them.
    """
    try:
        return json.loads(body(digest.hex()))
    except LedgerError:
        if connection.in_atomic_block or not (found := _fetch(digest)):
            raise
        return json.loads(found)


def want(digest: bytes) -> None:
    """Have a document that the ledger names, if not now then as soon as a node that has it answers (`fetch_wanted`)."""
    if not Document.objects.filter(digest=digest.hex()).exists():
        _wanted.add(digest)


def fetch_wanted() -> None:
    """Ask once more for what is wanted."""
    for digest in list(_wanted):
        if Document.objects.filter(digest=digest.hex()).exists() or _fetch(digest):
            _wanted.discard(digest)


def body(digest: str) -> bytes:
    """The canonical bytes of a public document this node has, by its digest in hex; raises `document-unknown`.

    Nobody else is asked: the digest may be a stranger's.
    """
    found = Document.objects.filter(digest=digest, public=True).first()
    if found is None:
        raise LedgerError("document-unknown", log=digest[:64])
    return bytes(found.body)


def _fetch(digest: bytes) -> bytes:
    """From the first node that has it, kept here; empty if none has."""
    if _missing.get(digest, 0) > clock.now() - ASK_AGAIN:
        return b""
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        for base_url in dict.fromkeys(_elsewhere()):
            found = _from(client, f"{base_url}/ledger/documents/{digest.hex()}")
            if sha256(found) == digest:
                _missing.pop(digest, None)
                _keep(digest, found)
                return found
    _missing[digest] = clock.now()
    return b""


def _from(client: httpx.Client, url: str) -> bytes:
    answer = bytearray()
    until = time.monotonic() + SECONDS
    try:
        with client.stream("GET", url) as response:
            if response.status_code != 200:
                return b""
            for chunk in response.iter_bytes():
                answer += chunk
                if len(answer) > MAX_DOCUMENT or time.monotonic() > until:
                    return b""
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.info("a document could not be fetched: %s", type(error).__name__)
        return b""
    return bytes(answer)


def _keep(digest: bytes, body: bytes) -> None:
    Document.objects.get_or_create(digest=digest.hex(), defaults={"body": body})
