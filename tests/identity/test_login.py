"""Logging in: second factors, sessions and their limits, and what an attacker would try."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import time_machine
from allauth.mfa.models import Authenticator as Factor
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django.fixtures import Settings

from identity import sessions
from identity.models import Officer, OfficerSession
from identity.seed import PASSWORD, SeededIdentity
from tests.identity.authenticator import Authenticator
from tests.identity.desk import Browser, code, logged, officer, words

pytestmark = pytest.mark.usefixtures("seeded")


def later(seconds: int) -> time_machine.travel:
    return time_machine.travel(timezone.now().timestamp() + seconds, tick=True)


# Two agencies, two accounts, one browser.


def test_a_browser_of_one_agency_takes_no_login_of_another() -> None:
    browser = Browser("clerk")
    answer = browser.log_in("issuer")
    assert answer.status_code == 409
    assert "青石街道" in words(answer)
    assert browser.officer == "clerk"
    assert logged("issuer", "session.open") == []
    assert logged("clerk", "session.open") == ["done", "session-open"]


def test_the_login_page_sends_who_is_logged_in_to_their_desk() -> None:
    assert Browser("clerk").get("/login")["Location"] == "/counter/"


def test_a_second_factor_typed_in_another_tab_does_not_change_the_account() -> None:
    chosen = Browser("issuer")
    secret = chosen.set_up_app()
    chosen.post("/logout")
    browser = Browser()
    assert browser.log_in("issuer")["Location"] == "/login/second-factor"
    browser.force_login(officer("clerk"))
    browser.post("/login/second-factor", {"code": code(secret)})
    assert browser.officer in ("clerk", "")


# Sessions.


@pytest.mark.parametrize(("seconds", "outcome"), [(sessions.IDLE + 1, "idle"), (sessions.ABSOLUTE + 1, "old")])
def test_a_session_ends_by_itself(seconds: int, outcome: str) -> None:
    browser = Browser("clerk")
    if outcome == "old":
        # Kept busy, it is not idle.
        OfficerSession.objects.update(seen_at=int(timezone.now().timestamp()) + seconds)
    with later(seconds):
        answer = browser.get("/counter/")
        assert answer["Location"] == "/login?next=/counter/"
    assert logged("clerk", "session.expire") == [outcome]
    assert OfficerSession.objects.get().address == ""


def test_use_keeps_a_session_alive() -> None:
    browser = Browser("clerk")
    for step in (1, 2, 3):
        with later(step * (sessions.IDLE - 60)):
            assert browser.get("/counter/").status_code == 200


def test_a_login_elsewhere_is_shown_and_can_be_ended() -> None:
    here, elsewhere = Browser("clerk"), Browser("clerk", address="192.0.2.7")
    page = here.get("/account/")
    assert "192.0.2.7" in words(page)
    other = next(each for each in page.context["sessions"] if str(each.id) != page.context["current"])
    here.post(f"/account/sessions/{other.id}/end")
    assert elsewhere.get("/counter/").status_code == 302
    assert here.get("/counter/").status_code == 200
    assert Session.objects.count() == 1


def test_all_other_sessions_end_at_once() -> None:
    here, others = Browser("clerk"), [Browser("clerk") for _ in range(3)]
    here.post("/account/sessions/end")
    assert [each.officer for each in others] == ["", "", ""]
    assert here.officer == "clerk"


def test_nobody_ends_another_officers_session() -> None:
    Browser("issuer")
    theirs = OfficerSession.objects.get(officer__username="issuer")
    assert Browser("clerk").post(f"/account/sessions/{theirs.pk}/end").status_code == 404
    assert OfficerSession.objects.get(pk=theirs.pk).ended_at is None


def test_a_disabled_officer_is_out_at_the_next_request() -> None:
    browser = Browser("clerk")
    Officer.objects.filter(username="clerk").update(is_active=False)
    assert browser.get("/counter/").status_code == 302
    assert Browser().log_in("clerk").status_code == 200


def test_a_session_whose_row_is_gone_opens_nothing() -> None:
    browser = Browser("clerk")
    OfficerSession.objects.all().delete()
    assert browser.get("/counter/").status_code == 302


def test_logging_out_is_written_down_and_forgets_where_from() -> None:
    browser = Browser("clerk")
    browser.post("/logout")
    assert logged("clerk", "session.close") == ["done"]
    row = OfficerSession.objects.get()
    assert (row.address, row.agent, row.session_key) == ("", "", "")


def test_a_new_password_ends_every_other_session() -> None:
    here, elsewhere = Browser("clerk"), Browser("clerk")
    new = "青石街道-2026-correct-horse"
    answer = here.post("/account/password", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.status_code == 302, words(answer)
    assert (here.officer, elsewhere.officer) == ("clerk", "")
    assert Browser().log_in("clerk", new).status_code == 302


@pytest.mark.parametrize("password", ["short-one", "123456789012345", "passwordpassword1"[:8], "password1234"])
def test_a_weak_password_is_refused_beside_the_field(password: str) -> None:
    browser = Browser("clerk")
    answer = browser.post("/account/password", {"oldpassword": PASSWORD, "password1": password, "password2": password})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert Browser().log_in("clerk").status_code == 302


# An attacker at the door.


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "http:evil",
        "javascript:alert(1)",
        "\thttps://e.x",
    ],
)
def test_login_sends_nobody_elsewhere(target: str) -> None:
    assert Browser().log_in("clerk", next=target)["Location"] == "/counter/"
    assert Browser().post(f"/login?next={target}", {"username": "clerk", "password": PASSWORD})["Location"][0] == "/"


def test_login_goes_on_to_where_one_was_going() -> None:
    assert Browser().log_in("clerk", next="/account/")["Location"] == "/account/"


def test_a_form_without_its_token_logs_nobody_in() -> None:
    browser = Browser(enforce_csrf_checks=True)
    assert browser.log_in("clerk").status_code == 403
    assert browser.officer == ""


def test_wrong_passwords_are_written_down_and_one_lockout_once() -> None:
    for _ in range(8):
        Browser().log_in("clerk", "wrong")
    assert logged("clerk", "session.open") == ["password-wrong"] * 5 + ["login-throttled"]


def test_an_officer_of_another_nodes_agency_does_not_get_in() -> None:
    officer("clerk").agency.__class__.objects.filter(slug="street").update(hosted=False)
    answer = Browser().log_in("clerk")
    assert answer.status_code == 403
    assert "不在本节点" in words(answer)


# Second factors.


def test_an_app_is_set_up_and_asked_for() -> None:
    browser = Browser("clerk")
    secret = browser.set_up_app()
    browser.post("/logout")
    answer = browser.log_in("clerk", next="/account/")
    assert answer["Location"] == "/login/second-factor"
    assert browser.officer == ""
    with later(90):
        answer = browser.post("/login/second-factor", {"code": code(secret)})
        assert answer["Location"] == "/account/"
        assert browser.officer == "clerk"
    assert logged("clerk", "account.second-factor").count("done") >= 2


def test_a_code_counts_once() -> None:
    browser = Browser("clerk")
    secret = browser.set_up_app()
    browser.post("/logout")
    with later(90):
        one, two = Browser(), Browser()
        one.log_in("clerk")
        two.log_in("clerk")
        digits = code(secret)
        assert one.post("/login/second-factor", {"code": digits}).status_code == 302
        assert two.post("/login/second-factor", {"code": digits}).status_code == 200
        assert two.officer == ""


def test_codes_cannot_be_guessed() -> None:
    browser = Browser("clerk")
    browser.set_up_app()
    browser.post("/logout")
    answers = []
    for number in range(6):
        thief = Browser(address=f"192.0.2.{number}")
        thief.log_in("clerk")
        answers.append(thief.post("/login/second-factor", {"code": "000000"}).status_code)
    assert answers == [200] * 5 + [429]
    assert logged("clerk", "account.second-factor").count("code-wrong") == 5
    assert logged("clerk", "session.open")[-1] == "second-factor-throttled"


def test_a_recovery_code_works_once() -> None:
    browser = Browser("clerk")
    browser.set_up_app()
    kept = browser.get("/account/second-factor/codes").context["unused_codes"]
    browser.post("/logout")
    one, two = Browser(), Browser()
    one.log_in("clerk")
    two.log_in("clerk")
    assert one.post("/login/second-factor", {"code": kept[0]}).status_code == 302
    assert two.post("/login/second-factor", {"code": kept[0]}).status_code == 200


def test_setting_one_up_asks_for_the_password_again() -> None:
    browser = Browser("clerk")
    assert browser.get("/account/second-factor/totp")["Location"].startswith("/account/again?")
    answer = browser.post("/account/again", {"password": "wrong", "next": "/account/second-factor/totp"})
    assert "密码不正确" in words(answer)
    assert not Factor.objects.exists()


def test_the_secret_lies_sealed_in_the_database() -> None:
    secret = Browser("clerk").set_up_app()
    stored = json.dumps(list(Factor.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert "street." in stored


def test_where_a_second_factor_is_mandatory_nothing_else_opens(settings: Settings) -> None:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, second_factor=True)
    browser = Browser("clerk")
    for path in ("/counter/", "/account/", "/account/password"):
        assert browser.get(path)["Location"] == "/account/second-factor/"
    assert "生产环境必须" in words(browser.get("/account/second-factor/"))
    browser.set_up_app()
    assert browser.get("/counter/").status_code == 200


def test_a_passkey_logs_in_by_itself() -> None:
    browser, passkey = Browser("clerk"), Authenticator()
    page = browser.confirm("/account/second-factor/passkeys/add")
    options = page.context["js_data"]["creation_options"]["publicKey"]
    answer = browser.post(
        "/account/second-factor/passkeys/add",
        {"name": "工作手机", "passwordless": "on", "credential": json.dumps(passkey.register(options))},
    )
    assert answer.status_code == 302, words(answer)
    browser.post("/logout")
    offered = browser.get("/login/passkey", headers={"accept": "application/json"}).json()
    signed = passkey.answer(offered["request_options"]["publicKey"])
    signed["response"]["userHandle"] = options["user"]["id"]
    answer = browser.post("/login/passkey", {"credential": json.dumps(signed)})
    assert answer["Location"] == "/counter/"
    assert OfficerSession.objects.filter(ended_at__isnull=True).get().method == "webauthn"
    replayed = Browser().post("/login/passkey", {"credential": json.dumps(signed)})
    assert replayed["Location"] == "/login"


MALFORMED = [
    "",
    "{}",
    "[]",
    '{"id": 1}',
    "null",
    '{"response": {}}',
    '{"response": 1}',
    '{"response": {"userHandle": "x"}}',
]


@pytest.mark.parametrize("credential", MALFORMED)
def test_a_malformed_passkey_is_an_answer_and_no_crash(credential: str) -> None:
    assert Browser().post("/login/passkey", {"credential": credential}).status_code == 302
    browser = Browser("clerk")
    browser.confirm("/account/second-factor/passkeys/add")
    answer = browser.post("/account/second-factor/passkeys/add", {"name": "x", "credential": credential})
    assert answer.status_code == 200
    assert not Factor.objects.exists()


def test_nobody_removes_another_officers_passkey(seeded: SeededIdentity) -> None:
    theirs = Factor.objects.create(user=officer("issuer"), type="webauthn", data={"name": "x", "credential": {}})
    assert Browser("clerk").confirm(f"/account/second-factor/passkeys/{theirs.pk}/remove").status_code == 404
    assert Factor.objects.filter(pk=theirs.pk).exists()
