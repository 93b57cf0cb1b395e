"""A key rotated while batches are in flight: each record is on the ledger once, whatever is killed when."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.db import transaction

from gov_chain import keys
from gov_chain.clock import now
from gov_chain.ledger import batches, fsck, node, node_keys, outbox, relay
from gov_chain.ledger.core import possession, proposals, records
from gov_chain.ledger.core import transaction as wire
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.models import NodeKey, OutboxRow, SignedTransaction
from gov_chain.ledger.reader import Reader
from tests.ledger.town import DIGEST, HOME, P256, PSB, STREET, issue_record, type_record


class Killed(BaseException):
    """The process ends here."""


def enqueue(agency: int, *batch: bytes) -> list[int]:
    with transaction.atomic():
        return [outbox.enqueue(agency=agency, record=each, subject="test.thing:1") for each in batch]


def rotation(agency: int, key_no: int = 2, *, make: bool = True) -> list[Any]:
    """The action; the new ledger key is in this node's store, unless it is said to be elsewhere."""
    uri = f"local:agency-{agency}/ledger-{key_no}" if make else f"local:elsewhere-{agency}/ledger-{key_no}"
    keys.create(uri, "EdDSA")
    ledger, issue, request = keys.signer(uri), P256(f"issue {uri}"), P256(f"request {uri}")
    action = [proposals.ROTATE, agency, key_no, ledger.public_key, issue.public_key, request.public_key]
    signers = [ledger.sign, issue.sign, request.sign]
    return possession.prove(action, node.ledger().ledger_id, signers=signers)


def send(agency: int, record: bytes) -> None:
    """As another node would: past this node's outbox, with sequences of its own."""
    key = NodeKey.objects.get(agency=agency)
    body = wire.build(
        ledger_id=node.ledger().ledger_id,
        agency=agency,
        key_no=key.key_no,
        sequence=node.ledger().highest_sequence(agency, key.key_no) + 500,
        valid_until=now() + 60,
        records=[record],
        sign=node_keys.signer(key).sign,
    )
    assert not node.engine().submit(body).result(10).refused


def rotate(agency: int = PSB, key_no: int = 2, **choices: bool) -> None:
    number = next((each.number for each in node.ledger().proposals(1)), 0) + 1
    action = rotation(agency, key_no, **choices)
    send(HOME, records.propose(proposal=number, action=action, expires=now() + 7200))
    send(STREET, records.vote(proposal=number, yes=True))
    assert node.ledger().agency(agency).key_no == key_no


def entries_of(reader: Reader, commitment: bytes) -> list[int]:
    found = reader.entries(kind=records.ISSUE, limit=1000)
    return [row.index for row in found if row.entry.values["commitment"] == commitment]


