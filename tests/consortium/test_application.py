"""The application through its socket, asked as CometBFT would, and as a liar would."""

import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from gov_chain.ledger import fsck
from gov_chain.ledger.abci import admission, chain, messages
from gov_chain.ledger.abci.codes import CODES
from gov_chain.ledger.core import records, transaction
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import Reader
from tests.consortium.door import Door, request
from tests.ledger.town import (
    DIGEST,
    HOME,
    PSB,
    START,
    STREET,
    VERIFIER,
    grant_record,
    issue_record,
    secret_key,
    type_record,
    usage_record,
)

BAD = sorted(
    {
        "transaction-malformed", "transaction-too-large", "root-wrong", "ledger-id-wrong", "key-unknown",
        "signature-wrong", "sequence-used", "sequence-too-far", "transaction-expired", "valid-until-too-far",
    }
)  # fmt: skip


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "ledger")
    yield made
    made.close()


def bad(door: Door, code: str) -> bytes:
    """A transaction that is refused whole with `code`. One with sequence 1 of the first agency was committed before."""

    def built(**changes: object) -> bytes:
        values: dict[str, object] = {
            "ledger_id": door.ledger_id,
            "agency": PSB,
            "key_no": 1,
            "sequence": 50,
            "valid_until": door.time + 60,
            "records": [type_record(version=2)],
            "sign": secret_key(PSB).sign,
        }
        return transaction.build(**(values | changes))  # type: ignore[arg-type]

    good = built()
    return {
        "transaction-malformed": good[:-1],
        "transaction-too-large": bytes(transaction.MAX_BYTES + 1),
        "root-wrong": good[:-1] + bytes([good[-1] ^ 1]),
        "ledger-id-wrong": built(ledger_id=DIGEST),
        "key-unknown": built(agency=9),
        "signature-wrong": built(sign=secret_key(HOME).sign),
        "sequence-used": built(sequence=1),
        "sequence-too-far": built(sequence=9999),
        "transaction-expired": built(valid_until=door.time - 1),
        "valid-until-too-far": built(valid_until=door.time + transaction.MAX_VALIDITY + 1),
    }[code]


def test_a_handshake_before_the_first_block_names_no_block(door: Door) -> None:
    info = door.ask("info")
    assert (info.last_block_height, info.last_block_app_hash, info.app_version) == (0, b"", chain.APP_VERSION)
    assert door.init_chain().app_hash == door.replica.head.app_hash
    assert door.ask("echo", message="你好").message == "你好"


def test_a_node_of_another_consortium_says_so_and_stops(door: Door) -> None:
    door.connection.send(
        request(
            "init_chain",
            chain_id=chain.chain_id(DIGEST),
            app_state_bytes=b'{"ledger_id": "%s"}' % DIGEST.hex().encode(),
        )
    )
    assert "another-consortium" in door.connection.answer().exception.error
    door._thread.join(10)
    (error,) = door.failed
    assert isinstance(error, LedgerError)
    assert error.code == "another-consortium"
    assert "genesis.json" in error.fix_en


@pytest.mark.parametrize("state", [b"", b"null", b"[" * 100_000, b'{"ledger_id": 7}', b"\xff"])
def test_a_genesis_file_that_says_nothing_of_the_ledger_is_refused(state: bytes) -> None:
    with pytest.raises(LedgerError, match="another-consortium"):
        chain.check(ledger_id=DIGEST, chain=chain.chain_id(DIGEST), state=state)


def test_the_chain_id_fits_cometbft() -> None:
    assert len(chain.chain_id(DIGEST)) <= 50


@pytest.mark.parametrize("code", BAD)
def test_a_bad_transaction_is_refused_everywhere_with_its_code(door: Door, code: str) -> None:
    door.block(door.signed(PSB, type_record()))
    size, height = door.replica.head.size, door.height
    tx, good = bad(door, code), door.signed(PSB, issue_record())
    checked = door.check(tx)
    assert (checked.code, checked.log, checked.codespace) == (CODES[code], code, "govchain")
    assert door.prepare(tx, good) == [good]
    assert door.process(good, tx) == messages.REJECT
    assert door.process(good) == messages.ACCEPT
    assert [each.code for each in door.finalize(tx, good).tx_results] == [CODES[code], 0]
    assert (door.replica.head.size, door.height) == (size, height), "nothing was written"
    door.ask("commit")
    assert door.replica.head.size == size + 2


