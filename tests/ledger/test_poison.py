"""Records that can never reach the ledger, listeners that keep failing: set aside or put off, seen, in no one's way."""

from __future__ import annotations

import time

import httpx
import pytest
from django.db import transaction

from gov_chain import doctor, keys
from gov_chain.ledger import delivery, newest, node, outbox, relay, store
from gov_chain.ledger.models import NodeKey, OutboxRow
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.relay import Outcome
from tests.ledger.town import HOME, PSB, STREET, approval, issue_record, matter_record, type_record


def enqueue(agency: int, record: bytes, subject: str = "test.thing:1") -> int:
    with transaction.atomic():
        return outbox.enqueue(agency=agency, record=record, subject=subject)


def test_poison_between_dependent_records_leaves_their_order(own_node: Reader) -> None:
    NodeKey.objects.filter(agency=HOME).delete()
    rows = [
        enqueue(PSB, type_record()),
        enqueue(HOME, issue_record()),
        enqueue(STREET, matter_record()),
        enqueue(HOME, issue_record()),
        enqueue(PSB, approval()),
    ]
    outcomes = relay.settle(rows)
    assert [each.state for each in outcomes] == ["final", "refused", "final", "refused", "final"]
    indexes = [each.index for each in outcomes if each.index is not None]
    assert indexes == sorted(indexes)


def test_a_poison_row_keeps_its_reason_and_is_not_tried_again(own_node: Reader) -> None:
    NodeKey.objects.filter(agency=HOME).delete()
    row = enqueue(HOME, issue_record())
    relay.settle([row])
    before = OutboxRow.objects.get(pk=row)
    assert (before.state, before.code, before.reason) == ("aside", "outbox-key-missing", "outbox-key-missing")
    assert relay.drain() == 0
    assert OutboxRow.objects.get(pk=row).attempts == before.attempts


def test_doctor_says_what_was_set_aside_and_why(own_node: Reader) -> None:
    assert doctor.outbox().result == "ok"
    keys.create("local:stranger/ledger", "EdDSA")
    NodeKey.objects.filter(agency=HOME).update(signer="local:stranger/ledger")
    NodeKey.objects.filter(agency=STREET).delete()
    relay.settle([enqueue(HOME, issue_record(), "test.thing:7"), enqueue(STREET, matter_record(), "test.matter:3")])
    told = doctor.outbox()
    assert told.result == "fail"
    assert "1 × outbox-key-missing (test.matter:3), 1 × signature-wrong (test.thing:7)" in told.en


def test_doctor_says_which_outcomes_nobody_takes(own_node: Reader) -> None:
    row = enqueue(PSB, type_record())
    relay.settle([row])
    OutboxRow.objects.filter(pk=row).update(delivered=False, attempts=6, reason="ConnectError")
    told = doctor.outbox()
    assert (told.result, told.en) == ("warn", "Outcomes fail to be delivered: 1 × ConnectError (test.thing:1).")


def test_doctor_says_that_the_ledger_is_behind(own_node: Reader) -> None:
    relay.settle([enqueue(PSB, type_record())])
    assert doctor.ledger().result == "ok"
    node.close()
    old = {name: (node.directory() / name).read_bytes() for name in (store.FILE, newest.FILE)}
    relay.settle([enqueue(PSB, issue_record())])
    node.close()
    (node.directory() / store.FILE).write_bytes(old[store.FILE])
    told = doctor._run("ledger", doctor.ledger)
    assert told.result == "fail"
    assert "ledger-behind" in told.en


@pytest.mark.parametrize(
    ("attempts", "pause"), [(0, 0.5), (1, 1.0), (5, 16.0), (9, 256.0), (10, 300.0), (40, 300.0), (5000, 300.0)]
)
def test_a_listener_that_fails_is_tried_less_and_less_often(own_node: Reader, attempts: int, pause: float) -> None:
    def listener(outcome: Outcome) -> None:
        raise httpx.ConnectError("down")

    relay.on_outcome("test.thing", listener)
    row = OutboxRow.objects.get(pk=enqueue(PSB, type_record()))
    row.state, row.code, row.attempts = OutboxRow.State.REFUSED, "not-accredited", attempts
    row.save()
    assert delivery.claim(row)
    begun = time.time()
    assert not delivery.deliver(row)
    row.refresh_from_db()
    assert begun + pause <= row.next_attempt <= time.time() + pause
    assert row.reason == "ConnectError"


def test_a_listener_that_fails_holds_up_nobody(own_node: Reader) -> None:
    def unreachable(outcome: Outcome) -> None:
        raise httpx.ConnectError("down")

    told: list[int] = []
    relay.on_outcome("test.deaf", unreachable)
    relay.on_outcome("test.thing", lambda outcome: told.append(outcome.id))
    enqueue(PSB, type_record(), "test.deaf:1")
    rows = [enqueue(PSB, issue_record()) for _ in range(3)]
    assert [each.state for each in relay.settle(rows)] == ["final"] * 3
    assert told == rows
