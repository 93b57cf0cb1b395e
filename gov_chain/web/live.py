"""Live pages: a WebSocket at /live/<topic>/<key> that says when something changed.

    announce("ledger/all", {"index": 7})       from any thread, after the database commit
    register("ledger", lambda user, key: …)    who may listen to the topic's keys, in AppConfig.ready()

Events say that something changed and hold no personal data; a page asks again over HTTP, where its
rights are checked. A topic nobody registered is refused, and so is whoever the topic's authorizer does
not know. The feed is one-way: a client that sends anything is closed, so there is no input to parse and
nothing to flood but the socket itself.

The in-process channel layer belongs to one event loop. `announce` therefore hops to the loop the server
captured at start; a process without one (a command line) reaches listeners through Redis or not at all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

log = logging.getLogger(__name__)

Authorizer = Callable[[Any, str], bool]

TOPIC, KEY = r"[a-z][a-z0-9-]{0,31}", r"[A-Za-z0-9_-]{1,64}"
GROUP = re.compile(rf"({TOPIC})/({KEY})")
MAX_LISTENERS = 500
REFUSED, TALKING, FULL = 4403, 4400, 4429

_authorizers: dict[str, Authorizer] = {}
_loop: asyncio.AbstractEventLoop | None = None


def register(topic: str, authorizer: Authorizer) -> None:
    """`authorizer(user, key)` says whether the user may listen; it runs in a thread and may query."""
    _authorizers[topic] = authorizer


def capture(loop: asyncio.AbstractEventLoop | None) -> None:
    """The server's loop, taken at its start and given back (None) at its end."""
    global _loop  # noqa: PLW0603 - one server, one loop: that is what a process has
    _loop = loop


def announce(group: str, event: dict[str, Any]) -> None:
    """Tell whoever listens to `group` (`topic/key`); returns at once, never waits for a listener.

    Inside a database transaction the word goes out after the commit: a page that asks again must
    find what changed.
    """
    name, text = _channel_group(group), json.dumps(event)
    transaction.on_commit(lambda: _send(name, text))


def _send(name: str, text: str) -> None:
    layer = get_channel_layer()
    message = {"type": "live.event", "text": text}
    if _loop is not None and not _loop.is_closed():
        asyncio.run_coroutine_threadsafe(layer.group_send(name, message), _loop).add_done_callback(_report)
    elif settings.GOVCHAIN.redis_url:
        async_to_sync(layer.group_send)(name, message)


def _report(sent: Future[None]) -> None:
    if not sent.cancelled() and (error := sent.exception()):
        log.warning("an announcement was lost: %s", type(error).__name__)


def _channel_group(group: str) -> str:
    match = GROUP.fullmatch(group)
    if match is None:
        raise ValueError(f"not a group: {group!r}")
    return f"live.{match[1]}.{match[2]}"


@database_sync_to_async
def _may_listen(authorizer: Authorizer, user: Any, key: str) -> bool:
    try:
        return authorizer(user, key)
    except (ValueError, ValidationError):
        return False  # the key is no key of this topic, such as a word where a UUID belongs


class LiveConsumer(AsyncWebsocketConsumer):
    """One listener. `listeners` counts this process's sockets, so that a flood ends at a number."""

    listeners: ClassVar[int] = 0
    group: str | None = None

    async def connect(self) -> None:
        route = self.scope["url_route"]["kwargs"]
        topic, key = route.get("topic", ""), route.get("key", "")
        authorizer = _authorizers.get(topic)
        if LiveConsumer.listeners >= MAX_LISTENERS:
            await self.close(FULL)
        elif authorizer is None or not await _may_listen(authorizer, self.scope["user"], key):
            await self.close(REFUSED)
        else:
            LiveConsumer.listeners += 1
            self.group = _channel_group(f"{topic}/{key}")
            await self.channel_layer.group_add(self.group, self.channel_name)
            await self.accept()

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            LiveConsumer.listeners -= 1
            await self.channel_layer.group_discard(self.group, self.channel_name)
            self.group = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(TALKING)

    async def live_event(self, event: dict[str, str]) -> None:
        await self.send(text_data=event["text"])