def test_codes_on_the_wire_are_distinct() -> None:
    assert len(set(CODES.values())) == len(CODES)
    assert 0 not in CODES.values()


def test_a_transaction_twice_in_a_block_is_no_honest_proposal(door: Door) -> None:
    one = door.signed(PSB, type_record())
    assert door.prepare(one, one) == [one]
    assert door.process(one, one) == messages.REJECT
    assert [each.code for each in door.block(one, one).tx_results] == [0, CODES["sequence-used"]]
    assert door.check(one).code == CODES["sequence-used"]


def test_an_idle_chain_is_not_behind_the_clock_in_its_mempool(door: Door) -> None:
    door.time += 10 * 86400
    assert door.check(door.signed(PSB, type_record())).code == 0


def test_a_proposal_keeps_within_its_bytes_and_in_order(door: Door) -> None:
    door.register()
    big = door.signed(PSB, *(issue_record() for _ in range(200)))
    bigger = door.signed(PSB, *(issue_record() for _ in range(2000)))
    small = door.signed(PSB, issue_record())
    limit = admission.proto_size(big) + admission.proto_size(small)
    assert door.prepare(big, bigger, small, max_tx_bytes=limit) == [big]
    assert door.prepare(big, small, max_tx_bytes=limit) == [big, small]
    assert door.prepare(big, small, max_tx_bytes=limit - 1) == [big]


