"""did:web from a machine that means harm: private addresses, redirects, 50 MB, drips; and what is kept how long."""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, perf_counter
from typing import Any

import pytest

from gov_chain.environment import UnsafeSettings, read
from identity.core.dids import documents, multikey
from identity.did_resolver import FAILED, KEPT, Resolver
from identity.errors import IdentityError
from tests.identity.test_dids import ED25519

KEY = multikey.key("Ed25519", multikey.unbase58(next(iter(ED25519.values()))))
Answer = Callable[[BaseHTTPRequestHandler], None]


class Elsewhere:
    """A web server on this machine under the name `localhost`, answering as told and counting."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: Answer = lambda request: self.send(request, self.document)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append({"path": self.path, **dict(self.headers)})
                outer.answer(self)

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.port = self.server.server_address[1]
        self.did = f"did:web:localhost%3A{self.port}:agencies:psb"

    @property
    def document(self) -> dict[str, Any]:
        return documents.document(self.did, [documents.Method("1", KEY, ["assertionMethod"])])

    @staticmethod
    def send(request: BaseHTTPRequestHandler, value: Any, status: int = 200, **headers: str) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        request.send_response(status)
        told = {"Content-Type": "application/did+json", "Content-Length": str(len(body))}
        for name, text in (told | {name.replace("_", "-"): text for name, text in headers.items()}).items():
            request.send_header(name, text)
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    yield made
    made.server.shutdown()
    made.server.server_close()


def refused(resolver: Resolver, did: str) -> str:
    with pytest.raises(IdentityError) as error:
        resolver.resolve(did)
    return error.value.code


def test_a_document_is_fetched_from_its_place_under_its_name(elsewhere: Elsewhere) -> None:
    resolver = Resolver(loopback=True)
    assert resolver.resolve(elsewhere.did) == elsewhere.document
    assert list(resolver.keys(elsewhere.did, "assertionMethod").values()) == [KEY]
    (asked,) = elsewhere.asked
    assert asked["path"] == "/agencies/psb/did.json"
    assert asked["Host"] == f"localhost:{elsewhere.port}"
    assert asked["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization"} & asked.keys()


def test_offline_methods_ask_nobody() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise AssertionError("asked the network")

    resolver = Resolver(look_up=nobody)
    for did in ED25519:
        assert resolver.resolve(did)["id"] == did


PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "fec0::1", "::7f00:1", "ff02::1",
    "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_at_a_private_address_is_not_asked(address: str) -> None:
    assert refused(Resolver(look_up=lambda host, port: [address]), "did:web:did.example") == "did-address-refused"
    both = Resolver(loopback=True, look_up=lambda host, port: ["93.184.215.14", address])
    assert refused(both, "did:web:did.example") == "did-address-refused", "one of several is enough"


def test_this_machine_is_asked_only_where_settings_say_so(elsewhere: Elsewhere) -> None:
    assert refused(Resolver(), elsewhere.did) == "did-address-refused"
    assert elsewhere.asked == []
    outside = Resolver(loopback=True, look_up=lambda host, port: ["93.184.215.14"])
    assert refused(outside, elsewhere.did) == "did-address-refused", "localhost is nowhere else"
    production = {"GOVCHAIN_ENV": "production", "GOVCHAIN_DID_LOOPBACK": "1"}
    with pytest.raises(UnsafeSettings):
        read(production)
    assert read({"GOVCHAIN_DID_LOOPBACK": "1"}).did_loopback
    assert not read({}).did_loopback


def test_the_name_is_looked_up_once_and_that_address_asked(elsewhere: Elsewhere) -> None:
    """A name server that answers otherwise the second time (rebinding) is not asked a second time."""
    answers = iter([["127.0.0.1"]])
    assert Resolver(loopback=True, look_up=lambda host, port: next(answers)).resolve(elsewhere.did)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(elsewhere: Elsewhere, status: int) -> None:
    for to in ("http://127.0.0.1:1/", f"http://localhost:{elsewhere.port}/agencies/psb/other.json"):
        elsewhere.answer = lambda request, to=to: elsewhere.send(request, b"", status, Location=to)
        assert refused(Resolver(loopback=True), elsewhere.did) == "did-redirected"
    assert len(elsewhere.asked) == 2


def flood(request: BaseHTTPRequestHandler) -> None:
    """50 MB without saying so beforehand."""
    request.send_response(200)
    request.end_headers()
    sent = 0
    try:
        while sent < 50_000_000:
            sent += request.wfile.write(b"[" * 65536)
    except OSError:
        pass


def test_fifty_megabytes_are_not_read(elsewhere: Elsewhere) -> None:
    elsewhere.answer = flood
    started = monotonic()
    assert refused(Resolver(loopback=True), elsewhere.did) == "did-too-large"
    assert monotonic() - started < 2
    elsewhere.answer = lambda request: elsewhere.send(request, b"{}", Content_Length="50000000")
    assert refused(Resolver(loopback=True), elsewhere.did) == "did-too-large"


@pytest.mark.parametrize("where", ["headers", "body", "silence"])
def test_who_drips_is_left_when_the_time_is_up(elsewhere: Elsewhere, where: str) -> None:
    done = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        if where != "silence":
            request.wfile.write(b"HTTP/1.1 200 OK\r\n" if where == "headers" else b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while not done.wait(0.05):
                if where != "silence":
                    request.wfile.write(b"X: y\r\n" if where == "headers" else b" ")
                    request.wfile.flush()
        except OSError:
            pass

    elsewhere.answer = drip
    started = monotonic()
    assert refused(Resolver(loopback=True, seconds=0.5), elsewhere.did) == "did-unreachable"
    assert monotonic() - started < 1.5
    done.set()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda e, r: e.send(r, e.document, 404), "did-unreachable"),
        (lambda e, r: e.send(r, e.document, 500), "did-unreachable"),
        (lambda e, r: e.send(r, e.document | {"id": "did:web:other.example"}), "did-document-wrong"),
        (lambda e, r: e.send(r, b"not json"), "did-document-wrong"),
        (lambda e, r: e.send(r, b"[]"), "did-document-wrong"),
        (lambda e, r: e.send(r, b"[" * 50_000), "did-document-wrong"),
        (lambda e, r: e.send(r, b'{"id": 1, "id": 2}'), "did-document-wrong"),
        (lambda e, r: e.send(r, b"\xff"), "did-document-wrong"),
        (lambda e, r: e.send(r, e.document, Content_Encoding="gzip"), "did-document-wrong"),
        (lambda e, r: e.send(r, e.document, Content_Length="x"), "did-unreachable"),
        (lambda e, r: r.wfile.write(b"nonsense\r\n\r\n"), "did-unreachable"),
        (lambda e, r: r.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"), "did-unreachable"),
    ],
)
def test_an_answer_that_is_no_document_of_the_did_is_refused(
    elsewhere: Elsewhere, answer: Callable[[Elsewhere, Any], None], code: str
) -> None:
    elsewhere.answer = lambda request: answer(elsewhere, request)
    assert refused(Resolver(loopback=True), elsewhere.did) == code


def test_nobody_there() -> None:
    assert refused(Resolver(loopback=True), "did:web:localhost%3A1") == "did-unreachable"
    assert refused(Resolver(look_up=lambda host, port: []), "did:web:did.example") == "did-unreachable"


def test_an_answer_is_kept_for_a_while_and_a_failure_for_less(elsewhere: Elsewhere) -> None:
    clock = [1000.0]
    resolver = Resolver(loopback=True, steady=lambda: clock[0])
    for _ in range(3):
        resolver.resolve(elsewhere.did)
    assert len(elsewhere.asked) == 1
    clock[0] += KEPT + 1
    elsewhere.answer = lambda request: elsewhere.send(request, b"", 500)
    for _ in range(3):
        assert refused(resolver, elsewhere.did) == "did-unreachable"
    assert len(elsewhere.asked) == 2
    clock[0] += FAILED + 1
    elsewhere.answer = lambda request: elsewhere.send(request, elsewhere.document)
    assert resolver.resolve(elsewhere.did)
    assert len(elsewhere.asked) == 3


def test_from_the_cache_it_takes_far_below_a_millisecond(elsewhere: Elsewhere) -> None:
    resolver = Resolver(loopback=True)
    resolver.resolve(elsewhere.did)
    took = []
    for _ in range(500):
        started = perf_counter()
        resolver.resolve(elsewhere.did)
        took.append(perf_counter() - started)
    assert statistics.median(took) < 0.001
