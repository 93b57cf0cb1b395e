"""The witness's HTTP door (c2sp.org/tlog-witness): POST add-checkpoint; and GET vkey, GET logs for people.

`logs` shows, by origin, the checkpoint cosigned last with its cosignature: whoever holds a receipt compares.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gov_chain.ledger.core import witnessing
from gov_chain.ledger.core.witnessing import WitnessError
from gov_chain.ledger.witness.witness import Witness

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TEXT = "text/plain; charset=utf-8"
PATIENCE = 10.0
"""Seconds a whole request body may take."""


class Door:
    """ASGI application of one witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path == "/add-checkpoint" and method == "POST":
            try:
                body = await asyncio.wait_for(_body(receive), PATIENCE)
            except TimeoutError:
                await _answer(send, 408, "the body did not arrive\n")
                return
            status, kind, text = await asyncio.to_thread(self._add, body)
            await _answer(send, status, text, kind)
        elif path == "/vkey" and method == "GET":
            await _answer(send, 200, self._witness.cosigner.vkey + "\n")
        elif path == "/logs" and method == "GET":
            logs = await asyncio.to_thread(self._witness.memory.logs)
            told = {origin: {"time": each.time, "checkpoint": each.text} for origin, each in logs.items()}
            await _answer(send, 200, json.dumps(told, ensure_ascii=False) + "\n", "application/json")
        elif path in ("/add-checkpoint", "/vkey", "/logs"):
            await _answer(send, 405, "another method\n")
        else:
            await _answer(send, 404, "POST /add-checkpoint, GET /vkey, GET /logs\n")

    def _add(self, body: bytes | None) -> tuple[int, str, str]:
        """(status, content type, text)."""
        try:
            if body is None:
                raise WitnessError("submission-malformed", log="too long")
            try:
                submission = witnessing.parse(body.decode())
            except UnicodeDecodeError as error:
                raise WitnessError("submission-malformed", log=str(error)) from error
            return 200, TEXT, self._witness.add_checkpoint(submission)
        except WitnessError as error:
            if error.code == "old-size-stale":
                return 409, witnessing.SIZE_TYPE, f"{error.values['size']}\n"
            return error.status, TEXT, f"{error.code}: {error.en}\n"


async def _body(receive: Receive) -> bytes | None:
    """The request's body; None if it is longer than any submission."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > witnessing.MAX_SUBMISSION:
            return None
        if not message.get("more_body", False):
            return body


async def _answer(send: Send, status: int, text: str, kind: str = TEXT) -> None:
    body = text.encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