def test_a_block_has_a_limit_of_records_whoever_proposes_it(door: Door) -> None:
    door.register()
    batch = [records.withdraw(secret=bytes(32))] * 4096
    txs = [door.signed(HOME, *batch) for _ in range(admission.MAX_RECORDS // 4096 + 1)]
    assert door.prepare(*txs) == txs[:-1]
    assert door.process(*txs[:-1]) == messages.ACCEPT
    assert door.process(*txs) == messages.REJECT


def test_a_block_has_a_limit_of_pairings_whoever_proposes_it(door: Door) -> None:
    """Thousands of forged accusations, each with two signatures to verify, would hold up every node for a minute."""
    statement = (bytes(32), bytes(32), bytes(96))
    forged = [records.equivocation(bls_key=bytes(48), size=1, one=statement, two=statement)] * 16
    txs = [door.signed(PSB, *forged) for _ in range(admission.MAX_PAIRINGS // 16 + 1)]
    assert door.prepare(*txs) == txs[:-1]
    assert door.process(*txs[:-1]) == messages.ACCEPT
    assert door.process(*txs) == messages.REJECT


def test_a_record_that_breaks_a_rule_is_refused_alone_in_its_block(door: Door) -> None:
    door.register()
    tx = door.signed(PSB, issue_record(DIGEST), usage_record(b"x" * 32), issue_record(DIGEST))
    assert door.process(tx) == messages.ACCEPT
    assert [each.code for each in door.block(tx).tx_results] == [0]
    with_reader = Reader(door.directory, VERIFIER)
    done = with_reader.outcome(tx)
    assert done is not None
    assert done.refused == {1: "grant-unknown", 2: "commitment-taken"}
    with_reader.close()


def test_a_block_is_kept_by_commit_and_by_nothing_before(door: Door, tmp_path: Path) -> None:
    tx = door.signed(PSB, type_record())
    first = door.finalize(tx)
    assert door.finalize(tx).SerializeToString() == first.SerializeToString(), "asked again, the same again"
    assert door.height == 0
    door.ask("commit")
    info = door.ask("info")
    assert (info.last_block_height, info.last_block_app_hash) == (1, first.app_hash)


def test_an_empty_block_moves_the_height_and_not_the_hash(door: Door) -> None:
    before = door.block(door.signed(PSB, type_record())).app_hash
    assert door.block().app_hash == before
    assert door.height == 2
    assert fsck.check(door.directory, vkey=VERIFIER.vkey).findings == []


def test_block_time_is_the_headers_in_whole_seconds_and_never_goes_back(door: Door) -> None:
    door.time = START + 100
    door.block(door.signed(PSB, type_record()))
    door.time = START + 50
    tx = door.signed(PSB, type_record(version=2), valid_until=START + 160)
    door.block(tx)
    reader = Reader(door.directory, VERIFIER)
    done = reader.outcome(tx)
    assert done is not None
    assert done.time == START + 100
    reader.close()


def test_a_block_out_of_turn_stops_the_node(door: Door) -> None:
    door.block(door.signed(PSB, type_record()))
    door.connection.send(request("finalize_block", height=7, time={"seconds": START}))
    assert "block 7 after block 1" in door.connection.answer().exception.error
    door._thread.join(10)
    assert len(door.failed) == 1


def test_the_same_blocks_make_the_same_hashes_on_every_node(door: Door, tmp_path: Path) -> None:
    other = Door(tmp_path / "other")
    door.register()
    secret = secrets.token_bytes(32)
    blocks = [
        [door.signed(HOME, grant_record(secret)), door.signed(STREET, usage_record(secret))],
        [],
        [door.signed(STREET, usage_record(secret), usage_record(secret))],
    ]
    other.register()
    hashes = [door.block(*txs).app_hash for txs in blocks]
    assert [other.block(*txs).app_hash for txs in blocks] == hashes
    other.close()


def test_what_was_refused_whole_can_be_asked_for(door: Door) -> None:
    door.register()
    flood = door.signed(STREET, *[usage_record(b"x" * 32)] * 1025)
    assert door.check(flood).code == 0
    assert [each.code for each in door.block(flood).tx_results] == [CODES["too-many-refused"]]
    known, unknown = sha256(flood).digest(), sha256(b"").digest()
    told = door.ask("query", path="refused", data=unknown + known).value
    assert [int.from_bytes(told[at : at + 2]) for at in (0, 2)] == [0, CODES["too-many-refused"]]


@pytest.mark.parametrize(("path", "data"), [("", b""), ("refused", b"short"), ("../head", b"")])
def test_a_query_that_means_nothing_is_answered_with_a_code(door: Door, path: str, data: bytes) -> None:
    assert door.ask("query", path=path, data=data).code == 1


def test_vote_extensions_are_not_used(door: Door) -> None:
    assert door.ask("extend_vote").vote_extension == b""
    assert door.ask("verify_vote_extension").status == messages.ACCEPT
    assert door.ask("verify_vote_extension", vote_extension=b"x").status == messages.REJECT


def test_four_connections_are_answered_in_the_order_of_each(door: Door) -> None:
    connections = [door.connect() for _ in range(4)]
    for number, each in enumerate(connections):
        each.send(*(request("echo", message=f"{number} {turn}") for turn in range(50)), request("flush"))
    for number, each in enumerate(connections):
        assert [told.echo.message for told in each.answers(50)] == [f"{number} {turn}" for turn in range(50)]
        assert each.answer().WhichOneof("value") == "flush"
        each.close()


@pytest.mark.parametrize(
    "junk", [b"\x80\x00", b"\x05\xff\xff\xff\xff\xff", b"\xff" * 12], ids=["length", "message", "endless"]
)
def test_a_connection_that_breaks_the_protocol_is_closed_and_no_other(door: Door, junk: bytes) -> None:
    liar = door.connect()
    liar.socket.sendall(junk)
    with pytest.raises(ConnectionResetError):
        liar.answer()
    assert door.ask("echo", message="still here").message == "still here"


def test_an_unknown_request_is_answered_as_one(door: Door) -> None:
    door.connection.send(b"")
    assert door.connection.answer().exception.error == "unknown request"
    assert door.ask("echo", message="still here").message == "still here"
