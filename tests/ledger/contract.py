"""What every engine must do, whatever decides its order. Subclasses bring a `town` fixture.

The names of the tests are the contract; run against the embedded engine in `test_embedded.py`.
"""

import secrets
from concurrent.futures import Future, ThreadPoolExecutor

import cbor2
import pytest

from gov_chain.ledger import fsck
from gov_chain.ledger.core import checkpoint, receipt, records, transaction, tree
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from tests.ledger.town import (
    DIGEST,
    HOME,
    PSB,
    START,
    STREET,
    VERIFIER,
    Town,
    grant_record,
    issue_record,
    secret_key,
    type_record,
    usage_record,
)


def refusal(future: Future[Committed], timeout: float = 10) -> str:
    with pytest.raises(LedgerError) as caught:
        future.result(timeout)
    return caught.value.code


class EngineContract:
    def refused_whole(self, town: Town, body: bytes) -> str:
        """The code a transaction is refused with; nothing is written."""
        before = town.reader.size, town.reader.checkpoint()
        code = refusal(town.engine.submit(body))
        assert (town.reader.size, town.reader.checkpoint()) == before
        return code

    def test_an_accepted_record_is_provable_at_once(self, town: Town) -> None:
        done = town.submit(PSB, type_record())
        assert done.positions == (2,)
        assert receipt.verify(town.reader.receipt(2), VERIFIER.vkey).kind == "type"

    def test_a_record_that_breaks_a_rule_is_refused_alone(self, town: Town) -> None:
        town.register()
        good, bad = issue_record(), usage_record(b"x" * 32)
        done = town.submit(PSB, good, bad, b"\xff", good, issue_record())
        assert done.refused == {1: "grant-unknown", 2: "record-malformed", 3: "commitment-taken"}
        assert [at is None for at in done.positions] == [False, True, True, True, False]
        assert town.reader.size == done.first + 3

    def test_order_inside_a_batch_is_kept(self, town: Town) -> None:
        town.register()
        secret = secrets.token_bytes(32)
        done = town.submit(HOME, records.withdraw(secret=secret), grant_record(secret), records.withdraw(secret=secret))
        assert done.refused == {0: "grant-unknown"}

    def test_order_between_submissions_is_kept(self, town: Town) -> None:
        town.register()
        secret = secrets.token_bytes(32)
        first = town.engine.submit(town.signed(HOME, grant_record(secret)))
        second = town.engine.submit(town.signed(STREET, usage_record(secret)))
        assert not first.result(10).refused
        assert not second.result(10).refused

    def test_the_same_transaction_again_is_refused_and_its_outcome_is_found(self, town: Town) -> None:
        body = town.signed(PSB, type_record(), type_record())
        assert town.engine.outcome(body) is None
        done = town.engine.submit(body).result(10)
        assert self.refused_whole(town, body) == "sequence-used"
        assert town.engine.outcome(body) == done

    def test_twice_in_flight_counts_once(self, town: Town) -> None:
        body = town.signed(PSB, type_record())
        one, two = town.engine.submit(body), town.engine.submit(body)
        assert not one.result(10).refused
        assert refusal(two) == "sequence-used"

    def test_sequences_may_arrive_out_of_order_within_the_window(self, town: Town) -> None:
        town.register()
        for sequence in (1000, 30, 31, 1024, 29):
            body = town.signed(PSB, issue_record(), sequence=sequence)
            assert not town.engine.submit(body).result(10).refused
        for sequence, code in ((30, "sequence-used"), (1024 + 1025, "sequence-too-far"), (0, "sequence-too-old")):
            assert self.refused_whole(town, town.signed(PSB, issue_record(), sequence=sequence)) == code

    def test_a_transaction_by_a_foreign_key_is_refused(self, town: Town) -> None:
        body = transaction.build(
            ledger_id=town.ledger_id,
            agency=PSB,
            key_no=1,
            sequence=1,
            valid_until=START + 60,
            records=[type_record()],
            sign=secret_key(HOME).sign,
        )
        assert self.refused_whole(town, body) == "signature-wrong"

    def test_a_transaction_of_another_ledger_is_refused(self, town: Town) -> None:
        body = transaction.build(
            ledger_id=DIGEST,
            agency=PSB,
            key_no=1,
            sequence=1,
            valid_until=START + 60,
            records=[type_record()],
            sign=secret_key(PSB).sign,
        )
        assert self.refused_whole(town, body) == "ledger-id-wrong"

    def test_an_unknown_agency_or_key_is_refused(self, town: Town) -> None:
        assert self.refused_whole(town, town.signed(9, type_record())) == "key-unknown"
        assert self.refused_whole(town, town.signed(PSB, type_record(), key_no=2)) == "key-unknown"

    def test_valid_until_is_held_to(self, town: Town) -> None:
        late = town.signed(PSB, type_record(), valid_until=START - 1)
        assert self.refused_whole(town, late) == "transaction-expired"
        early = town.signed(PSB, type_record(), valid_until=START + transaction.MAX_VALIDITY + 1)
        assert self.refused_whole(town, early) == "valid-until-too-far"

    def test_altered_transactions_are_refused(self, town: Town) -> None:
        header, signature, batch = cbor2.loads(town.signed(PSB, type_record()))
        altered = {
            "root-wrong": [header, signature, [*batch, issue_record()]],
            "signature-wrong": [header, bytes(64), batch],
            "transaction-malformed": [header + b"\x00", signature, batch],
        }
        for code, parts in altered.items():
            assert self.refused_whole(town, cbor2.dumps(parts)) == code
        assert self.refused_whole(town, cbor2.dumps([header, signature, [1]])) == "transaction-malformed"
        assert self.refused_whole(town, b"junk") == "transaction-malformed"

    def test_oversized_transactions_are_refused(self, town: Town) -> None:
        assert self.refused_whole(town, bytes(transaction.MAX_BYTES + 1)) == "transaction-too-large"
        many = cbor2.dumps([b"", bytes(64), [b""] * (transaction.MAX_RECORDS + 1)])
        assert self.refused_whole(town, many) == "transaction-too-large"

    def test_a_flood_of_refused_records_leaves_nothing(self, town: Town) -> None:
        town.register()
        flood = [usage_record(b"x" * 32)] * 1025
        assert self.refused_whole(town, town.signed(STREET, *flood)) == "too-many-refused"
        town.sequences[STREET] -= 1
        assert not town.submit(STREET, *flood[:1024]).positions.count(0)

    def test_many_submitters_share_blocks_and_all_are_answered(self, town: Town) -> None:
        town.register()
        bodies = [town.signed(PSB, issue_record()) for _ in range(200)]
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda body: town.engine.submit(body).result(30), bodies))
        assert len({each.positions[0] for each in done}) == 200
        assert town.reader.size == 7 + 400

    def test_block_time_never_goes_back(self, town: Town) -> None:
        town.clock.pass_time(100)
        first = town.submit(PSB, type_record())
        town.clock.now -= 3600
        body = town.signed(PSB, type_record(version=2), valid_until=START + 160)
        assert town.engine.submit(body).result(10).time == first.time

    def test_checkpoints_extend_each_other(self, town: Town) -> None:
        town.register()
        before = checkpoint.verify(town.reader.checkpoint(), VERIFIER)
        town.submit(PSB, *(issue_record() for _ in range(300)))
        after = checkpoint.verify(town.reader.checkpoint(), VERIFIER)
        tree.verify_consistency(
            first=before.size,
            second=after.size,
            first_root=before.root,
            second_root=after.root,
            proof=town.reader.consistency(before.size, after.size),
        )

    def test_a_restart_loses_nothing(self, town: Town) -> None:
        town.register()
        secret = town.grant()
        signed = town.reader.checkpoint()
        town.engine.close()
        assert refusal(town.engine.submit(town.signed(PSB, issue_record()))) == "sequencer-stopped"
        town.open()
        assert town.reader.checkpoint() == signed
        assert not town.submit(STREET, usage_record(secret)).refused

    def test_the_state_is_what_the_entries_make(self, town: Town) -> None:
        town.register()
        secret = town.grant(uses=1)
        town.submit(STREET, usage_record(secret), usage_record(secret))
        town.submit(HOME, records.withdraw(secret=secret))
        report = fsck.check(town.directory, vkey=VERIFIER.vkey)
        assert report.findings == []
        assert report.entries == town.reader.size
