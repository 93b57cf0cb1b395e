"""Serve a small ASGI application on a port until Ctrl-C: a ledger's copy, a witness."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from gov_chain.core.errors import GovChainError, Message


class ServingError(GovChainError):
    messages = {
        "port-taken": Message(
            409,
            "端口 {port} 已被占用。",
            "Port {port} is taken.",
            "请换一个端口。",
            "Choose another with --port.",
        ),
        "address-unusable": Message(
            409, "无法监听 {host}。", "Cannot listen on {host}.", "请检查 --host。", "Check --host."
        ),
    }


def serve(
    application: Any,
    *,
    host: str,
    port: int,
    ready: Callable[[str], None],
    closing: Callable[[], None] = lambda: None,
) -> int:
    """Serve; `ready` is told the address once connections are taken, `closing` that it ends. The exit status."""
    import uvicorn

    with _listen(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listener.getsockname()[1]}/"

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                if self.started:
                    ready(url)

            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                closing()
                await super().shutdown(sockets)

        config = uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=256,
            timeout_graceful_shutdown=5,
        )
        server = Server(config)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            return 0
        return 0 if server.started else 1


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise ServingError("port-taken", port=port) from error
        raise ServingError("address-unusable", host=host) from error
    return listener
