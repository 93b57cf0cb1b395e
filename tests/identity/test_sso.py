"""Single sign-on against an OpenID provider over HTTP: whom it lets in, and what it cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from joserfc.jwk import ECKey, OctKey
from pytest_django.fixtures import Settings

from gov_chain import single_sign_on
from gov_chain.environment import UnsafeSettings, read
from identity.actions.invite_officer import invite_officer
from identity.core import permissions
from identity.models import Officer, OfficerInvitation, OfficerRole
from identity.seed import SeededIdentity
from tests.identity.desk import Browser, logged, officer, words
from tests.identity.oidc_provider import CLIENT, SECRET, Provider


@pytest.fixture
def provider(seeded: SeededIdentity, settings: Settings) -> Iterator[Provider]:
    running = Provider()
    configured = single_sign_on.Provider(
        id="street-sso",
        agency="street",
        name_zh="街道统一认证",
        name_en="Street sign-on",
        issuer=running.issuer,
        client_id=CLIENT,
        client_secret=SECRET,
    )
    settings.GOVCHAIN = replace(settings.GOVCHAIN, sso=(configured,))
    yield running
    running.close()


def sign_on(provider: Provider, browser: Browser, path: str = "/login/sso/street-sso") -> Any:
    """Go to the provider and come back; the answer to the browser's return."""
    there = browser.get(path)
    assert there.status_code == 302, words(there)
    assert there["Location"].startswith(provider.issuer)
    return browser.get(provider.authorize(there["Location"]).partition("8000")[2])


def link(provider: Provider, username: str = "clerk") -> None:
    browser = Browser(username)
    browser.confirm("/account/second-factor/totp")
    answer = sign_on(provider, browser, "/account/sso/street-sso/link")
    assert answer["Location"] == "/account/", words(answer)


def test_the_login_page_offers_the_agencys_provider(provider: Provider) -> None:
    assert "街道统一认证" in words(Browser().get("/login"))


def test_a_linked_officer_gets_in(provider: Provider) -> None:
    link(provider)
    browser = Browser()
    assert sign_on(provider, browser)["Location"] == "/counter/"
    assert browser.officer == "clerk"
    assert logged("clerk", "account.sso") == ["done"]
    account = SocialAccount.objects.get()
    assert (account.uid, account.extra_data) == ("u-1", {})


def test_sign_on_goes_on_to_where_one_was_going_and_nowhere_else(provider: Provider) -> None:
    link(provider)
    assert sign_on(provider, Browser(), "/login/sso/street-sso?next=/account/")["Location"] == "/account/"
    assert sign_on(provider, Browser(), "/login/sso/street-sso?next=https://evil.example/")["Location"] == "/counter/"


def test_nobody_gets_an_account_by_signing_on(provider: Provider) -> None:
    count = Officer.objects.count()
    answer = sign_on(provider, Browser())
    assert answer.status_code == 403
    assert "没有与您的单点登录身份关联的账号" in words(answer)
    assert (Officer.objects.count(), SocialAccount.objects.count()) == (count, 0)


def invite(email: str = "clerk@street.example") -> Officer:
    return invite_officer(
        agency=officer("head").agency, by=officer("head"), username="newcomer", display_name="乔新", email=email
    ).officer


def test_an_invited_address_is_linked_once_and_then_the_subject_counts(provider: Provider) -> None:
    invite()
    browser = Browser()
    assert sign_on(provider, browser).status_code == 302
    assert browser.officer == "newcomer"
    assert not OfficerInvitation.objects.filter(closed_at__isnull=True).exists()
    provider.person = {"sub": "u-1", "email": "renamed@street.example", "email_verified": False}
    again = Browser()
    sign_on(provider, again)
    assert again.officer == "newcomer"
    provider.person = {"sub": "u-2", "email": "clerk@street.example", "email_verified": True}
    assert sign_on(provider, Browser()).status_code == 403


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_the_provider_does_not_vouch_for_links_nothing(provider: Provider, verified: object) -> None:
    invite()
    provider.person["email_verified"] = verified
    assert sign_on(provider, Browser()).status_code == 403
    assert OfficerInvitation.objects.filter(closed_at__isnull=True).exists()


def test_an_address_without_an_open_invitation_links_nothing(provider: Provider) -> None:
    Officer.objects.filter(username="clerk").update(email="clerk@street.example")
    assert sign_on(provider, Browser()).status_code == 403


def test_a_provider_lets_in_nobody_of_another_agency(provider: Provider) -> None:
    SocialAccount.objects.create(user=officer("issuer"), provider="street-sso", uid="u-1")
    browser = Browser()
    answer = sign_on(provider, browser)
    assert answer.status_code == 403
    assert "另一个机构" in words(answer)
    assert browser.officer == ""
    assert Browser("issuer").get("/account/sso/street-sso/link").status_code == 403


def test_a_disabled_officer_stays_out(provider: Provider) -> None:
    link(provider)
    Officer.objects.filter(username="clerk").update(is_active=False)
    assert sign_on(provider, Browser()).status_code == 403


def test_a_second_factor_set_up_here_is_asked_for(provider: Provider) -> None:
    link(provider)
    Browser("clerk").set_up_app()
    browser = Browser()
    assert sign_on(provider, browser)["Location"] == "/login/second-factor"
    assert browser.officer == ""


def test_a_browser_with_another_session_is_refused(provider: Provider) -> None:
    link(provider)
    browser = Browser("issuer")
    assert browser.get("/login/sso/street-sso").status_code == 409
    # Begun before the other logged in.
    tab = Browser()
    back = provider.authorize(tab.get("/login/sso/street-sso")["Location"]).partition("8000")[2]
    tab.log_in("issuer")
    assert tab.get(back).status_code in (403, 409)
    assert tab.officer == "issuer"


