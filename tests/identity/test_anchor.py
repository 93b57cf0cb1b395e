"""The ledger keeps the head of each agency's officers' log, daily; a log rewritten from end to end contradicts it."""

from __future__ import annotations

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from gov_chain.ledger.core import entries, records
from gov_chain.web import lifespan
from identity import append_only, housekeeping, officers_log
from identity.actions.anchor_log import anchor_log
from identity.core import officers_log as chain
from identity.models import Agency, OfficerLogAnchor, OfficerLogEntry
from tests.world import World

DAY = 86400


@pytest.fixture
def street(world: World) -> Agency:
    world.officer("clerk").open("/counter/")
    return Agency.objects.get(slug="street")


def tomorrow(days: int = 1) -> time_machine.travel:
    return time_machine.travel(timezone.now().timestamp() + days * DAY)


def test_the_serving_process_does_it_by_itself() -> None:
    assert "officers' housekeeping" in [name for name, _, _ in lifespan._parts]


def test_nothing_is_anchored_on_the_day_it_happens(world: World, street: Agency) -> None:
    housekeeping.turn()
    assert not OfficerLogAnchor.objects.exists()


def test_the_next_day_each_log_is_anchored_once(world: World, street: Agency) -> None:
    with tomorrow():
        for _ in range(3):
            housekeeping.turn()
            world.settle()
    anchor = OfficerLogAnchor.objects.get(agency=street)
    assert anchor.seq == officers_log.length(street)
    entry = entries.parse(world.reader.entry(anchor.index))
    assert (entry.name, entry.agency, entry.values["evidence"]) == ("evidence", 3, records.OFFICERS_LOG)
    assert bytes(anchor.head) not in world.reader.entry(anchor.index)
    assert anchor.receipt
    found = officers_log.check(street)
    assert (found.holds, found.anchors) == (True, 1)


def test_a_quiet_day_writes_nothing(world: World, street: Agency) -> None:
    with tomorrow():
        housekeeping.turn()
        world.settle()
    count = OfficerLogAnchor.objects.count()
    with tomorrow(3):
        housekeeping.turn()
    assert OfficerLogAnchor.objects.count() == count


def test_a_log_rewritten_from_end_to_end_contradicts_its_anchor(world: World, street: Agency) -> None:
    anchor_log(agency=street)
    world.settle()
    append_only.remove(connection)
    previous = chain.START
    for row in OfficerLogEntry.objects.filter(agency=street).order_by("seq"):
        row.username, row.previous = "somebody-else", previous
        row.digest = previous = chain.digest(officers_log.entry_of(row))
        row.save()
    assert officers_log.verify(street) is None
    found = officers_log.check(street)
    assert found.anchor_broken == OfficerLogAnchor.objects.get(agency=street).seq


def test_a_forged_anchor_is_contradicted_by_the_ledger(world: World, street: Agency) -> None:
    anchor_log(agency=street)
    world.settle()
    assert officers_log.check(street).holds
    OfficerLogAnchor.objects.update(salt=bytes(32))
    assert not officers_log.check(street).holds


def test_a_log_cut_short_lacks_what_was_anchored(world: World, street: Agency) -> None:
    anchor = anchor_log(agency=street)
    assert anchor is not None
    world.settle()
    append_only.remove(connection)
    OfficerLogEntry.objects.filter(agency=street, seq=anchor.seq).delete()
    assert officers_log.verify(street) is None
    assert officers_log.check(street).anchor_broken == anchor.seq


def test_the_auditor_sees_it_and_is_seen(world: World, street: Agency) -> None:
    anchor_log(agency=street)
    world.settle()
    head = world.officer("head")
    page = head.submit(head.open("/officers-log/").form(action="verify"))
    assert "1 个账本存证相符" in page.text
    append_only.remove(connection)
    OfficerLogEntry.objects.filter(agency=street, seq=2).update(object="x")
    page = head.submit(head.open("/officers-log/").form(action="verify"))
    assert "第 2 条不成立" in page.text
    acts = OfficerLogEntry.objects.filter(username="head").values_list("act", flat=True)
    assert {"officers-log.read", "officers-log.verify"} <= set(acts)


@pytest.mark.parametrize(
    "query",
    ["officer=0", "officer=x", "since=0001-01-01", "until=9999-12-31", "before=0", "act=%00", f"object={'x' * 90}"],
)
def test_a_bad_search_is_said(world: World, query: str) -> None:
    head = world.officer("head")
    assert head.http.get(f"/officers-log/?{query}").status_code == 400


def test_search_finds_by_officer_act_and_day(world: World, street: Agency) -> None:
    head = world.officer("head")
    clerk = OfficerLogEntry.objects.filter(username="clerk").first()
    assert clerk is not None
    today = timezone.localdate().isoformat()
    page = head.http.get(f"/officers-log/?officer={clerk.officer_id}&act=counter.work&since={today}&until={today}")
    assert page.text.count("<tr id=") == 1
    assert head.http.get("/officers-log/?until=2000-01-01").text.count("<tr id=") == 0


def test_another_agencys_log_is_out_of_reach(world: World, street: Agency) -> None:
    page = world.officer("reviewer").open("/officers-log/").text
    assert "clerk" not in page


def test_the_export_lets_anybody_follow_the_chain(world: World, street: Agency) -> None:
    import json

    from identity.models import OfficerRole
    from tests.identity.desk import officer

    OfficerRole.objects.create(officer=officer("clerk"), role="approver")
    head, clerk = world.officer("head"), world.officer("clerk")
    asked = head.submit(head.open("/officers-log/").form(action="export"))
    path = asked.url.partition("8000")[2]
    clerk.submit(clerk.open(path).form(action="approve"))
    rows = [json.loads(line) for line in head.http.get(f"{path}/file").text.splitlines()]
    told = [
        chain.Entry(**{**row, "previous": bytes.fromhex(row["previous"]), "digest": bytes.fromhex(row["digest"])})
        for row in rows
    ]
    assert len(told) > 3
    assert chain.verify(told) is None
