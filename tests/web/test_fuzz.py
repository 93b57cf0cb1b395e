"""I5: whatever is sent to whatever address, no answer is a 500.

The requests enter where the server's do, at the ASGI door, with the real urlconf behind it. Each
route is asked on its own, so that a failure names it; parts of a path are filled with plausible
values and with nonsense. `AGENCIES` are the demo world's, so that views get past their first look-up.
"""

import asyncio
import json
import logging
import urllib.parse

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gov_chain.web.door import Door

UUID = "6f1c2b8e-5d0a-4a63-9d53-0d3f0f6b1a11"
PARTS = {
    "slug": ["data", "psb", "street", "nobody", "a" * 300],
    "uuid": [UUID, "00000000-0000-0000-0000-000000000000"],
    "int": ["0", "1", "65536", "9" * 30],
    "str": [
        "residence-permit",
        "resident-id",
        "0",
        UUID,
        "ab12",
        "f" * 64,
        "..",
        "%00",
        "%ff",
        "张三",
        "'\"<b>",
        "9" * 30,
    ],
}
PARTS["path"] = PARTS["str"]

WORDS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "-1", "9" * 40, "null", "a" * 2000, UUID, "张三", "\ud800", "%", "eyJhbGciOiJub25lIn0.e30."]
    ),
    st.text(max_size=30),
)
MEMBERS = """
after limit kind agency from to next state response code pin secret grant_type pre-authorized_code
tx_code proofs wallet_nonce wallet_metadata issuer_jwt kb_jwt request one_time_key handle usage_index
request_id device_proof activation_code matter username password id_number passkey
credential_configuration_id
"""
NAMES = st.one_of(
    st.sampled_from(MEMBERS.split()),
    st.text(max_size=8),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
FORMS = st.lists(st.tuples(NAMES, WORDS), max_size=6).map(
    lambda pairs: urllib.parse.urlencode([(a.encode(errors="replace"), b.encode(errors="replace")) for a, b in pairs])
)
BODIES = st.one_of(
    st.tuples(st.just(b"application/json"), JSON.map(lambda value: json.dumps(value).encode())),
    st.tuples(
        st.just(b"application/json"), st.dictionaries(NAMES, JSON, max_size=8).map(lambda v: json.dumps(v).encode())
    ),
    st.tuples(st.just(b"application/x-www-form-urlencoded"), FORMS.map(str.encode)),
    st.tuples(
        st.sampled_from([b"text/plain", b"multipart/form-data; boundary=x", b"application/json"]),
        st.binary(max_size=80),
    ),
)
ODD_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"accept",
                b"authorization",
                b"dpop",
                b"cookie",
                b"accept-language",
                b"range",
                b"if-modified-since",
                b"origin",
                b"referer",
                b"hx-request",
                b"hx-current-url",
                b"hx-target",
                b"x-forwarded-for",
                b"if-none-match",
                b"accept-encoding",
            ]
        ),
        st.one_of(
            st.sampled_from(
                [
                    b"text/html",
                    b"Bearer x",
                    b"Bearer ",
                    b"GovChain-Peer a.b.c",
                    b"GovChain-Peer eyJhbGciOiJFUzI1NiJ9.e30.AA",
                    b"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7fX0.e30.AA",
                    b'sessionid="\\000"; django_language=xx',
                    b"bytes=9-1",
                    b"q=;;;q=nan",
                    b"sessionid=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                ]
            ),
            st.binary(max_size=40).map(lambda raw: bytes(b for b in raw if b >= 32 and b != 127)),
        ),
    ),
    max_size=4,
)


def routes(resolver=None, prefix=""):
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def paths(route):
    """Addresses of `route`: literal parts as they are, each converter from its own list."""
    strategy = st.just("")
    rest = route
    while "<" in rest:
        literal, _, rest = rest.partition("<")
        kind, _, rest = rest.partition(">")
        values = st.sampled_from(PARTS.get(kind.partition(":")[0], PARTS["int"] + PARTS["str"]))
        strategy = st.tuples(strategy, st.just(literal), values).map("".join)
    return st.tuples(strategy, st.just(rest)).map("".join)


def ask(app, method, path, query, headers, body):
    """The status with which `app` answers, entering as uvicorn would."""
    raw = path if "%" in path else urllib.parse.quote(path)
    scope = {
        "type": "http",
        "method": method,
        "path": urllib.parse.unquote("/" + raw, errors="replace"),
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8000),
        "scheme": "http",
    }
    statuses = []

    async def run():
        told = False

        async def receive():
            nonlocal told
            if told:
                await asyncio.Event().wait()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await app(scope, receive, send)

    async_to_sync(run)()
    assert len(statuses) == 1
    return statuses[0]


@pytest.fixture(scope="module")
def app():
    # `handle` instead of the handler itself: views stay in this thread, inside the test's transaction.
    return Door(get_asgi_application().handle)


@pytest.fixture
def sessions(world):
    """The Cookie headers of nobody and of each of the demo world's officers."""
    cookies = [[]]
    for officer in get_user_model().objects.all():
        client = Client()
        client.force_login(officer)
        cookies.append([(b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())])
    return cookies


@pytest.mark.parametrize("route", [*sorted(set(routes())), "static/<str:x>", "<str:x>"])
def test_no_request_answers_500(app, route, sessions, caplog):
    caplog.set_level(logging.ERROR)

    @given(
        method=st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]),
        path=paths(route),
        query=FORMS,
        odd=ODD_HEADERS,
        body=BODIES,
        session=st.sampled_from(sessions),
    )
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    def check(method, path, query, odd, body, session):
        kind, content = body
        headers = [*odd, (b"content-type", kind), *session]
        status = ask(app, method, path, query, headers, content)
        assert status < 500 or status == 503, caplog.text[-2000:]

    check()
