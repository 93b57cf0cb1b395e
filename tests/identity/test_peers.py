"""Agency to agency: who may knock, and what an answer may be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection, transaction
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from gov_chain.keys.local import LocalSigner
from identity import agencies, peers
from identity.core import jose
from identity.core import jwk as jwks
from identity.errors import IdentityError
from identity.models import Agency
from identity.seed import SeededIdentity

PATH = "/agencies/data/door"
BODY = b'{"a":1}'


@pytest.fixture(autouse=True)
def doors(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.identity.peer_urls"


@pytest.fixture
def street(seeded: SeededIdentity) -> Agency:
    return agencies.by_slug("street")


@pytest.fixture
def data(seeded: SeededIdentity) -> Agency:
    return agencies.by_slug("data")


def knock(street: Agency, *, signer: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> Any:
    """A request from `street`; `header` and `claims` replace what an honest one has."""
    usual = {"iss": "street", "aud": "data", "iat": clock.now(), "jti": b64url(sha256(repr(claims).encode()))}
    usual |= {"htu": PATH, "body_sha256": b64url(sha256(BODY))}
    token = jose.sign({"typ": peers.TYP} | (header or {}), usual | claims, signer or agencies.signer(street, "request"))
    return _send(token)


def _send(token: str, body: bytes = BODY, path: str = PATH) -> Any:
    headers = {"authorization": f"GovChain-Peer {token}", "accept": "application/json"}
    return Client(raise_request_exception=False).post(path, data=body, content_type="application/json", headers=headers)


def test_an_agency_is_known_by_its_ledger_key(street: Agency, data: Agency) -> None:
    answer = peers.call(sender=street, to=data, path=PATH, body={"市": [1, "二"]})
    assert answer == {"from": "street", "body": {"市": [1, "二"]}}


def test_an_honest_request_made_by_hand_passes(street: Agency) -> None:
    assert knock(street).json()["from"] == "street"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "psb"},
        {"iss": "nobody"},
        {"iss": None},
        {"iss": ["street"]},
        {"aud": "psb"},
        {"aud": ["data"]},
        {"htu": "/agencies/data/other"},
        {"body_sha256": b64url(sha256(b"{}"))},
        {"body_sha256": None},
        {"iat": None},
        {"iat": True},
        {"iat": 0},
        {"jti": ""},
        {"jti": None},
        {"jti": {"a": 1}},
    ],
)
def test_a_claim_that_does_not_fit_is_refused(street: Agency, claims: dict[str, Any]) -> None:
    answer = knock(street, **claims)
    assert (answer.status_code, answer.json()["code"]) == (401, "peer-unauthenticated")


@pytest.mark.parametrize("seconds", [61, -61])
def test_a_request_of_another_minute_is_refused(street: Agency, seconds: int) -> None:
    assert knock(street, iat=clock.now() + seconds * 2).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "jwt"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"jku": "https://evil.example"},
        {"crit": ["x"]},
        {"x5c": ["M"]},
    ],
)
def test_a_header_of_another_shape_is_refused(street: Agency, header: dict[str, Any]) -> None:
    assert knock(street, header=header).status_code == 401


def test_a_key_the_sender_brings_along_counts_for_nothing(street: Agency) -> None:
    own = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
    assert knock(street, signer=own).status_code == 401
    assert knock(street, signer=own, header={"jwk": jwks.from_public_key(own.public_key)}).status_code == 401


def test_an_agency_cannot_speak_for_another(street: Agency) -> None:
    assert knock(street, signer=agencies.signer(agencies.by_slug("psb"), "request")).status_code == 401


def test_the_issuing_key_signs_no_requests(street: Agency) -> None:
    assert knock(street, signer=agencies.signer(street, "issue")).status_code == 401


def test_a_changed_body_is_refused(street: Agency, data: Agency) -> None:
    token = peers._sign(street, data, PATH, BODY)
    assert _send(token, body=b'{"a":2}').status_code == 401
    assert _send(token).status_code == 200


def test_a_request_counts_once(street: Agency, data: Agency) -> None:
    token = peers._sign(street, data, PATH, BODY)
    assert [_send(token).status_code for _ in range(2)] == [200, 401]


def test_a_request_for_one_agency_is_refused_by_another(street: Agency, data: Agency) -> None:
    assert _send(peers._sign(street, data, "/agencies/psb/door", BODY), path="/agencies/psb/door").status_code == 401


@pytest.mark.parametrize("header", ["", "GovChain-Peer", "GovChain-Peer x", "Bearer x", "GovChain-Peer a.b.c"])
def test_a_request_without_a_signature_is_refused(street: Agency, header: str) -> None:
    answer = Client().post(PATH, data=BODY, content_type="application/json", headers={"authorization": header})
    assert answer.status_code == 401


def test_a_refusal_comes_back_with_its_code(street: Agency, data: Agency) -> None:
    with pytest.raises(peers.PeerRefusedError) as refused:
        peers.call(sender=street, to=data, path=PATH, body={"refuse": True})
    assert (refused.value.remote_code, refused.value.remote_status) == ("citizen-unknown", 404)


def test_the_callers_language_stays(street: Agency, data: Agency) -> None:
    with translation.override("en"):
        peers.call(sender=street, to=data, path=PATH, body={})
        assert translation.get_language() == "en"


def test_the_callers_connection_stays(committed: SeededIdentity) -> None:
    peers.call(sender=agencies.by_slug("street"), to=agencies.by_slug("data"), path=PATH, body={})
    assert Agency.objects.count() == 4
    connection.close()


def test_many_threads_call_at_once(committed: SeededIdentity) -> None:
    answers: list[str] = []

    def call() -> None:
        try:
            body = {"thread": threading.get_ident()}
            answer = peers.call(sender=agencies.by_slug("street"), to=agencies.by_slug("data"), path=PATH, body=body)
            answers.append(answer["from"])
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["street"] * 8


def test_calling_inside_a_transaction_is_a_programming_error(committed: SeededIdentity) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        peers.call(sender=agencies.by_slug("street"), to=agencies.by_slug("data"), path=PATH, body={})


class FarAgency(ThreadingHTTPServer):
    """Another machine, answering as it is told."""

    daemon_threads = True
    status = 200
    content = b"{}"
    location = ""
    asked = 0


@pytest.fixture
def far(data: Agency) -> Iterator[Callable[..., FarAgency]]:
    class Handler(BaseHTTPRequestHandler):
        server: FarAgency

        def do_POST(self) -> None:
            self.server.asked += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(self.server.status)
            if self.server.location:
                self.send_header("Location", self.server.location)
            self.send_header("Content-Length", str(len(self.server.content)))
            self.end_headers()
            self.wfile.write(self.server.content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = FarAgency(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    Agency.objects.filter(slug="data").update(hosted=False, base_url=f"http://127.0.0.1:{server.server_port}")

    def answering(status: int = 200, content: bytes = b"{}", location: str = "") -> FarAgency:
        server.status, server.content, server.location = status, content, location
        return server

    yield answering
    server.shutdown()
    server.server_close()


def _call_far(street: Agency) -> dict[str, Any]:
    return peers.call(sender=street, to=agencies.by_slug("data"), path=PATH, body={})


def test_an_agency_elsewhere_is_reached_over_the_network(street: Agency, far: Callable[..., FarAgency]) -> None:
    far(content=b'{"key":"x"}')
    assert _call_far(street) == {"key": "x"}


def test_a_redirect_is_not_followed(street: Agency, far: Callable[..., FarAgency]) -> None:
    server = far(status=307, location="/elsewhere")
    with pytest.raises(IdentityError, match="peer-unreachable"):
        _call_far(street)
    assert server.asked == 1


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"", b"\xff", b'"' + b"x" * (peers.MAX_ANSWER + 1) + b'"'])
def test_an_answer_that_is_not_ours_is_no_answer(street: Agency, far: Callable[..., FarAgency], content: bytes) -> None:
    far(content=content)
    with pytest.raises(IdentityError, match="peer-unreachable"):
        _call_far(street)


def test_a_problem_from_elsewhere_keeps_its_code(street: Agency, far: Callable[..., FarAgency]) -> None:
    far(status=409, content=json.dumps({"code": "grant-withdrawn"}).encode())
    with pytest.raises(peers.PeerRefusedError) as refused:
        _call_far(street)
    assert refused.value.remote_code == "grant-withdrawn"


def test_nobody_there_is_unreachable(street: Agency, data: Agency) -> None:
    Agency.objects.filter(slug="data").update(hosted=False, base_url="http://127.0.0.1:9")
    with pytest.raises(IdentityError, match="peer-unreachable"):
        _call_far(street)
