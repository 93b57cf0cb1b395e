import logging

import pytest
from django.test import Client

pytestmark = [pytest.mark.urls("tests.web.routes"), pytest.mark.django_db]

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_domain_error_is_a_problem_with_its_values_as_members(client):
    answer = client.get("/pin")
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "type": "urn:govchain:error:pin-wrong",
        "title": "密码错误，还可再试 3 次。",
        "title_en": "Wrong PIN; 3 tries left.",
        "status": 403,
        "detail": "请重试。",
        "detail_en": "Try again.",
        "code": "pin-wrong",
        "tries_left": 3,
    }


def test_an_oauth_error_is_plain_json_with_printable_ascii_description(client):
    answer = client.get("/token")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/json"
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    body = answer.json()
    assert (body["error"], body["error_description"]) == ("invalid_token", "No 'token'.")
    assert body["code"] == "token-missing"


def test_a_wait_is_told_in_retry_after(client):
    assert client.get("/slow")["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/missing", 404, "not-found"),
        ("/nowhere", 404, "not-found"),
        ("/denied", 403, "forbidden"),
        ("/suspicious", 400, "bad-request"),
        ("/bad", 400, "bad-request"),
        ("/order", 405, "method-not-allowed"),
    ],
)
def test_what_django_raises_has_the_same_shape(client, path, status, code):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_method_not_allowed_says_which_are(client):
    assert client.get("/order")["Allow"] == "POST"


def test_a_browser_gets_a_page_in_its_language(client):
    page = client.get("/pin", headers=BROWSER)
    assert page["Content-Type"].startswith("text/html")
    assert "密码错误，还可再试 3 次。" in page.text
    assert 'lang="zh-CN"' in page.text
    client.cookies["django_language"] = "en"
    assert "Wrong PIN; 3 tries left." in client.get("/pin", headers=BROWSER).text


def test_htmx_gets_a_fragment(client):
    text = client.get("/pin", headers={"HX-Request": "true"}).text
    assert 'role="alert"' in text
    assert "<html" not in text


def test_machine_addresses_answer_json_whoever_asks(client):
    assert client.get("/ledger/nothing", headers=BROWSER)["Content-Type"] == "application/problem+json"


def test_a_foreign_form_is_refused_as_csrf():
    answer = Client(enforce_csrf_checks=True).post("/guarded")
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf-failed"


def test_an_unexpected_exception_answers_an_incident_and_logs_no_values(client, caplog):
    client.raise_request_exception = False
    with caplog.at_level(logging.INFO):
        answer = client.get("/crash")
    assert answer.status_code == 500
    incident = answer.json()["incident"]
    assert incident in caplog.text
    assert "RuntimeError" in caplog.text
    assert "张三" not in caplog.text + answer.text
    assert "110101" not in caplog.text + answer.text


def test_an_unknown_host_is_a_bad_request(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("charset", ["utf-16", "idna", "latin-1"])
def test_foreign_charsets_are_refused(client, charset):
    answer = client.get("/query?name=a", headers={"content-type": f"text/plain; charset={charset}"})
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/%00", "/a%00b", "/a%0ab", "/query?name=%00"])
def test_control_characters_are_a_bad_request(client, path):
    assert client.get(path).status_code == 400


def test_a_cookie_with_a_nul_is_a_bad_request(client):
    assert client.get("/", headers={"cookie": 'sessionid="aaaaaaaa\\000b"'}).status_code == 400
