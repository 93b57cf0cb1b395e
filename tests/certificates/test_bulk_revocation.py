"""Many certificates revoked: checked, requested, approved by a second person, done once."""

from __future__ import annotations

import pytest
from django.test import Client

from certificates.models import Certificate
from gov_chain.ledger import relay
from gov_chain.ledger.models import OutboxRow
from identity.models import Officer, PendingAct
from tests.certificates.conftest import Desk, Phone

ADDRESS = "/issuing/revoke-many"


def client_of(username: str) -> Client:
    client = Client()
    client.force_login(Officer.objects.get(username=username))
    return client


def approver() -> Officer:
    issuer = Officer.objects.get(username="issuer")
    return Officer.objects.filter(agency=issuer.agency, roles__role="approver").exclude(pk=issuer.pk)[0]


@pytest.fixture
def number(desk: Desk) -> str:
    for _ in range(2):
        Phone(desk).claim()
    certificate = Certificate.objects.select_related("row__agency")[0]
    return certificate.row.subject


def form(number: str, **more: object) -> dict[str, object]:
    return {"type": "resident-id", "reason": "mistaken", "numbers": f"{number}\n53010019900101001X\n", **more}


def test_checking_changes_nothing_and_names_lines_without_certificates(number: str) -> None:
    page = client_of("issuer").post(ADDRESS, form(number)).content.decode()
    assert "2 张证照可以吊销" in page
    assert PendingAct.objects.count() == 0


def test_nothing_is_revoked_until_a_second_person_approves(number: str) -> None:
    answer = client_of("issuer").post(ADDRESS, form(number, certificates=2))
    assert answer.status_code == 302
    assert set(Certificate.objects.values_list("state", "waiting")) == {("active", "")}
    approving = client_of(approver().username)
    digest = bytes(PendingAct.objects.get().digest).hex()
    assert approving.post(f"{answer['Location']}/approve", {"digest": digest}).status_code in (200, 302)
    relay.settle(OutboxRow.objects.filter(subject__startswith="certificates.status").values_list("pk", flat=True))
    assert set(Certificate.objects.values_list("state", flat=True)) == {"revoked"}


@pytest.mark.parametrize(
    "change",
    [
        {"certificates": 3},
        {"reason": ""},
        {"reason": "x"},
        {"type": "none"},
        {"numbers": " "},
        {"numbers": "1\n" * 1001},
    ],
)
def test_what_does_not_fit_is_refused_and_requests_nothing(number: str, change: dict[str, object]) -> None:
    answer = client_of("issuer").post(ADDRESS, form(number, **{"certificates": 2, **change}))
    assert 400 <= answer.status_code < 500
    assert PendingAct.objects.count() == 0


@pytest.mark.parametrize("username", ["clerk", "auditor"])
def test_only_issuing_officers(number: str, username: str) -> None:
    assert client_of(username).post(ADDRESS, form(number, certificates=2)).status_code == 403