def kill_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool) -> None:
    """The process dies at the first call of a function: before it, or once it has done its work."""
    real: Callable[..., Any] = getattr(module, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Killed(name)

    with monkeypatch.context() as patched:
        patched.setattr(module, name, deadly)
        with pytest.raises(Killed):
            _drain_twice()
    node.close()


def _drain_twice() -> None:
    """To be judged, and to be signed anew."""
    relay.drain()
    relay.drain()


POINTS = {
    "before anything is judged": (batches, "send_signed", False),
    "judged retired, not yet back in the outbox": (batches, "_sign_anew", False),
    "back in the outbox": (batches, "_sign_anew", True),
    "the new key followed, nothing signed": (node_keys, "in_force", True),
    "signed anew, not stored": (wire, "build", True),
    "signed anew and stored": (batches, "_sign", True),
    "taken by the ledger, the answer lost": (batches, "_store_outcome", False),
    "the answer stored": (batches, "_store_outcome", True),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_batch_in_flight_under_the_old_key_lands_once(
    own_node: Reader, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    relay.settle(enqueue(PSB, type_record()))
    commitments = [secrets.token_bytes(32) for _ in range(3)]
    rows = enqueue(PSB, *map(issue_record, commitments))
    batches.sign_pending()
    rotate()
    module, name, after = POINTS[point]
    kill_at(monkeypatch, module, name, after=after)
    outcomes = relay.settle(rows)
    assert [each.state for each in outcomes] == ["final"] * 3
    reader = node.ledger()
    assert [entries_of(reader, each) for each in commitments] == [[each.index] for each in outcomes]
    assert NodeKey.objects.get(agency=PSB).key_no == 2
    assert set(SignedTransaction.objects.filter(agency=PSB, key_no=1).values_list("state", "code")) == {
        ("final", ""),
        ("refused", "key-retired"),
    }
    node.close()
    assert fsck.check(node.directory(), vkey=reader.vkey).findings == []


def test_what_the_ledger_took_before_the_rotation_is_not_signed_again(own_node: Reader) -> None:
    """The answer was lost, the key rotated, the same bytes sent again: the ledger says key-retired, and has it."""
    relay.settle(enqueue(PSB, type_record()))
    commitment = secrets.token_bytes(32)
    rows = enqueue(PSB, issue_record(commitment))
    batches.sign_pending()
    body = bytes(SignedTransaction.objects.get(state="signed").body)
    done = node.engine().submit(body).result(10)
    rotate()
    node.close()
    (outcome,) = relay.settle(rows)
    assert (outcome.state, outcome.index) == ("final", done.positions[0])
    assert entries_of(node.ledger(), commitment) == [outcome.index]


class Hasty:
    """An engine that judged in a block which was then not written."""

    def submit(self, body: bytes) -> Future[Committed]:
        answer: Future[Committed] = Future()
        answer.set_exception(LedgerError("key-retired"))
        return answer

    def outcome(self, body: bytes) -> Committed | None:
        return None

    def close(self) -> None: ...


def test_only_a_committed_rotation_counts(own_node: Reader) -> None:
    rows = enqueue(PSB, type_record())
    batches.sign_pending()
    body = bytes(SignedTransaction.objects.get().body)
    assert batches.send_signed(Hasty(), own_node) == 0
    assert SignedTransaction.objects.get().state == "signed"
    (outcome,) = relay.settle(rows)
    assert outcome.state == "final"
    assert own_node.outcome(body) is not None


def test_records_keep_their_order_across_a_rotation(own_node: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each depends on the one before, in a transaction of its own; some signed by the old key, some after."""
    monkeypatch.setattr(batches, "MAX_BATCH", 1)
    versions = [type_record(version=each) for each in range(1, 7)]
    rows = enqueue(PSB, *versions[:4])
    batches.sign_pending()
    rotate()
    rows += enqueue(PSB, *versions[4:])
    outcomes = relay.settle(rows)
    assert [each.code for each in outcomes] == [""] * 6
    indexes = [each.index for each in outcomes]
    assert indexes == sorted(indexes, key=lambda index: index or 0)


def test_a_rotation_voted_through_this_nodes_own_outbox(own_node: Reader) -> None:
    """What stands behind the deciding vote in the outbox is signed by the key the vote brings."""
    rows = enqueue(PSB, type_record())
    rows += enqueue(HOME, records.propose(proposal=1, action=rotation(PSB), expires=now() + 7200))
    rows += enqueue(STREET, records.vote(proposal=1, yes=True))
    rows += enqueue(PSB, issue_record(), issue_record())
    assert [each.state for each in relay.settle(rows)] == ["final"] * 5
    assert list(SignedTransaction.objects.filter(agency=PSB).values_list("key_no", "state", "sequence")) == [
        (1, "final", 1),
        (2, "final", 1),
    ]


def test_a_key_rotated_twice_while_the_node_slept(own_node: Reader) -> None:
    relay.settle(enqueue(PSB, type_record()))
    rows = enqueue(PSB, issue_record())
    batches.sign_pending()
    rotate()
    rotate(key_no=3)
    (outcome,) = relay.settle(rows)
    assert outcome.state == "final"
    assert NodeKey.objects.get(agency=PSB).key_no == 3


def test_without_the_new_key_nothing_is_signed_by_the_old_one(own_node: Reader) -> None:
    relay.settle(enqueue(PSB, type_record()))
    rotate(make=False)
    rows = [*enqueue(PSB, issue_record()), *enqueue(HOME, records.evidence(evidence=1, digest=DIGEST))]
    stuck, fine = relay.settle(rows)
    assert (stuck.state, stuck.code) == ("refused", "outbox-key-missing")
    assert fine.state == "final"
    assert OutboxRow.objects.get(pk=rows[0]).state == "aside"
    assert not SignedTransaction.objects.filter(agency=PSB, state="signed").exists()


def test_a_node_that_starts_again_keeps_the_key_in_force(own_node: Reader) -> None:
    rotate()
    relay.settle(enqueue(PSB, type_record()))
    node.host(PSB, signer="local:agency-1/ledger")
    assert NodeKey.objects.get(agency=PSB).key_no == 2
    (outcome,) = relay.settle(enqueue(PSB, issue_record()))
    assert outcome.state == "final"


def test_a_database_from_before_the_rotation_repeats_no_sequence(own_node: Reader) -> None:
    before = list(NodeKey.objects.values("agency", "key_no", "next_sequence"))
    rotate()
    relay.settle(enqueue(PSB, type_record()))
    for row in before:
        NodeKey.objects.filter(agency=row["agency"]).update(key_no=row["key_no"], next_sequence=row["next_sequence"])
    (outcome,) = relay.settle(enqueue(PSB, issue_record()))
    assert outcome.state == "final"
    assert NodeKey.objects.get(agency=PSB).next_sequence == 3
