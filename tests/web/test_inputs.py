import contextlib
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gov_chain.web.errors import InputError
from gov_chain.web.inputs import parse_json

pytestmark = pytest.mark.urls("tests.web.routes")


def send(client, body, path="/order", content_type="application/json"):
    return client.post(path, data=body, content_type=content_type)


def test_a_good_body_becomes_the_model(client):
    assert send(client, '{"name": "甲", "count": 2}').json() == {"name": "甲", "count": 2, "tags": []}


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"\xff\xfe",
        b'{"name": "a", "name": "b"}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"count": 9223372036854775808, "name": ""}',
        b'{"count": ' + b"9" * 6000 + b"}",
        b"[" * 100_000,
        b"[" * 30 + b"]" * 30,
        b'{"\\u0000": 1}',
    ],
)
def test_json_that_could_hurt_is_refused(client, body):
    answer = send(client, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "input-not-json"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"name": 1}', "name: string type"),
        ('{"name": "a", "count": "1"}', "count: int type"),
        ('{"name": "a", "surprise-secret": 1}', "unknown member"),
        ("{}", "name: missing"),
        ("[]", "model type"),
    ],
)
def test_a_wrong_member_is_named_by_place_never_by_value(client, body, where):
    answer = send(client, body)
    assert answer.status_code == 400
    assert answer.json()["where"] == where
    assert "secret" not in answer.text


def test_an_oauth_endpoint_names_its_error(client):
    assert send(client, "{", path="/order?oauth=invalid_request").json()["error"] == "invalid_request"


def test_another_content_type_is_415(client):
    assert send(client, "{}", content_type="text/plain").status_code == 415


def test_a_form_is_converted_and_lists_are_lists(client):
    answer = client.post("/form", {"name": "a", "count": "3", "tags": ["x", "y"]})
    assert answer.json() == {"name": "a", "count": 3, "tags": ["x", "y"]}


@pytest.mark.parametrize("body", ["name=a&name=b", "name=%00", "name=a&other=1", "count=1"])
def test_a_form_that_repeats_or_invents_is_refused(client, body):
    assert send(client, body, "/form", "application/x-www-form-urlencoded").status_code == 400


def test_a_broken_multipart_body_is_refused(client):
    answer = send(client, b"--x\r\n\r\nno", "/form", "multipart/form-data; boundary=\xa0")
    assert answer.status_code == 400


def test_a_body_above_the_limit_is_413(client):
    assert send(client, b'"' + b"a" * 1_100_000 + b'"').status_code == 413


def understood(body):
    """Whether `parse_json` took it; any exception but its own is a failure."""
    with contextlib.suppress(InputError):
        parse_json(body)
        return True
    return False


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_taken_or_refused(value):
    understood(json.dumps(value).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(body):
    understood(body)


def test_no_library_lets_python_recurse_deeper_than_the_stack_allows() -> None:
    """py_ecc would, on import: a text of brackets then ends the process instead of being refused."""
    load = (
        "import os, pkgutil, importlib, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'gov_chain.settings'\n"
        "before = sys.getrecursionlimit(); import django; django.setup()\n"
        "import gov_chain.urls, gov_chain.asgi, gov_chain.ledger.abci.__main__, certificates.conformance.app\n"
        "sys.exit(sys.getrecursionlimit() != before)"
    )
    subprocess.run([sys.executable, "-c", load], check=True)