def test_an_answer_begun_in_another_browser_is_nobodys(provider: Provider) -> None:
    link(provider)
    back = provider.authorize(Browser().get("/login/sso/street-sso")["Location"]).partition("8000")[2]
    victim = Browser()
    assert victim.get(back).status_code == 403
    assert victim.officer == ""


def test_an_answer_counts_once(provider: Provider) -> None:
    link(provider)
    browser = Browser()
    back = provider.authorize(browser.get("/login/sso/street-sso")["Location"]).partition("8000")[2]
    assert browser.get(back).status_code == 302
    browser.post("/logout")
    assert browser.get(back).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"exp": 1_000_000_000},
        {"iat": 9_000_000_000},
        {"sub": None},
    ],
)
def test_a_token_that_says_something_else_opens_nothing(provider: Provider, claims: dict[str, Any]) -> None:
    link(provider)
    provider.claims = claims
    browser = Browser()
    assert sign_on(provider, browser).status_code == 403
    assert browser.officer == ""


def test_a_token_signed_by_another_key_opens_nothing(provider: Provider) -> None:
    link(provider)
    provider.signing = ECKey.generate_key("P-256", {"kid": "one"})
    assert sign_on(provider, Browser()).status_code == 403


def test_a_token_with_a_shared_secret_opens_nothing(provider: Provider) -> None:
    link(provider)
    provider.signing = OctKey.import_key(json.dumps(provider.key.as_dict(private=False)).encode())
    provider.header = {"alg": "HS256"}
    assert sign_on(provider, Browser()).status_code == 403


def test_a_provider_that_is_away_is_said(provider: Provider) -> None:
    provider.close()
    answer = Browser().get("/login/sso/street-sso")
    assert answer.status_code == 503
    assert "暂时无法联系" in words(answer)


def test_a_cancelled_or_unknown_sign_on_is_said(provider: Provider) -> None:
    browser = Browser()
    state = parse_qs(urlsplit(browser.get("/login/sso/street-sso")["Location"]).query)["state"][0]
    assert browser.get(f"/login/sso/street-sso/callback?error=access_denied&state={state}").status_code == 403
    assert browser.get("/login/sso/street-sso/callback").status_code == 403
    assert browser.get("/login/sso/nobody").status_code == 404
    assert browser.get("/login/sso/nobody/callback").status_code == 404


# Groups.


def mapped(settings: Settings, **roles: tuple[str, ...]) -> None:
    (configured,) = settings.GOVCHAIN.sso
    settings.GOVCHAIN = replace(settings.GOVCHAIN, sso=(replace(configured, roles=tuple(roles.items())),))


def test_groups_are_nothing_unless_the_node_maps_them(provider: Provider) -> None:
    link(provider)
    provider.person["groups"] = ["auditor", "agency-admin", "clerks"]
    sign_on(provider, Browser())
    assert set(officer("clerk").roles.values_list("role", flat=True)) == {"counter"}


def test_mapped_groups_give_and_take_their_roles_and_no_others(provider: Provider, settings: Settings) -> None:
    link(provider)
    mapped(settings, clerks=("counter",), issuers=("issuer",))
    OfficerRole.objects.create(officer=officer("clerk"), role="auditor")
    provider.person["groups"] = ["issuers", "strangers"]
    sign_on(provider, Browser())
    assert set(officer("clerk").roles.values_list("role", flat=True)) == {"issuer", "auditor"}
    assert logged("clerk", "staff.give-role") == logged("clerk", "staff.take-role") == ["done"]


def test_groups_leave_an_agency_its_last_administrator(provider: Provider, settings: Settings) -> None:
    link(provider, "head")
    mapped(settings, bosses=("agency-admin",))
    sign_on(provider, Browser())
    assert officer("head").roles.filter(role="agency-admin").exists()


# The file.


def test_the_roles_of_the_file_are_those_of_the_table() -> None:
    assert single_sign_on.ROLES == permissions.ROLES


GOOD = {"id": "x", "agency": "street", "name": {"zh": "甲", "en": "A"}, "issuer": "https://x.example", "client_id": "c"}


@pytest.mark.parametrize(
    "rows",
    [
        "{}",
        "not json",
        [GOOD | {"issuer": "http://x.example"}],
        [GOOD | {"roles": {"g": ["king"]}}],
        [GOOD | {"client_secret_file": "/nowhere"}],
        [GOOD | {"id": "../x"}],
        [GOOD | {"more": 1}],
        [GOOD, GOOD],
        ["x"],
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, rows: Any) -> None:
    (tmp_path / "secret").write_text("s")
    if isinstance(rows, list):
        rows = [
            {"client_secret_file": str(tmp_path / "secret")} | row if isinstance(row, dict) else row for row in rows
        ]
    file = tmp_path / "sso.json"
    file.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    with pytest.raises(UnsafeSettings) as stopped:
        read({"GOVCHAIN_SSO": str(file), "GOVCHAIN_ENV": "test"})
    assert str(stopped.value).startswith("GOVCHAIN_SSO")
    assert "\n" not in str(stopped.value)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    file = tmp_path / "sso.json"
    row = GOOD | {"client_secret_file": str(tmp_path / "secret"), "roles": {"g": ["counter"]}}
    file.write_text(json.dumps([row]))
    (found,) = read({"GOVCHAIN_SSO": str(file), "GOVCHAIN_ENV": "test"}).sso
    assert (found.client_secret, found.roles) == ("s3cret", (("g", ("counter",)),))
