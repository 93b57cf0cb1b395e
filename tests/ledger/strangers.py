"""Strangers for tests: a real witness at a port of its own, and one that answers whatever it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from gov_chain.ledger.core import note
from gov_chain.ledger.witness.asking import WitnessAt
from gov_chain.ledger.witness.memory import Memory
from gov_chain.ledger.witness.server import Door
from gov_chain.ledger.witness.witness import Witness, key
from tests.ledger.town import START, VERIFIER


@contextlib.contextmanager
def served(application: Any) -> Iterator[str]:
    """The address of an ASGI application while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                started.set()

        server = Server(uvicorn.Config(application, lifespan="off", log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert started.wait(10)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@dataclass
class Stranger:
    witness: Witness
    url: str

    @property
    def at(self) -> WitnessAt:
        return WitnessAt(self.witness.cosigner, self.url)

    @property
    def configured(self) -> tuple[str, str]:
        return self.witness.cosigner.vkey, self.url


def witness_in(
    directory: Path, *, name: str = "witness.test/w", logs: tuple[note.Verifier, ...] = (VERIFIER,)
) -> Witness:
    return Witness(Memory(directory), name=name, key=key(directory), logs=logs, clock=lambda: START)


@contextlib.contextmanager
def witnessing(
    directory: Path, *, name: str = "witness.test/w", logs: tuple[note.Verifier, ...] = (VERIFIER,)
) -> Iterator[Stranger]:
    witness = witness_in(directory, name=name, logs=logs)
    with served(Door(witness)) as url:
        yield Stranger(witness, url)


class Answers:
    """An ASGI application that gives the same answer to everything."""

    def __init__(self, status: int, text: str = "", kind: str = "text/plain", delay: float = 0.0) -> None:
        self.status, self.text, self.kind, self.delay = status, text, kind, delay
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await asyncio.sleep(self.delay)
        headers = [(b"content-type", self.kind.encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.text.encode()})
