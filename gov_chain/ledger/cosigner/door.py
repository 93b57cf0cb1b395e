"""The cosigner's HTTP door: what it has signed, for other cosigners; how it stands, for people and monitors.

GET /ledger/shares?after=SIZE&wait=SECONDS&key=HEX   own shares beyond SIZE, as soon as there are any; the last
                                                     shares of the asker's key seen here; shares that contradict
GET /ledger/cosigner                                 status, JSON
GET /metrics                                         for Prometheus
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from gov_chain.ledger.core import bls
from gov_chain.ledger.cosigner.cosigner import Cosigner

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LONGEST_WAIT = 30
PATHS = ("/ledger/shares", "/ledger/cosigner", "/metrics")


class Door:
    """ASGI application of one cosigner."""

    def __init__(self, cosigner: Cosigner) -> None:
        self._cosigner = cosigner
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._closed = False
        cosigner.on_signed(self._signed)

    def close(self) -> None:
        """Answer everyone who waits."""
        self._closed = True
        self._signed()

    def _signed(self) -> None:
        """From the worker's thread."""
        for event, loop in list(self._waiting.items()):
            with contextlib.suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(event.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path not in PATHS:
            await _answer(send, 404, "GET " + ", ".join(PATHS) + "\n")
        elif method not in ("GET", "HEAD"):
            await _answer(send, 405, "another method\n")
        elif path == "/ledger/shares":
            await self._shares(scope["query_string"], send)
        elif path == "/ledger/cosigner":
            told = asdict(self._cosigner.standing())
            await _answer(send, 200, json.dumps(told) + "\n", "application/json")
        else:
            await _answer(send, 200, metrics(self._cosigner), "text/plain; version=0.0.4; charset=utf-8")

    async def _shares(self, query: bytes, send: Send) -> None:
        try:
            values = {name: each[0] for name, each in parse_qs(query.decode("ascii")).items()}
            after, wait = _number(values, "after", 2**40), _number(values, "wait", LONGEST_WAIT + 1)
            key = bytes.fromhex(values.get("key", ""))
        except ValueError:
            await _answer(send, 400, "after, wait (0-30) and key (hex) are asked\n")
            return
        event = asyncio.Event()
        self._waiting[event] = asyncio.get_running_loop()
        try:
            # Looked up after the event stands: what is signed meanwhile sets it.
            found = await asyncio.to_thread(self._cosigner.shares, after)
            if not found and wait and not self._closed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), wait)
                found = await asyncio.to_thread(self._cosigner.shares, after)
        finally:
            del self._waiting[event]
        own = self._cosigner.bls_key
        told = {
            "bls_key": "" if own is None else own.hex(),
            "shares": [each.as_json() for each in found],
            "seen": [each.as_json() for each in self._cosigner.seen(key)] if len(key) == bls.PUBLIC_KEY else [],
            "strange": [each.as_json() for each in self._cosigner.strange()],
        }
        await _answer(send, 200, json.dumps(told) + "\n", "application/json")


def metrics(cosigner: Cosigner) -> str:
    """Prometheus text format 0.0.4."""
    now = cosigner.standing()
    rows: list[tuple[str, str, int]] = [
        ("govchain_quorum_committed_size", "", now.committed),
        ("govchain_quorum_signed_size", "", now.signed),
        ("govchain_quorum_certified_size", "", now.certified),
        ("govchain_quorum_lag_entries", "", max(now.committed - now.certified, 0)),
        ("govchain_quorum_missing_signers", "", len(now.missing)),
        ("govchain_quorum_equivocating_total", "", now.equivocating),
        ("govchain_quorum_signing_stopped", "", int(bool(now.stopped))),
        *(("govchain_quorum_heard_size", f'{{agency="{agency}"}}', size) for agency, size in now.heard.items()),
        ("govchain_quorum_wrong_shares_total", "", sum(now.wrong.values())),
    ]
    lines = []
    named: set[str] = set()
    for name, labels, value in rows:
        if name not in named:
            lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
            named.add(name)
        lines.append(f"{name}{labels} {value}")
    return "\n".join(lines) + "\n"


def _number(values: dict[str, str], name: str, limit: int) -> int:
    text = values.get(name, "0")
    if not text.isascii() or not text.isdigit() or int(text) >= limit:
        raise ValueError(name)
    return int(text)


async def _answer(send: Send, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
    body = text.encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
