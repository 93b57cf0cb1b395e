"""A node whose keys are in Vault: while it is away records wait with the reason; all goes on after, by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from gov_chain import doctor, keys, vault_server
from gov_chain.ledger import batches, condition, delivery, node, outbox, relay
from gov_chain.ledger.core import records
from gov_chain.ledger.models import OutboxRow, SignedTransaction
from tests.keys.conftest import Real
from tests.ledger.town import GENESIS, PSB

NOTE = records.evidence(evidence=1, digest=bytes(range(32)))
AGENCIES = ["psb", "data"]


@pytest.fixture
def own_node(
    real: Real, settings: Settings, tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, data=tmp_path, keys="vault", vault=real.access)
    monkeypatch.setattr(delivery, "_listeners", {})
    keys.create("vault:psb/ledger", "EdDSA")
    ledger_key = keys.signer("vault:psb/ledger").public_key
    agencies = [
        dataclasses.replace(each, ledger_key=ledger_key) if each.number == PSB else each for each in GENESIS.agencies
    ]
    node.found(agencies=agencies, accreditations=GENESIS.accreditations)
    node.host(PSB, signer="vault:psb/ledger")
    yield
    vault_server.start(real.folder, agencies=AGENCIES)
    relay.stop()


def enqueue() -> int:
    return outbox.enqueue(agency=PSB, record=NOTE, subject="test.note:1")


def seal(real: Real) -> None:
    vault_server.seal(real.folder)


def kill(real: Real) -> None:
    vault_server.stop(real.folder, kill=True)


@pytest.mark.parametrize(
    ("take_away", "code"), [(seal, "key-store-sealed"), (kill, "key-store-unreachable")], ids=["sealed", "killed"]
)
def test_records_wait_with_the_reason_and_go_out_afterwards(
    own_node: None, real: Real, take_away: Callable[[Real], None], code: str
) -> None:
    (before,) = relay.settle([enqueue()])
    assert before.state == "final"
    take_away(real)
    row = enqueue()
    (outcome,) = relay.settle([row], timeout=1.0)
    assert outcome.state == "pending"
    assert SignedTransaction.objects.count() == 1
    (held,) = condition.held_back()
    assert (held.reason, held.count) == (code, 1)
    told = doctor.outbox()
    assert told.result == "warn"
    assert code in told.en
    assert told.next_en
    # What is known is read.
    assert node.ledger().receipt(before.index or 0) == before.receipt
    vault_server.start(real.folder, agencies=AGENCIES)
    (outcome,) = relay.settle([row], timeout=20.0)
    assert outcome.state == "final"
    assert condition.held_back() == []


def test_a_block_whose_checkpoint_cannot_be_signed_is_not_written(own_node: None, real: Real) -> None:
    """The batch is signed already; only the checkpoint's signature is missing."""
    node.engine()
    row = enqueue()
    batches.sign_pending()
    size = node.ledger().size
    seal(real)
    (outcome,) = relay.settle([row], timeout=1.0)
    assert (outcome.state, node.ledger().size) == ("pending", size)
    assert [held.reason for held in condition.held_back()] == ["key-store-sealed"]
    vault_server.start(real.folder, agencies=AGENCIES)
    (outcome,) = relay.settle([row], timeout=20.0)
    assert outcome.state == "final"
    assert SignedTransaction.objects.count() == 1, "the very bytes that were signed before"


def test_a_key_the_node_may_not_use_holds_back_its_agency_alone(own_node: None, real: Real) -> None:
    with vault_server.operator(real.folder) as operator:
        operator.policy("govchain-keys-psb", 'path "govchain/psb/keys/+" { capabilities = ["read"] }')
    row = enqueue()
    (outcome,) = relay.settle([row], timeout=1.0)
    assert outcome.state == "pending"
    assert OutboxRow.objects.get(pk=row).reason == "key-store-denied"
    vault_server.role(real.folder, vault_server.ROLE, [*AGENCIES, *vault_server.OWN_GROUPS])
    (outcome,) = relay.settle([row], timeout=20.0)
    assert outcome.state == "final"


def test_doctor_says_who_is_logged_in_with_what(own_node: None) -> None:
    told = doctor._vault()
    assert "govchain-keys-psb" in told
