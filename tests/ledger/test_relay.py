"""Outbox and relay: from a row to a receipt, through every crash and refusal in between."""

import dataclasses
import secrets

import httpx
import pytest
import time_machine
from django.db import transaction

from gov_chain import keys
from gov_chain.clock import now
from gov_chain.ledger import batches, delivery, node, outbox, relay, store
from gov_chain.ledger.core import receipt, records
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.models import NodeKey, OutboxRow, SignedTransaction
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.relay import Outcome
from tests.ledger.town import (
    HOME,
    PSB,
    STREET,
    approval,
    grant_record,
    issue_record,
    matter_record,
    type_record,
    usage_record,
)


def enqueue(agency: int, record: bytes, subject: str = "test.thing:1") -> int:
    with transaction.atomic():
        return outbox.enqueue(agency=agency, record=record, subject=subject)


def register() -> None:
    rows = [enqueue(PSB, type_record()), enqueue(STREET, matter_record()), enqueue(PSB, approval())]
    assert [each.state for each in relay.settle(rows)] == ["final"] * 3


def test_a_row_becomes_final_with_a_receipt_anyone_can_check(own_node: Reader) -> None:
    (outcome,) = relay.settle([enqueue(PSB, type_record())])
    assert (outcome.state, outcome.code, outcome.subject) == ("final", "", "test.thing:1")
    assert outcome.receipt is not None
    assert receipt.verify(outcome.receipt, own_node.vkey).index == outcome.index


def test_a_row_the_ledger_refuses_comes_back_with_the_code(own_node: Reader) -> None:
    (outcome,) = relay.settle([enqueue(HOME, type_record())])
    assert (outcome.state, outcome.code, outcome.index, outcome.receipt) == ("refused", "not-accredited", None, None)


def test_rows_of_several_agencies_keep_their_order(own_node: Reader) -> None:
    secret = secrets.token_bytes(32)
    rows = [
        enqueue(PSB, type_record()),
        enqueue(STREET, matter_record()),
        enqueue(PSB, approval()),
        enqueue(HOME, grant_record(secret, time=now())),
        enqueue(STREET, usage_record(secret)),
        enqueue(HOME, records.withdraw(secret=secret)),
    ]
    assert [each.state for each in relay.settle(rows)] == ["final"] * 6


def test_rows_of_one_agency_share_a_transaction(own_node: Reader) -> None:
    register()
    before = SignedTransaction.objects.count()
    outcomes = relay.settle([enqueue(PSB, issue_record()) for _ in range(50)])
    assert {each.state for each in outcomes} == {"final"}
    assert SignedTransaction.objects.count() == before + 1


def test_a_malformed_record_does_not_enter_the_outbox(own_node: Reader) -> None:
    with pytest.raises(LedgerError, match="record-malformed"), transaction.atomic():
        outbox.enqueue(agency=PSB, record=b"\xff", subject="test.thing:1")


def test_a_row_whose_action_was_rolled_back_is_never_sent(own_node: Reader) -> None:
    with transaction.atomic():
        outbox.enqueue(agency=PSB, record=type_record(), subject="test.thing:1")
        transaction.set_rollback(True)
    assert relay.drain() == 0
    assert own_node.size == 1


def test_waiting_inside_a_transaction_is_refused(own_node: Reader) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        relay.settle([outbox.enqueue(agency=PSB, record=type_record(), subject="test.thing:1")])


def test_the_listener_of_the_subject_is_told_once(own_node: Reader) -> None:
    told: list[Outcome] = []
    relay.on_outcome("test.thing", told.append)
    relay.on_outcome("test.other", lambda outcome: pytest.fail("not its subject"))
    outcomes = relay.settle([enqueue(PSB, type_record(), "test.thing:7")])
    relay.drain()
    assert told == outcomes


@pytest.mark.parametrize("error", [LedgerError("sequencer-stopped"), httpx.ConnectError("down")])
def test_a_listener_that_fails_is_told_again_later(own_node: Reader, error: Exception) -> None:
    told: list[int] = []

    def listener(outcome: Outcome) -> None:
        told.append(outcome.id)
        if len(told) < 3:
            raise error

    relay.on_outcome("test.thing", listener)
    row = enqueue(PSB, type_record())
    (outcome,) = relay.settle([row], timeout=0)
    assert outcome.state == "final"
    assert relay.drain() == 0, "not before its time"
    relay.settle([row], timeout=20)
    assert told == [row] * 3
    assert OutboxRow.objects.get(pk=row).delivered


def test_a_listener_may_itself_wait_for_the_ledger(own_node: Reader) -> None:
    register()
    inner: list[Outcome] = []
    relay.on_outcome("test.outer", lambda outcome: inner.extend(relay.settle([enqueue(PSB, issue_record())])))
    relay.settle([enqueue(PSB, issue_record(), "test.outer:1")])
    assert [each.state for each in inner] == ["final"]


def test_after_a_crash_before_sending_exactly_the_signed_bytes_are_sent(own_node: Reader) -> None:
    row = enqueue(PSB, type_record())
    batches.sign_pending()
    body = bytes(SignedTransaction.objects.get().body)
    node.close()
    (outcome,) = relay.settle([row])
    assert outcome.state == "final"
    assert bytes(SignedTransaction.objects.get().body) == body
    assert node.ledger().outcome(body) is not None


def test_after_a_crash_between_commit_and_outcome_nothing_is_written_twice(own_node: Reader) -> None:
    row = enqueue(PSB, type_record())
    batches.sign_pending()
    done = node.engine().submit(bytes(SignedTransaction.objects.get().body)).result(10)
    node.close()
    (outcome,) = relay.settle([row])
    assert (outcome.state, outcome.index) == ("final", done.positions[0])
    assert node.ledger().size == 3


