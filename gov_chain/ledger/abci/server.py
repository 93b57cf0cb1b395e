"""The application's unix socket. CometBFT opens four connections; one lock lets one request in at a time.

Answers go out in the order of their requests, and all of them before more is read. A peer that breaks the protocol
loses its connection, and no other is touched. An error of the ledger itself ends the process: after it, nothing more
may be agreed to, and a start is what checks the store.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sqlite3
import threading
from pathlib import Path
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from gov_chain.ledger.abci.framing import FrameError, Frames, frame
from gov_chain.ledger.abci.messages import Request, Response
from gov_chain.ledger.core.errors import LedgerError

log = logging.getLogger(__name__)

READ = 1 << 18


class Answers(Protocol):
    def answer(self, request: Any) -> Any:
        """The `Response` to a `Request`; raises `LedgerError`, `sqlite3.Error` or `OSError` if the ledger failed."""


class Server:
    """Serves one application until `stop`, or until the ledger fails."""

    def __init__(self, path: Path, application: Answers) -> None:
        """Raises `OSError` if the socket cannot be made. Who holds the ledger's lock may replace an old socket."""
        self._application = application
        self._lock = threading.RLock()  # a signal's handler may call `stop` wherever `serve` is
        self._connections: set[socket.socket] = set()
        self._failed: Exception | None = None
        self._path = path
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            self._listener.bind(str(path))
        finally:
            os.umask(umask)
        self._listener.listen(8)

    def serve(self) -> None:
        """Until stopped; then raises what the ledger failed with, if it did."""
        threads = []
        with contextlib.suppress(OSError):  # `stop` ends the waiting
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._connection, args=(connection,), name="abci", daemon=True)
                with self._lock:
                    self._connections.add(connection)
                thread.start()
                threads.append(thread)
        self.stop()
        for thread in threads:
            thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """Let the request at work finish and be answered, and no other begin. From any thread, more than once."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for each in self._connections:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RD)

    def _connection(self, connection: socket.socket) -> None:
        frames = Frames()
        try:
            while data := connection.recv(READ):
                answers = [self._answer(message) for message in frames.feed(data)]
                if answers:
                    connection.sendall(b"".join(answers))
                if self._failed is not None:
                    return
            frames.end()
        except (FrameError, DecodeError) as error:
            log.error("abci: connection closed: %s", error)
        except OSError as error:
            log.info("abci: connection lost: %s", error)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, message: bytes) -> bytes:
        request = Request.FromString(message)
        with self._lock:
            if self._failed is not None:
                return _exception("the ledger has failed")
            try:
                response = self._application.answer(request)
            except (LedgerError, sqlite3.Error, OSError) as error:
                log.critical("abci: the ledger failed: %s", error)
                self._failed = error
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes `serve`
                return _exception(str(error))
            return frame(response.SerializeToString())


def _exception(text: str) -> bytes:
    response = Response()
    response.exception.error = text
    return frame(response.SerializeToString())
