"""Every route, with nonsense: no input answers 500 (I5), and what is refused writes nothing to the ledger."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.world import World

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
BODIES = (
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json", b"[" * 5000),
    ("application/json", b'{"a":1e999,"secret":null,"pin":[],"iss":{}}'),
    ("application/json", b"\xff\xfe\x00"),
    ("application/x-www-form-urlencoded", b"response=%FF%FE&state=a&state=b&q=%00"),
    ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    ("text/plain; charset=nonsense", b"?"),
)
HEADERS = (
    {},
    {"HTTP_AUTHORIZATION": "Bearer \u00e9"},
    {"HTTP_AUTHORIZATION": "GovChain-Peer a.b.c", "HTTP_DPOP": "e30.e30.AA"},
    {"HTTP_ACCEPT": "a/b;q=x, */*;q=2", "HTTP_ACCEPT_LANGUAGE": "x" * 900, "HTTP_HX_REQUEST": "true"},
    {"HTTP_COOKIE": "sessionid=\x01; django_language=../../x; csrftoken=a"},
)
QUERIES = (
    "",
    "?after=-1&limit=x&kind=%00&agency=99999999999999999999",
    "?from=2&to=1",
    "?response_code=%F0%9F&next=//x",
)
VALUES = {
    "slug": ("psb", "data", "street", "nobody"),
    "uuid": (str(uuid.UUID(int=0)),),
    "int": ("0", "99999999999999999999999"),
    "str": ("0", "zz", "%00", "%F0%9F", "a" * 300, "..%2f"),
}


def paths(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from paths(pattern, route)


def addresses(route: str) -> Iterator[str]:
    """The route with its places filled in."""
    places = re.findall(r"<(?:(\w+):)?(\w+)>", route)
    choices = [VALUES.get(kind or "str", VALUES["str"]) for kind, _ in places]
    for chosen in itertools.islice(itertools.product(*choices), 8):
        yield "/" + re.sub(r"<[^>]+>", "{}", route).format(*chosen)


ROUTES = sorted(set(paths()))


def test_the_routes_are_found() -> None:
    assert len(ROUTES) > 30


@pytest.mark.parametrize("username", ["", "issuer", "clerk", "home", "auditor"])
def test_nonsense_is_never_a_500(world: World, username: str) -> None:
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    if username:
        from identity.models import Officer

        client.force_login(Officer.objects.get(username=username))
    size = world.reader.size
    bad = []
    for route in ROUTES:
        for address, query in zip(addresses(route), itertools.cycle(QUERIES)):
            for number, method in enumerate(METHODS):
                kind, body = BODIES[(number + len(address)) % len(BODIES)]
                headers = {} if username else HEADERS[(number + len(route)) % len(HEADERS)]
                answer = client.generic(method, address + query, body, content_type=kind, **headers)
                if answer.status_code >= 500:
                    bad.append(f"{answer.status_code} {method} {address}{query} {kind} {body[:20]!r} {headers}")
                if route == "logout" and username:
                    client.force_login(Officer.objects.get(username=username))
    assert bad == []
    world.settle()
    assert world.reader.size == size


@pytest.mark.parametrize("route", ["/ledger/withdrawals", "/agencies/data/wallets", "/agencies/psb/oid4vci/token"])
@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_protocol_doors_refuse_every_nonsense_body(world: World, route: str, kind: str, body: bytes) -> None:
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    assert 400 <= client.generic("POST", route, body, content_type=kind).status_code < 500