def test_an_expired_transaction_is_signed_anew_and_only_then(own_node: Reader) -> None:
    row = enqueue(PSB, type_record())
    with time_machine.travel(now() - 280):
        batches.sign_pending()
    (outcome,) = relay.settle([row])
    assert outcome.state == "final"
    assert list(SignedTransaction.objects.values_list("state", "code", "sequence")) == [
        ("refused", "transaction-expired", 1),
        ("final", "", 2),
    ]
    assert own_node.size == 3


def test_sequences_lost_with_an_old_backup_are_skipped(own_node: Reader) -> None:
    register()
    SignedTransaction.objects.filter(agency=PSB).update(key_no=9)
    NodeKey.objects.update(next_sequence=1)
    (outcome,) = relay.settle([enqueue(PSB, issue_record())])
    assert outcome.state == "final"


def test_a_row_of_an_agency_not_hosted_here_is_set_aside_and_the_rest_go_on(own_node: Reader) -> None:
    NodeKey.objects.filter(agency=HOME).delete()
    rows = [enqueue(HOME, type_record()), enqueue(PSB, type_record())]
    stuck, fine = relay.settle(rows)
    assert (stuck.state, stuck.code) == ("refused", "outbox-key-missing")
    assert fine.state == "final"
    assert OutboxRow.objects.get(pk=rows[0]).state == "aside"


def test_a_transaction_the_ledger_cannot_trust_is_set_aside_and_the_rest_go_on(own_node: Reader) -> None:
    keys.create("local:stranger/ledger", "EdDSA")
    NodeKey.objects.filter(agency=HOME).update(signer="local:stranger/ledger")
    rows = [enqueue(HOME, type_record()), enqueue(PSB, type_record())]
    stuck, fine = relay.settle(rows)
    assert (stuck.state, stuck.code) == ("refused", "signature-wrong")
    assert fine.state == "final"


def test_a_stopped_ledger_leaves_rows_pending_and_finishes_them_later(own_node: Reader) -> None:
    row = enqueue(PSB, type_record())
    with time_machine.travel(now() + 3600):
        node.engine()
    node.close()
    node.engine()
    with time_machine.travel(now() + 3600):
        (outcome,) = relay.settle([row], timeout=0.2)
        assert outcome.state == "pending"
    (outcome,) = relay.settle([row])
    assert outcome.state == "final"


def test_a_node_whose_ledger_another_process_writes_waits_for_it(own_node: Reader) -> None:
    elsewhere = node.open_at(node.directory())
    row = enqueue(PSB, type_record())
    (outcome,) = relay.settle([row], timeout=0.2)
    assert outcome.state == "pending"
    elsewhere.close()
    (outcome,) = relay.settle([row])
    assert outcome.state == "final"


def test_a_row_whose_deliverer_died_is_due_again_after_its_lease(own_node: Reader) -> None:
    told: list[Outcome] = []
    relay.on_outcome("test.thing", told.append)
    row = enqueue(PSB, type_record())
    batches.sign_pending()
    batches.send_signed(node.engine(), own_node)
    assert delivery.claim(OutboxRow.objects.get(pk=row))
    assert relay.drain() == 0
    delivery.forget_leases()
    assert relay.drain() == 1
    assert len(told) == 1


def test_two_threads_never_deliver_one_row_at_once(own_node: Reader) -> None:
    row = OutboxRow.objects.get(pk=enqueue(PSB, type_record()))
    OutboxRow.objects.filter(pk=row.pk).update(state="refused", code="not-accredited")
    assert [delivery.claim(row), delivery.claim(row)] == [True, False]


def test_outcomes_are_of_the_rows_asked_for_in_their_order(own_node: Reader) -> None:
    rows = [enqueue(PSB, type_record(), f"test.thing:{each}") for each in range(3)]
    assert [each.id for each in relay.settle(reversed(rows))] == rows[::-1]


def test_a_record_too_many_for_one_batch_makes_two(own_node: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    monkeypatch.setattr(batches, "MAX_BATCH", 8)
    before = SignedTransaction.objects.count()
    relay.settle([enqueue(PSB, issue_record()) for _ in range(20)])
    assert SignedTransaction.objects.count() == before + 3


def test_outcomes_hold_nothing_changeable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outcome(1, "a", "final", "", None, None).state = "refused"  # type: ignore[misc]


def test_start_refuses_when_another_process_writes(own_node: Reader) -> None:
    elsewhere = node.open_at(node.directory())
    with pytest.raises(LedgerError, match="sequencer-running"):
        relay.start()
    elsewhere.close()


def test_the_event_of_a_commit_wakes_the_relay(own_node: Reader) -> None:
    outbox.committed.clear()
    with transaction.atomic():
        outbox.enqueue(agency=PSB, record=type_record(), subject="test.thing:1")
        assert not outbox.committed.is_set()
    assert outbox.committed.is_set()


def test_a_ledger_restored_from_an_old_backup_is_not_written(own_node: Reader) -> None:
    relay.settle([enqueue(PSB, type_record())])
    node.close()
    file = node.directory() / store.FILE
    old = file.read_bytes()
    relay.settle([enqueue(PSB, issue_record())])
    node.close()
    file.write_bytes(old)
    row = enqueue(PSB, issue_record())
    with pytest.raises(LedgerError, match="ledger-behind"):
        relay.drain()
    assert OutboxRow.objects.get(pk=row).state == "pending"
    assert file.read_bytes() == old
