"""Documents from other nodes: whatever stands there as an address, or comes from it, is at worst no document."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from gov_chain.ledger import documents
from gov_chain.ledger.core.errors import LedgerError

pytestmark = pytest.mark.django_db(transaction=True)


class Dripping(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                time.sleep(0.02)
        except OSError:
            pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def dripping() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("address", ["http://[:::", "http://a:99999999"])
def test_an_address_that_is_none_is_a_node_without_the_document(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_elsewhere", lambda: [address])
    with pytest.raises(LedgerError, match="document-unknown"):
        documents.load(b"1" * 32)


def test_a_node_that_drips_is_not_waited_for(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_elsewhere", lambda: [dripping])
    monkeypatch.setattr(documents, "SECONDS", 0.3)
    begun = time.monotonic()
    with pytest.raises(LedgerError, match="document-unknown"):
        documents.load(b"2" * 32)
    assert time.monotonic() - begun < 3
