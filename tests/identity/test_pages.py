"""Login, roles, the home officer's desk, the development CA's page."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from gov_chain import settings as node_settings
from identity.models import Attempt, Wallet
from identity.seed import PASSWORD, SeededIdentity
from tests.identity.actors import Phone

PAGE = {"accept": "text/html"}


def log_in(client: Client, username: str = "clerk", password: str = PASSWORD, **extra: str) -> int:
    data = {"username": username, "password": password}
    return client.post("/login", data, headers=PAGE, **extra).status_code  # type: ignore[arg-type]


def test_a_node_hashes_passwords_with_argon2() -> None:
    assert node_settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_an_officer_logs_in_and_out(seeded: SeededIdentity) -> None:
    client = Client()
    assert log_in(client) == 302
    assert "_auth_user_id" in client.session
    client.post("/logout")
    assert "_auth_user_id" not in client.session


def test_logging_in_changes_the_session_id(seeded: SeededIdentity) -> None:
    client = Client()
    client.session["x"] = 1
    session = client.session
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    log_in(client)
    assert client.session.session_key != session.session_key


def test_logging_out_takes_a_post(seeded: SeededIdentity) -> None:
    client = Client()
    log_in(client)
    assert client.get("/logout").status_code == 405
    assert "_auth_user_id" in client.session


def test_a_wrong_password_is_said_on_the_page(seeded: SeededIdentity) -> None:
    answer = Client().post("/login", {"username": "clerk", "password": "x"}, headers=PAGE)
    assert "账号或密码不正确" in answer.content.decode()


def test_the_sixth_try_is_not_looked_at(seeded: SeededIdentity) -> None:
    assert [log_in(Client(), password="x") for _ in range(6)] == [200] * 5 + [429]
    assert log_in(Client()) == 429


def test_one_address_cannot_try_a_password_on_any_number_of_accounts(seeded: SeededIdentity) -> None:
    answers = [log_in(Client(), username=f"officer-{n}", password="x") for n in range(61)]
    assert answers == [200] * 60 + [429]
    assert log_in(Client(), REMOTE_ADDR="192.0.2.7") == 302


def test_after_a_quarter_of_an_hour_login_works_again(seeded: SeededIdentity) -> None:
    for _ in range(5):
        log_in(Client(), password="x")
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=16)):
        assert log_in(Client()) == 302


def test_the_right_password_clears_the_count(seeded: SeededIdentity) -> None:
    for _ in range(4):
        log_in(Client(), password="x")
    assert log_in(Client()) == 302
    assert not Attempt.objects.exists()


def test_others_are_not_locked_out_with_an_account_or_an_address(seeded: SeededIdentity) -> None:
    for _ in range(6):
        log_in(Client(), password="x")
    assert log_in(Client(), username="issuer") == 302
    assert log_in(Client(), REMOTE_ADDR="10.0.0.9") == 302


def test_the_count_keeps_no_name_and_no_address(seeded: SeededIdentity) -> None:
    log_in(Client(), password="x")
    for attempt in Attempt.objects.all():
        assert b"clerk" not in bytes(attempt.key_digest)
        assert len(attempt.key_digest) == 32
    assert Attempt.objects.count() == 2


@pytest.mark.parametrize(("username", "desk"), [("issuer", "/issuing/"), ("home", "/home/"), ("auditor", "/audit/")])
def test_an_officer_arrives_at_their_desk(seeded: SeededIdentity, username: str, desk: str) -> None:
    answer = Client().post("/login", {"username": username, "password": PASSWORD}, headers=PAGE)
    assert answer["Location"] == desk


def test_login_sends_nobody_to_another_site(seeded: SeededIdentity) -> None:
    data = {"username": "clerk", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/login", data)["Location"] == "/counter/"


def test_a_stranger_is_sent_to_the_login_page(seeded: SeededIdentity) -> None:
    assert Client().get("/home/", headers=PAGE)["Location"] == "/login?next=/home/"


@pytest.mark.parametrize("username", ["issuer", "clerk", "auditor"])
def test_another_role_may_not_open_the_desk(seeded: SeededIdentity, username: str) -> None:
    client = Client()
    log_in(client, username)
    assert client.get("/home/", headers=PAGE).status_code == 403


def test_the_desk_finds_a_citizen_without_the_number_in_the_address(home_officer: Client) -> None:
    answer = home_officer.post("/home/", {"id_number": "110101199003074477"}, headers=PAGE)
    assert "安若素" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert home_officer.get("/home/?id_number=110101199003074477").content.decode().count("安若素") == 0


@pytest.mark.parametrize("number", ["", "1", "110101199003074478", "' OR 1=1 --", "1" * 5000])
def test_the_desk_says_when_nobody_is_found(home_officer: Client, number: str) -> None:
    answer = home_officer.post("/home/", {"id_number": number}, headers=PAGE)
    assert answer.status_code in (200, 404)
    assert "error" in answer.content.decode()


def test_a_form_from_another_site_does_nothing(seeded: SeededIdentity, phone: Phone) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(seeded.officers[2])
    answer = client.post(f"/home/{Wallet.objects.get().citizen_id}/lost", {"statement": "x"}, headers=PAGE)
    assert answer.status_code == 403
    assert Wallet.objects.get().revoked_at is None


def test_the_install_page_is_there_only_with_a_development_ca(seeded: SeededIdentity, settings: Settings) -> None:
    assert Client().get("/install-ca", headers=PAGE).status_code == 404
    folder = settings.GOVCHAIN.data / "tls"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    assert "Android" in Client().get("/install-ca", headers=PAGE).content.decode()
    file = Client().get("/install-ca/govchain-dev-ca.crt")
    assert (file["Content-Type"], file.content[:5]) == ("application/x-x509-ca-cert", b"-----")
