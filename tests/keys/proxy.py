"""A TCP proxy that can stop passing anything on, without closing: what a hanging server looks like from outside."""

from __future__ import annotations

import socket
import threading
from types import TracebackType


class Proxy:
    """`with Proxy(port) as proxy:` listens on `proxy.port`; `hang()` and `resume()` at will."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._passing = threading.Event()
        self._passing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []

    def hang(self) -> None:
        self._passing.clear()

    def resume(self) -> None:
        self._passing.set()

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._passing.set()
        # A thread that waits in accept() only notices a shutdown, not a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            outer = socket.create_connection(("127.0.0.1", self._to))
            self._open += [inner, outer]
            for source, sink in ((inner, outer), (outer, inner)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._passing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return
