"""From outbox rows to signed transactions to outcomes: the relay's write path.

    sign_pending    reserve sequences          a crash here only skips numbers
                    sign                       nothing durable
                    store the signed bytes     durable: from now on exactly these are sent
    send_signed     submit to the engine       durable in the ledger once answered
                    store the outcomes         durable here; a crash before finds them in the ledger

Rows go in the order they were written; a batch is a run of rows by one agency, so that a record never
overtakes one it depends on. Only the process that owns the engine runs this, one thread at a time.

A key rotated while a batch is in flight: the ledger says `key-retired`. What was signed is signed anew by the new key
only if the committed ledger has retired the old one (numbers only rise, so those bytes can never be taken any more)
and, looked up after that, does not hold the transaction (it may have been taken before, and the answer lost). Rows of
the agency wait until everything its former key signed is decided; nothing is signed beyond a vote before its outcome.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import groupby

from django.db import transaction
from django.db.models import F, QuerySet

from gov_chain.clock import now
from gov_chain.core.errors import GovChainError
from gov_chain.keys import KeyStoreError
from gov_chain.ledger import node, node_keys, outbox
from gov_chain.ledger.core import records
from gov_chain.ledger.core import transaction as wire
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed, Engine
from gov_chain.ledger.models import NodeKey, OutboxRow, SignedTransaction
from gov_chain.ledger.reader import Reader

log = logging.getLogger(__name__)

VALIDITY = 120
"""Seconds after signing until which the ledger may accept a transaction."""
MAX_BATCH = 1024
MAX_BATCH_BYTES = wire.MAX_BYTES // 2
AT_ONCE = 4096
MAX_IN_FLIGHT = 128
"""Transactions sent in one pass: fewer than an engine refuses for being too many, so that none overtakes another."""
MAX_IN_FLIGHT_BYTES = 3 << 19

TRANSIENT = frozenset(
    {
        "sequencer-stopped",
        "checkpoint-unsigned",
        "clock-jumped",
        "rules-unknown",
        "consortium-busy",
        "consortium-waiting",
        "another-consortium",
    }
)
"""The ledger is not writing now: send the same bytes again later."""
NO_KEY = frozenset({"outbox-key-missing", "key-store-unknown"})
"""This node does not sign for the agency at all."""
ITS_OWN = frozenset({"key-missing", "key-exposed", "key-store-denied", "key-version-refused"})
"""The key store refuses one key: its agency's rows wait, with this reason, and others go on. Any other of its errors is
about the store: everything waits."""
AGAIN = frozenset({"transaction-expired", "sequence-used", "sequence-too-old", "sequence-too-far"})
"""These bytes can never be accepted, others with the same records can: sign anew."""
RETIRED = "key-retired"
"""The same, once the committed ledger says so of the key."""
VOTES = frozenset({records.PROPOSE, records.VOTE})
"""Records that may change whose keys sign."""


def sign_pending() -> int:
    """Sign what waits in the outbox, in its order; the number of rows signed or set aside."""
    pending = OutboxRow.objects.filter(state=OutboxRow.State.PENDING)
    rows = list(pending.order_by("pk")[:AT_ONCE])
    reader = node.ledger()
    waiting: set[int] = set()
    for agency, batch in _batches(rows):
        if agency in waiting:
            continue
        try:
            key = node_keys.in_force(agency, reader)
            if node_keys.former_key_undecided(key):
                break
            _sign(key, batch)
            if any(records.parse(bytes(row.record)).kind in VOTES for row in batch):
                outbox.committed.set()  # The rest goes out in the next pass, which need not wait to be woken.
                break
        except GovChainError as error:
            if error.code in NO_KEY:
                _set_aside(batch, "outbox-key-missing", error.code)
            elif not isinstance(error, KeyStoreError):
                raise
            elif error.code in ITS_OWN:
                waiting.add(agency)
                _wait(pending.filter(agency=agency), error.code)
            else:
                _wait(pending, error.code)
                break
    return len(rows)


def send_signed(engine: Engine, reader: Reader) -> int:
    """Submit every signed transaction and store what became of it; the number of rows that got an outcome."""
    signed_rows = SignedTransaction.objects.filter(state=SignedTransaction.State.SIGNED).order_by("pk")
    waiting: list[SignedTransaction] = []
    size = 0
    for signed in signed_rows[:MAX_IN_FLIGHT]:
        size += len(signed.body)
        if waiting and size > MAX_IN_FLIGHT_BYTES:
            break
        waiting.append(signed)
    futures = [(signed, engine.submit(bytes(signed.body))) for signed in waiting]
    done = 0
    for signed, future in futures:
        try:
            done += _store_outcome(signed, future.result(), reader)
        except LedgerError as error:
            done += _refused(signed, error, engine, reader)
    return done


def _batches(rows: Sequence[OutboxRow]) -> list[tuple[int, list[OutboxRow]]]:
    found: list[tuple[int, list[OutboxRow]]] = []
    for agency, run in groupby(rows, key=lambda row: row.agency):
        batch: list[OutboxRow] = []
        size = 0
        for row in run:
            if batch and (len(batch) == MAX_BATCH or size + len(row.record) > MAX_BATCH_BYTES):
                found.append((agency, batch))
                batch, size = [], 0
            batch.append(row)
            size += len(row.record)
        found.append((agency, batch))
    return found


def _sign(key: NodeKey, batch: list[OutboxRow]) -> None:
    signer = node_keys.signer(key)
    NodeKey.objects.filter(agency=key.agency).update(next_sequence=F("next_sequence") + 1)
    sequence, valid_until = key.next_sequence, now() + VALIDITY
    body = wire.build(
        ledger_id=node.ledger().ledger_id,
        agency=key.agency,
        key_no=key.key_no,
        sequence=sequence,
        valid_until=valid_until,
        records=[bytes(row.record) for row in batch],
        sign=signer.sign,
    )
    with transaction.atomic(durable=True):
        signed = SignedTransaction.objects.create(
            agency=key.agency, key_no=key.key_no, sequence=sequence, body=body, valid_until=valid_until
        )
        for position, row in enumerate(batch):
            row.transaction, row.position, row.state, row.reason = signed, position, OutboxRow.State.SIGNED, ""
        OutboxRow.objects.bulk_update(batch, ["transaction", "position", "state", "reason"])


def _wait(rows: QuerySet[OutboxRow], reason: str) -> None:
    """Say why they wait, for `condition` and through it `govchain doctor`; written once, however often it is tried."""
    rows.exclude(reason=reason).update(reason=reason)


def _store_outcome(signed: SignedTransaction, committed: Committed, reader: Reader) -> int:
    rows = list(signed.rows.order_by("position"))
    for row in rows:
        assert row.position is not None
        row.reason = ""
        index = committed.positions[row.position]
        if index is None:
            row.state, row.code = OutboxRow.State.REFUSED, committed.refused[row.position]
        else:
            row.state, row.index, row.receipt = OutboxRow.State.FINAL, index, reader.receipt(index)
    with transaction.atomic(durable=True):
        OutboxRow.objects.bulk_update(rows, ["state", "code", "index", "receipt", "reason"])
        signed.state = SignedTransaction.State.FINAL
        signed.save(update_fields=["state"])
    return len(rows)


def _refused(signed: SignedTransaction, error: LedgerError, engine: Engine, reader: Reader) -> int:
    """The ledger refused a transaction whole. It may be one that is in the log already, sent before a crash."""
    if error.code in TRANSIENT:
        _wait(signed.rows.all(), str(error.values.get("reason", error.code)))
        return 0
    if error.code == RETIRED and not node_keys.retired_for_good(signed.agency, signed.key_no, reader):
        return 0  # Judged in a block that was not written after all, or is not yet: the same bytes again.
    if error.code in AGAIN or error.code == RETIRED:
        committed = engine.outcome(bytes(signed.body))
        if committed is not None:
            return _store_outcome(signed, committed, reader)
        return _sign_anew(signed, error, reader)
    log.error("ledger: transaction %s/%s set aside: %s", signed.agency, signed.sequence, error)
    _set_aside(list(signed.rows.all()), error.code, error.code)
    SignedTransaction.objects.filter(pk=signed.pk).update(state=SignedTransaction.State.REFUSED, code=error.code)
    return 1


def _sign_anew(signed: SignedTransaction, error: LedgerError, reader: Reader) -> int:
    """Its rows go back to the outbox; the next sequence lies beyond what the ledger has seen."""
    highest = reader.highest_sequence(signed.agency, signed.key_no)
    with transaction.atomic(durable=True):
        key = NodeKey.objects.select_for_update().get(agency=signed.agency)
        if key.key_no == signed.key_no:
            if error.code == "sequence-too-far":
                key.next_sequence = highest + 1
            key.next_sequence = max(key.next_sequence, highest + 1)
            key.save(update_fields=["next_sequence"])
        SignedTransaction.objects.filter(pk=signed.pk).update(state=SignedTransaction.State.REFUSED, code=error.code)
        signed.rows.update(state=OutboxRow.State.PENDING, transaction=None, position=None)
    return 0


def _set_aside(rows: Sequence[OutboxRow], code: str, reason: str) -> None:
    """Not judged by the ledger: kept with the reason for the operator, told to the listener as refused."""
    with transaction.atomic(durable=True):
        for row in rows:
            row.state, row.code, row.reason = OutboxRow.State.ASIDE, code, reason
            row.transaction = row.position = None
        OutboxRow.objects.bulk_update(rows, ["state", "code", "reason", "transaction", "position"])
