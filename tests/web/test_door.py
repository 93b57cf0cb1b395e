"""The door as ASGI, without a server: what arrives, what is answered."""

import asyncio
import json

import pytest

from gov_chain.web.door import Door


async def echo(scope, receive, send):
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(chunks, headers=(), query=b"", **limits):
    sent, left = [], list(chunks)

    async def receive():
        if not left:
            await asyncio.Event().wait()
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left) or "patience" in limits}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": list(headers), "query_string": query}
    asyncio.run(Door(echo, limit=10, **limits)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"], dict(sent[0]["headers"])


def test_a_body_within_the_limit_passes():
    assert ask([b"12345", b"67890"])[:2] == (200, b"10")


@pytest.mark.parametrize("length", [b"11", b"9" * 5000])
def test_a_declared_length_is_refused_before_the_body(length):
    status, body, headers = ask([], [(b"content-length", length)])
    assert status == 413
    assert json.loads(body)["code"] == "body-too-large"
    assert headers[b"connection"] == b"close"


def test_a_body_without_length_is_counted():
    assert ask([b"12345", b"67890", b"1"])[0] == 413


def test_a_body_that_stops_arriving_is_ended():
    assert ask([b"1"], patience=0.02)[0] == 408


@pytest.mark.parametrize(
    "kind",
    [
        b"text/plain; charset=hex",
        b"text/plain; charset=utf-16",
        b"text/plain; charset*=latin1''x",
        b"text/plain; a*=nowhere''x",
        b"text/plain; a*0=x; a=y",
        b"text/plain; a*" + b"9" * 5000 + b"=x",
        b"text/plain; " * 50,
        b"text",
        b"\xff/\xfe",
    ],
)
def test_content_types_django_would_fail_on_are_415(kind):
    assert ask([], [(b"content-type", kind)])[0] == 415


def test_two_content_types_are_415():
    assert ask([], [(b"content-type", b"text/plain"), (b"content-type", b"text/html")])[0] == 415


@pytest.mark.parametrize(
    "kind",
    [
        b"application/json",
        b"application/json; charset=UTF-8",
        b'multipart/form-data; boundary="--a b"',
        b"",
        b"a/b+json;",
    ],
)
def test_plain_content_types_pass(kind):
    assert ask([b"1"], [(b"content-type", kind)])[0] == 200


@pytest.mark.parametrize("query", [b"\xff", b"a=%00", b"&" * 300])
def test_query_strings_django_would_fail_on_are_400(query):
    assert ask([], query=query)[0] == 400
