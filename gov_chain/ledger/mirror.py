"""`govchain ledger serve`: the ledger's public routes over a copy of its directory. Nothing here can write.

The views are the node's own. Django is configured with what they need and nothing else: no database, no sessions,
no pages. What needs the node (documents, withdrawals) is not there.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from gov_chain.ledger.core import note

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PAGES = (b"accept", b"hx-request")
"""Headers by which a browser asks for an error page; here every error is a problem document."""


def application(directory: Path, verifier: note.Verifier) -> App:
    """The ASGI application over the ledger in `directory`. Once a process: it configures Django."""
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["*"],
        APPEND_SLASH=False,
        INSTALLED_APPS=["gov_chain.ledger"],
        MIDDLEWARE=["gov_chain.web.problems.ProblemMiddleware"],
        ROOT_URLCONF="gov_chain.ledger.mirror_urls",
        SECRET_KEY=secrets.token_urlsafe(50),
        USE_TZ=True,
        LOGGING_CONFIG=None,
    )
    django.setup()

    from django.core.asgi import get_asgi_application

    from gov_chain.ledger import node
    from gov_chain.web.door import Door

    node.read_copy(directory, verifier)
    door = Door(get_asgi_application())

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(name, value) for name, value in scope["headers"] if name not in _PAGES]
            await door({**scope, "headers": headers}, receive, send)

    return plain
