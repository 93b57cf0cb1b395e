"""The door before Django: no request body above the cap is ever held, whether or not its length was told.

Django reads a whole body to memory or disk before any view runs, without a limit for chunked ones.
Here the bytes are counted as they arrive; the first one too many ends the request with 413, a body that
stops arriving with 408. Either way the connection is closed, for the rest of the body is unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gov_chain.web.errors import WebError
from gov_chain.web.inputs import MAX_BODY
from gov_chain.web.problems import problem_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_PATIENCE = 30.0
"""Seconds without a byte of an unfinished body."""


class BodyLimit:
    """ASGI wrapper around an HTTP application."""

    def __init__(self, app: App, *, limit: int = MAX_BODY, patience: float = BODY_PATIENCE) -> None:
        self.app, self.limit, self.patience = app, limit, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        # A length that is no number never gets past the HTTP parser; counting bounds it all the same.
        if length.isdigit() and int(length[:20]) > self.limit:
            await _refuse(send, WebError("body-too-large"))
            return
        received, finished = 0, False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal received, finished
            if finished:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self.patience)
            except TimeoutError:
                raise WebError("body-timeout") from None
            received += len(message.get("body", b""))
            finished = not message.get("more_body", False)
            if received > self.limit:
                raise WebError("body-too-large")
            return message

        try:
            await self.app(scope, counted, send)
        except WebError as error:
            # Raised only while the body was read, so no answer has begun.
            await _refuse(send, error)


async def _refuse(send: Send, error: WebError) -> None:
    body = problem_bytes(error)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
