"""The officers' log: everything an officer does is in it, it names no citizen, and nobody can change it unseen."""

from __future__ import annotations

import dataclasses
import re

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client

from identity import append_only, officers_log
from identity.actions.record_act import record_act
from identity.core import officers_log as chain
from identity.models import Agency, Citizen, OfficerLogEntry
from identity.seed import PASSWORD, SeededIdentity
from tests.world import World

PAGE = {"accept": "text/html"}


@pytest.fixture
def psb(seeded: SeededIdentity) -> Agency:
    return Agency.objects.get(slug="psb")


def acts(agency: str) -> list[tuple[str, str, str]]:
    rows = OfficerLogEntry.objects.filter(agency__slug=agency).order_by("seq")
    return [(row.username, row.act, row.outcome) for row in rows]


def grow(agency: Agency, count: int) -> None:
    for number in range(count):
        record_act(agency=agency, officer=None, act="audit.read", object=f"row={number}")


def test_a_chain_holds_and_each_agency_has_its_own(psb: Agency) -> None:
    street = Agency.objects.get(slug="street")
    grow(psb, 3)
    grow(street, 2)
    assert officers_log.verify(psb) is None
    assert [row.seq for row in OfficerLogEntry.objects.filter(agency=street)] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE identity_officerlogentry SET outcome = 'x' WHERE seq = 1", "DELETE FROM identity_officerlogentry"],
)
def test_the_database_refuses_to_change_or_delete_an_entry(psb: Agency, statement: str) -> None:
    grow(psb, 2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert officers_log.verify(psb) is None
    assert not append_only.missing(connection)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE identity_officerlogentry SET username = 'somebody' WHERE seq = 3", "changed"),
        ("UPDATE identity_officerlogentry SET at = at + 1 WHERE seq = 3", "changed"),
        ("DELETE FROM identity_officerlogentry WHERE seq = 3", "missing"),
        ("UPDATE identity_officerlogentry SET seq = 3 + 10 WHERE seq = 3", "missing"),
    ],
)
def test_whoever_removes_the_trigger_is_found_with_the_entry_named(psb: Agency, statement: str, reason: str) -> None:
    grow(psb, 5)
    append_only.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert officers_log.verify(psb) == chain.Broken(3, reason)


def test_a_forged_entry_with_a_fitting_digest_is_found_by_the_next(psb: Agency) -> None:
    grow(psb, 3)
    append_only.remove(connection)
    second = officers_log.entry_of(OfficerLogEntry.objects.get(agency=psb, seq=2))
    forged = dataclasses.replace(second, act="audit.export")
    OfficerLogEntry.objects.filter(agency=psb, seq=2).update(act="audit.export", digest=chain.digest(forged))
    assert officers_log.verify(psb) == chain.Broken(3, "unlinked")


def test_a_look_is_written_down_once_in_ten_minutes(seeded: SeededIdentity) -> None:
    client = Client(headers=PAGE)
    client.login(username="clerk", password=PASSWORD)
    for _ in range(3):
        client.get("/counter/")
    assert [act for _, act, _ in acts("street")].count("counter.work") == 1


def test_a_refused_page_is_written_down(seeded: SeededIdentity) -> None:
    client = Client(headers=PAGE)
    client.login(username="clerk", password=PASSWORD)
    assert client.get("/audit/").status_code == 403
    assert ("clerk", "audit.read", "role-missing") in acts("street")


def test_a_change_is_written_down_before_and_after(seeded: SeededIdentity, home_officer: Client) -> None:
    citizen = next(citizen for citizen in Citizen.objects.all() if citizen.name == "安若素")
    home_officer.post(f"/home/{citizen.id}/check", {"check": "card", "checked": "on"}, headers=PAGE)
    home_officer.post(f"/home/{citizen.id}/lost", {"statement": "none"}, headers=PAGE)
    rows = [row[1:] for row in acts("data") if row[1].startswith("home.")]
    assert rows[0] == ("home.act", "begun")
    assert rows[-1] == ("home.act", "statement-missing")


def test_the_main_job_names_its_people_nowhere_in_the_log(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    world.present(ana, desk)
    assert ana.id_number in desk.page().text
    world.officer("auditor").open("/audit/?kind=usage")
    text = repr(list(OfficerLogEntry.objects.values_list("object", "detail", "act", "outcome", "username")))
    assert {"issuing.search", "issuing.offer", "counter.ask", "counter.read", "audit.read"} <= set(
        OfficerLogEntry.objects.values_list("act", flat=True)
    )
    assert f"request_id={desk.request_id}" in text
    assert "kind=usage" in text
    for private in (ana.name, ana.id_number, ana.id_number[-6:]):
        assert private not in text
    assert not re.search(r"127\.0\.0\.1", text)
    for agency in Agency.objects.all():
        assert officers_log.verify(agency) is None
