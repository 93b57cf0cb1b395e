"""What starts and ends with the serving process (ASGI lifespan).

Parts register pairs here; the server starts them in order and ends them in reverse. `start` and
`stop` run in a thread and may block. A part that cannot start stops the server with its reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gov_chain.core.errors import GovChainError
from gov_chain.web import live
from gov_chain.web.door import Receive, Scope, Send

log = logging.getLogger(__name__)

_parts: list[tuple[str, Callable[[], object], Callable[[], object]]] = []


def register(name: str, start: Callable[[], object], stop: Callable[[], object]) -> None:
    """Tie `start` and `stop` to the server's life, once per name."""
    if all(known != name for known, _, _ in _parts):
        _parts.append((name, start, stop))


async def run(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI lifespan conversation."""
    await receive()
    live.capture(asyncio.get_running_loop())
    started: list[tuple[str, Callable[[], object]]] = []
    for name, start, stop in _parts:
        try:
            await asyncio.to_thread(start)
        except (GovChainError, OSError) as error:
            log.error("%s cannot start: %s", name, error)
            await _end(started)
            await send({"type": "lifespan.startup.failed", "message": f"{name}: {error}"})
            return
        started.append((name, stop))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _end(started)
    await send({"type": "lifespan.shutdown.complete"})


async def _end(started: list[tuple[str, Callable[[], object]]]) -> None:
    for name, stop in reversed(started):
        log.debug("stopping %s", name)
        await asyncio.to_thread(stop)
    live.capture(None)
