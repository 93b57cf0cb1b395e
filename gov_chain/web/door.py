"""The door before Django: what no view or middleware could refuse, because Django fails before them.

    body above the cap       Django holds a whole body before any view runs, without a limit for chunked
                             ones. Here bytes are counted as they arrive; one too many ends the request (413).
    body that stops          ends the request after `patience` seconds without a byte (408)
    Content-Type             Django parses it while it makes the request object, where an odd parameter
                             (RFC 2231 forms, foreign charsets) raises. Only plain ones pass (415).
    query string             not ASCII, NUL or too many fields raise at the same place (400)

A request refused with its body unread closes its connection.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from gov_chain.web.errors import InputError, WebError
from gov_chain.web.inputs import MAX_BODY
from gov_chain.web.problems import problem_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_PATIENCE = 30.0

_TOKEN = rb"[!#$%&'+.^_`|~0-9A-Za-z-]{1,100}"
_PLAIN_TYPE = re.compile(
    rb"%(t)s/%(t)s(?:[ \t]*;[ \t]*%(t)s=(?:%(t)s|\"[^\"\\]{0,200}\")){0,8}[ \t]*;?[ \t]*" % {b"t": _TOKEN}
)
_CHARSET = re.compile(rb";[ \t]*charset=\"?([^\";\s]*)", re.IGNORECASE)


class Door:
    """ASGI wrapper around an HTTP application."""

    def __init__(self, app: App, *, limit: int = MAX_BODY, patience: float = BODY_PATIENCE) -> None:
        self.app, self.limit, self.patience = app, limit, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := self._refusal(scope):
            await _refuse(send, refusal)
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

    def _refusal(self, scope: Scope) -> WebError | InputError | None:
        query = scope.get("query_string", b"")
        if not query.isascii() or b"%00" in query or query.count(b"&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            return WebError("bad-request")
        types = [value for name, value in scope["headers"] if name == b"content-type" and value]
        for value in types:
            charset = _CHARSET.search(value)
            if not _PLAIN_TYPE.fullmatch(value) or len(types) > 1:
                return InputError("input-media-type", expected="type/subtype; charset=utf-8")
            if charset and charset[1].lower() not in (b"utf-8", b"utf8"):
                return InputError("input-media-type", expected="charset=utf-8")
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length[:20]) > self.limit:
            return WebError("body-too-large")
        return None


async def _refuse(send: Send, error: WebError | InputError) -> None:
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
