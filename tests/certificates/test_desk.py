"""The issuing desk: who may open it, what it shows, what it must not show."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from certificates import pages, queries
from certificates.models import Certificate, Offer, RegisterRow
from identity import agencies
from identity.models import Officer
from tests.certificates.conftest import Desk, Phone

PAGES = ("/issuing/", "/issuing/issued")


@pytest.fixture
def officer(desk: Desk) -> Client:
    client = Client()
    client.force_login(Officer.objects.get(username="issuer"))
    return client


def person() -> RegisterRow:
    return queries.any_register_row(queries.known_type("resident-id"))


def make(officer: Client) -> Any:
    return officer.post("/issuing/offers", {"type": "resident-id", "row": person().pk})


@pytest.mark.parametrize("username", [None, "clerk", "auditor", "home"])
def test_only_issuing_officers(desk: Desk, username: str | None) -> None:
    client = Client()
    if username:
        client.force_login(Officer.objects.get(username=username))
    for page in PAGES:
        assert client.get(page).status_code == (403 if username else 302)
    for form, data in (("/issuing/search", {"q": "云若"}), ("/issuing/offers", {"type": "resident-id", "row": 1})):
        assert client.post(form, data).status_code == (403 if username else 302)
    assert Offer.objects.count() == 0


def test_forms_need_their_token(desk: Desk) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(Officer.objects.get(username="issuer"))
    assert make(client).status_code == 403
    assert Offer.objects.count() == 0


def test_search_by_number_and_by_name_shows_numbers_masked_and_no_address(officer: Client) -> None:
    row = person()
    for text in (row.subject, row.subject.lower(), row.name, row.name[:2]):
        page = officer.post("/issuing/search", {"q": text}).content.decode()
        assert row.name in page
        assert f"{row.subject[:6]}********{row.subject[-4:]}" in page
        assert row.data["address"] not in page
    found = officer.post("/issuing/search", {"q": row.name}).content.decode()
    assert row.subject not in found


def test_search_of_too_little_or_nobody(officer: Client) -> None:
    assert "至少" in officer.post("/issuing/search", {"q": "云"}).content.decode()
    fragment = officer.post("/issuing/search", {"q": "查无此人"}, headers={"HX-Request": "true"}).content.decode()
    assert "没有找到" in fragment
    assert "<html" not in fragment


def test_an_offer_shows_qr_link_and_code_once(officer: Client) -> None:
    answer = make(officer)
    page = answer.content.decode()
    offer = Offer.objects.get()
    assert answer["Cache-Control"] == "no-store"
    assert "<svg" in page
    assert (
        f"/wallet/#offer?credential_offer_uri=http%3A%2F%2Flocalhost%3A8000%2Fagencies%2Fpsb%2Foid4vci%2Foffers%2F{offer.pk}"
        in unescape(page)
    )
    (tx_code,) = re.findall(r'data-tx-code="(\d{6})"', page)
    assert offer.code not in page
    again = officer.get(f"/issuing/offers/{offer.pk}").content.decode()
    assert tx_code not in again
    assert person().subject not in page + again


def test_the_page_follows_the_claim(officer: Client, desk: Desk, phone: Phone) -> None:
    page = make(officer).content.decode()
    offer = Offer.objects.get()
    (tx_code,) = re.findall(r'data-tx-code="(\d{6})"', page)
    state = f"/issuing/offers/{offer.pk}"

    def shown() -> str:
        return officer.get(state, headers={"HX-Request": "true"}).content.decode()

    assert "等待领取" in shown()
    token = desk.redeem(offer.code, tx_code).json()["access_token"]
    assert "正在签发" in shown()
    assert phone.ask(token).status_code == 200
    assert "已领取" in shown()
    assert "/ledger/receipts/" in shown()
    issued = officer.get("/issuing/issued").content.decode()
    assert "/ledger/receipts/" in issued
    assert person().subject not in issued


def test_a_token_nobody_used_ends_the_offer(officer: Client, desk: Desk) -> None:
    made = desk.offer()
    desk.token(made)
    assert queries.offer_state(Offer.objects.get()) == "redeemed"
    with time_machine.travel(made.offer.created_at + 1000, tick=False):
        assert queries.offer_state(Offer.objects.get()) == "expired"


def test_another_agencys_officer_sees_no_offer(officer: Client, desk: Desk) -> None:
    make(officer)
    offer = Offer.objects.get()
    clerk = Officer.objects.get(username="clerk")
    clerk.roles.create(role="issuer")
    client = Client()
    client.force_login(clerk)
    assert client.get(f"/issuing/offers/{offer.pk}").status_code == 404
    assert client.post("/issuing/offers", {"type": "resident-id", "row": person().pk}).status_code == 404
    assert not pages.may_watch_offer(clerk, str(offer.pk))
    assert pages.may_watch_offer(Officer.objects.get(username="issuer"), str(offer.pk))
    assert not pages.may_watch_offer(None, str(offer.pk))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"type": "resident-id"},
        {"type": "resident-id", "row": "x"},
        {"type": "resident-id", "row": 10**30},
        {"type": "x", "row": 1},
    ],
)
def test_malformed_forms(officer: Client, form: dict[str, Any]) -> None:
    assert 400 <= officer.post("/issuing/offers", form).status_code < 500
    assert Offer.objects.count() == 0


def test_an_offer_that_is_none(officer: Client) -> None:
    assert officer.get(f"/issuing/offers/{uuid.uuid4()}").status_code == 404
    assert officer.get("/issuing/offers/x").status_code == 404


def test_every_page_in_english(officer: Client, desk: Desk) -> None:
    officer.cookies["django_language"] = "en"
    row = person()
    pages_seen = [
        officer.get("/issuing/").content.decode(),
        officer.post("/issuing/search", {"q": row.name}).content.decode(),
        make(officer).content.decode(),
    ]
    invented = {row.name, row.note, "中文", "云州市电子证照", "English"}
    for page in pages_seen:
        main = re.search(r"<main.*?</main>", page, re.DOTALL)
        assert main is not None
        text = re.sub(r"<[^>]*>", " ", main[0])
        for known in invented:
            text = text.replace(known, "")
        names = [other.name for other in RegisterRow.objects.all()]
        for name in names:
            text = text.replace(name, "")
        assert not re.search(r"[\u4e00-\u9fff]", text), text


# One certificate


@pytest.fixture
def certificate(desk: Desk) -> Certificate:
    Phone(desk).claim()
    return Certificate.objects.get()


def test_a_certificates_page_offers_what_its_state_allows(officer: Client, certificate: Certificate) -> None:
    page = officer.get(f"/issuing/certificates/{certificate.pk}").content.decode()
    assert [act for act in ("suspend", "reinstate", "revoke", "replace") if f'value="{act}"' in page] == [
        "suspend",
        "revoke",
        "replace",
    ]
    assert certificate.row.subject not in page


def test_a_revocation_shows_once_the_ledger_has_it(officer: Client, certificate: Certificate) -> None:
    address = f"/issuing/certificates/{certificate.pk}"
    answer = officer.post(f"{address}/status", {"act": "revoke", "reason": "lost"}, follow=True)
    assert answer.status_code == 200
    certificate.refresh_from_db()
    assert certificate.state == "revoked"
    assert "已吊销" in officer.get(address).content.decode()


@pytest.mark.parametrize(
    "form", [{}, {"act": "revoke"}, {"act": "x", "reason": "lost"}, {"act": "revoke", "reason": "x"}]
)
def test_a_form_that_names_no_act_or_no_reason_changes_nothing(
    officer: Client, certificate: Certificate, form: dict[str, str]
) -> None:
    assert officer.post(f"/issuing/certificates/{certificate.pk}/status", form).status_code in (400, 422)
    certificate.refresh_from_db()
    assert (certificate.state, certificate.waiting) == ("active", "")


@pytest.mark.parametrize("username", ["clerk", "auditor", "home"])
def test_only_issuing_officers_see_or_change_a_certificate(certificate: Certificate, username: str) -> None:
    client = Client()
    client.force_login(Officer.objects.get(username=username))
    assert client.get(f"/issuing/certificates/{certificate.pk}").status_code == 403
    form = {"act": "revoke", "reason": "lost"}
    assert client.post(f"/issuing/certificates/{certificate.pk}/status", form).status_code == 403


def test_another_agencys_certificate_is_not_found(officer: Client, certificate: Certificate) -> None:
    Certificate.objects.update(agency=agencies.by_number(2))
    assert officer.get(f"/issuing/certificates/{certificate.pk}").status_code == 404
    form = {"act": "revoke", "reason": "lost"}
    assert officer.post(f"/issuing/certificates/{certificate.pk}/status", form).status_code == 404


def test_the_landing_page_shows_an_officer_the_doors_that_open(officer: Client) -> None:
    page = officer.get("/").content.decode()
    assert 'class="door" href="/issuing/"' in page
    assert 'class="door" href="/audit/"' not in page
    assert 'class="door" href="/wallet/"' in page
