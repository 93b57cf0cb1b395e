"""The lifecycle table, and its acts on real certificates: in effect with the ledger's record, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import transaction

from certificates import outcomes, status_lists
from certificates.actions.change_status import change_status
from certificates.core import lifecycle
from certificates.core.errors import CertificateError
from certificates.core.lifecycle import ACTS, State
from certificates.formats import status_list
from certificates.models import Certificate, StatusList
from gov_chain.ledger import documents, node, relay
from gov_chain.ledger.models import OutboxRow
from identity import agencies
from identity.core import jose, jwk
from tests.certificates.conftest import BASE, ISSUER, Desk, Phone

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_diagram_in_the_docs_is_the_tables() -> None:
    assert lifecycle.diagram() in ARCHITECTURE.read_text(), "run python -m certificates.core.lifecycle"


def test_every_state_can_be_reached_and_every_act_leads_from_a_reachable_one() -> None:
    reached = {act.target for act in ACTS.values() if not act.sources}
    while more := {act.target for act in ACTS.values() if act.sources & reached} - reached:
        reached |= more
    assert reached == set(State)


def test_nothing_leads_out_of_an_end() -> None:
    ends = {State.REVOKED, State.REPLACED, State.EXPIRED, State.DECLINED, State.REFUSED}
    assert not any(act.sources & ends for act in ACTS.values())


@pytest.fixture
def certificate(desk: Desk, phone: Phone) -> Certificate:
    phone.claim()
    return Certificate.objects.get()


def act(certificate: Certificate, name: str, reason: str = "lost") -> tuple[int, ...]:
    return change_status(agency=certificate.agency, certificates=[certificate], act=name, reason=reason).outbox_ids


def refused(certificate: Certificate, name: str, reason: str = "lost") -> str:
    before = OutboxRow.objects.count()
    with pytest.raises(CertificateError) as raised:
        act(certificate, name, reason)
    assert OutboxRow.objects.count() == before
    return raised.value.code


def test_an_act_takes_effect_with_its_record_and_not_before(certificate: Certificate) -> None:
    sent = act(certificate, "suspend")
    certificate.refresh_from_db()
    assert (certificate.state, certificate.waiting) == ("active", "suspend")
    relay.settle(sent)
    certificate.refresh_from_db()
    assert (certificate.state, certificate.waiting, certificate.reason) == ("suspended", "", "lost")


def test_a_refusal_restores_the_former_state(certificate: Certificate) -> None:
    act(certificate, "suspend")
    version = StatusList.objects.get().version
    row = OutboxRow.objects.order_by("pk").last()

    class Refused:
        subject, state, code, index = row.subject, "refused", "type-unknown", None

    outcomes.status_decided(Refused)
    certificate.refresh_from_db()
    assert (certificate.state, certificate.waiting) == ("active", "")
    assert StatusList.objects.get().version == version


def test_an_outcome_told_twice_changes_nothing_more(certificate: Certificate) -> None:
    relay.settle(act(certificate, "revoke"))
    version = StatusList.objects.get().version

    class Again:
        subject, state, code, index = f"certificates.status:{certificate.status_list_id}", "final", None, 9

    outcomes.status_decided(Again)
    assert StatusList.objects.get().version == version


def test_acts_that_come_while_a_version_is_on_its_way_go_together_into_the_next(desk: Desk) -> None:
    held = [Phone(desk) for _ in range(3)]
    for phone in held:
        phone.claim()
    certificates = list(Certificate.objects.all())
    first = act(certificates[0], "revoke")
    assert [act(each, "suspend") for each in certificates[1:]] == [(), ()]
    relay.settle(first)
    relay.settle(OutboxRow.objects.filter(subject__startswith="certificates.status").values_list("pk", flat=True))
    assert sorted(Certificate.objects.values_list("state", flat=True)) == ["revoked", "suspended", "suspended"]
    assert StatusList.objects.get().version == 3  # the first, the revocation, the suspensions


@pytest.mark.parametrize(
    ("done", "then"),
    [("revoke", "reinstate"), ("revoke", "revoke"), ("suspend", "suspend"), ("replace", "suspend")],
)
def test_what_the_table_does_not_allow_is_refused(certificate: Certificate, done: str, then: str) -> None:
    relay.settle(act(certificate, done))
    assert refused(certificate, then) == "act-not-permitted"


def test_a_second_act_waits_until_the_first_is_decided(certificate: Certificate) -> None:
    act(certificate, "suspend")
    assert refused(certificate, "revoke") == "act-not-permitted"


@pytest.mark.parametrize("reason", ["", "because", "<b>"])
def test_revoking_needs_a_known_reason(certificate: Certificate, reason: str) -> None:
    assert refused(certificate, "revoke", reason) == "reason-unknown"


@pytest.mark.parametrize("name", ["", "approve", "anchor", "expire", "delete"])
def test_other_acts_are_not_done_here(certificate: Certificate, name: str) -> None:
    assert refused(certificate, name) == "act-unknown"


def test_another_agency_cannot_touch_it(certificate: Certificate) -> None:
    other = agencies.by_number(2)
    with pytest.raises(CertificateError, match="certificate-foreign"):
        change_status(agency=other, certificates=[certificate], act="revoke", reason="lost")


def test_one_that_may_not_stops_all(desk: Desk) -> None:
    for phone in (Phone(desk), Phone(desk)):
        phone.claim()
    first, second = Certificate.objects.all()
    relay.settle(act(first, "revoke"))
    with pytest.raises(CertificateError, match="act-not-permitted"):
        change_status(agency=first.agency, certificates=[first, second], act="revoke", reason="lost")
    second.refresh_from_db()
    assert second.waiting == ""


# The lists as others read them


def test_the_ledger_holds_the_digest_of_the_list_in_force(certificate: Certificate) -> None:
    relay.settle(act(certificate, "revoke"))
    in_force = node.ledger().status(1, 1)
    assert in_force is not None
    document = documents.load(in_force.digest)
    assert (document["kind"], document["type"], document["list"]) == ("status", 1, 1)
    assert document["version"] == in_force.version == StatusList.objects.get().version
    assert status_list.token_status(document, certificate.status_index) == 1


def test_an_earlier_list_can_still_be_read(certificate: Certificate) -> None:
    earlier = node.ledger().status(1, 1)
    relay.settle(act(certificate, "revoke"))
    document = documents.load(node.ledger().status(1, 1, at=earlier.index + 1).digest)
    assert status_list.token_status(document, certificate.status_index) == 0


def test_the_token_status_list_is_signed_and_says_the_same(desk: Desk, certificate: Certificate) -> None:
    relay.settle(act(certificate, "suspend"))
    answer = desk.client.get(f"{BASE.removesuffix('/oid4vci')}/status/1/1")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/statuslist+jwt")
    key = jwk.from_public_key(agencies.signer(certificate.agency, "issue").public_key)
    claims = jose.verify(answer.content.decode(), key, typ="statuslist+jwt", allow=["x5c"]).claims
    assert claims["sub"] == f"{ISSUER}/status/1/1"
    assert status_list.token_status(claims["status_list"], certificate.status_index) == 2
    assert "public" in answer["Cache-Control"]


@pytest.mark.parametrize(("purpose", "bit"), [("revocation", 0), ("suspension", 1)])
def test_the_bitstring_status_list_says_the_same(desk: Desk, certificate: Certificate, purpose: str, bit: int) -> None:
    relay.settle(act(certificate, "suspend"))
    found = json.loads(desk.client.get(f"{BASE.removesuffix('/oid4vci')}/status/1/1/{purpose}").content)
    assert found["proof"]["cryptosuite"] == "ecdsa-rdfc-2019"
    encoded = found["credentialSubject"]["encodedList"]
    assert status_list.bitstring_bit(encoded, certificate.status_index) == bit


@pytest.mark.parametrize("path", ["1/2", "2/1", "0/0", "99999999999999999999/1", "1/1/other"])
def test_another_list_is_not_found(desk: Desk, certificate: Certificate, path: str) -> None:
    assert desk.client.get(f"{BASE.removesuffix('/oid4vci')}/status/{path}").status_code == 404


def test_entries_are_spread_over_the_list(desk: Desk, certificate: Certificate) -> None:
    with transaction.atomic():
        indexes = {status_lists.take_entry(certificate.type)[1] for _ in range(50)}
    assert len(indexes) > 45
    assert max(indexes) - min(indexes) > 50_000
