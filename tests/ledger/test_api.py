"""The HTTP door: what it proves, what it refuses, what may be cached."""

import dataclasses
import secrets
from base64 import b64decode
from hashlib import sha256
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from gov_chain.clock import now
from gov_chain.core.codec import b64url
from gov_chain.ledger import api, documents, outbox, relay
from gov_chain.ledger.core import checkpoint, note, proposals, receipt, records, state, state_proof, tree
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.models import OutboxRow
from gov_chain.ledger.reader import Reader
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

IMMUTABLE = "public, max-age=31536000, immutable"


def write(agency: int, *batch: bytes) -> None:
    with transaction.atomic():
        rows = [outbox.enqueue(agency=agency, record=record, subject="test.thing:1") for record in batch]
    assert {each.state for each in relay.settle(rows)} == {"final"}


@pytest.fixture
def secret(own_node: Reader) -> bytes:
    """The secret of a live grant, on a node with one of everything."""
    made = secrets.token_bytes(32)
    write(PSB, type_record())
    write(STREET, matter_record())
    write(PSB, approval(), issue_record())
    write(HOME, grant_record(made, time=now()))
    write(STREET, usage_record(made))
    return made


def withdraw(client: Client, body: object) -> Any:
    return client.post("/ledger/withdrawals", body, content_type="application/json")


def test_the_checkpoint_is_signed_by_the_vkey(client: Client, secret: bytes) -> None:
    answer = client.get("/ledger/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    vkey = client.get("/ledger/vkey").text
    assert checkpoint.verify(answer.text, note.parse_vkey(vkey)).size == 12


def test_receipts_verify_under_the_vkey(client: Client, secret: bytes, own_node: Reader) -> None:
    for index in range(12):
        found = receipt.verify(client.get(f"/ledger/receipts/{index}").text, own_node.vkey)
        assert found.index == index
    assert receipt.verify(client.get("/ledger/genesis").text, own_node.vkey).kind == "genesis"


def test_records_are_listed_with_their_fields_in_hex(client: Client, secret: bytes) -> None:
    answer = client.get("/ledger/records?kind=32").json()
    assert answer["size"] == 12
    (row,) = answer["rows"]
    assert (row["name"], row["agency"], row["kind"]) == ("usage", STREET, 32)
    assert row["values"]["handle"] == sha256(secret).hexdigest()


def test_records_are_paged(client: Client, secret: bytes) -> None:
    after, seen = -1, []
    while rows := client.get(f"/ledger/records?after={after}&limit=5").json()["rows"]:
        seen += [row["index"] for row in rows]
        after = seen[-1]
    assert seen == list(range(12))
    assert {row["agency"] for row in client.get("/ledger/records?agency=3").json()["rows"]} == {3}


def test_everything_about_a_handle_is_found_by_two_of_its_bytes(
    client: Client, secret: bytes, own_node: Reader
) -> None:
    withdraw(client, {"secret": b64url(secret)})
    handle = sha256(secret).digest()
    answer = client.get(f"/ledger/handles/{handle[:2].hex()}").json()
    found = [receipt.verify(text, own_node.vkey) for text in answer["receipts"]]
    assert [each.kind for each in found] == ["grant", "usage", "withdraw"]
    (proven,) = [state_proof.verify(text, own_node.vkey) for text in answer["states"]]
    assert proven.size == checkpoint.verify(answer["checkpoint"], note.parse_vkey(own_node.vkey)).size
    history = [receipt.parse(text).entry for text in answer["receipts"]]
    state_proof.verify_history(handle=handle, entries=history, proven=proven)
    with pytest.raises(LedgerError, match="history-incomplete"):
        state_proof.verify_history(handle=handle, entries=history[:-1], proven=proven)


def test_a_prefix_that_too_many_share_is_to_be_made_longer(
    client: Client, secret: bytes, own_node: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MAX_HANDLE_ENTRIES", 1)
    handle = sha256(secret).digest()
    answer = client.get(f"/ledger/handles/{handle[:2].hex()}")
    assert (answer.status_code, answer.json()["code"]) == (413, "prefix-too-short")
    monkeypatch.setattr(api, "MAX_HANDLE_ENTRIES", 2)
    assert len(client.get(f"/ledger/handles/{handle[:8].hex()}").json()["receipts"]) == 2
    assert client.get(f"/ledger/handles/{'00' * 8}").json()["states"] == []


def test_the_state_is_proven_also_where_there_is_none_and_under_an_earlier_checkpoint(
    client: Client, secret: bytes, own_node: Reader
) -> None:
    key = state.grant_key(sha256(secret).digest())
    now_ = state_proof.verify(client.get(f"/ledger/state/{key.hex()}").text, own_node.vkey)
    before = state_proof.verify(client.get(f"/ledger/state/{key.hex()}?size=10").text, own_node.vkey)
    assert now_.value is not None
    assert before.value is not None
    assert (now_.value[5], before.value[5]) == (1, 2)
    nobody = client.get(f"/ledger/state/{state.grant_key(bytes(32)).hex()}")
    assert nobody["Content-Type"] == "text/plain; charset=utf-8"
    assert state_proof.verify(nobody.text, own_node.vkey).value is None
    assert state_proof.verify(client.get("/ledger/state/610001").text, own_node.vkey).key == state.agency_key(PSB)


def test_consistency_is_provable_from_any_earlier_size(client: Client, secret: bytes, own_node: Reader) -> None:
    bodies = own_node.bodies(0, 12)
    leaves = [tree.leaf_hash(body) for body in bodies]
    for first in range(13):
        answer = client.get(f"/ledger/consistency?from={first}&to=12").json()
        tree.verify_consistency(
            first=first,
            second=12,
            first_root=tree.root(leaves[:first]),
            second_root=tree.root(leaves),
            proof=[b64decode(each) for each in answer["proof"]],
        )


def test_types_and_matters_come_with_receipts(client: Client, secret: bytes, own_node: Reader) -> None:
    registered = client.get("/ledger/types/1").json()
    assert registered["state"]["grades"] == [3, 2, 4]
    matter = client.get("/ledger/matters/1").json()
    assert matter["state"]["in_force"] is True
    kinds = [receipt.verify(text, own_node.vkey).kind for text in registered["receipts"] + matter["receipts"]]
    assert kinds == ["type", "matter", "matter-approve"]


def test_documents_are_served_by_digest_for_ever(client: Client, own_node: Reader) -> None:
    digest = documents.publish({"kind": "type", "name": {"zh": "居民身份证", "en": "Resident ID"}})
    answer = client.get(f"/ledger/documents/{digest.hex()}")
    assert sha256(answer.content).digest() == digest
    assert answer["Cache-Control"] == IMMUTABLE
    assert documents.load(digest)["kind"] == "type"


def test_a_phone_withdraws_by_showing_the_secret_and_may_repeat_itself(
    client: Client, secret: bytes, own_node: Reader
) -> None:
    first = withdraw(client, {"secret": b64url(secret)})
    assert first.status_code == 201
    proven = receipt.verify(first.json()["receipt"], own_node.vkey)
    assert proven.entry.values == {"secret": secret}
    size = own_node.size
    again = withdraw(client, {"secret": b64url(secret)})
    assert again.status_code == 200
    assert receipt.verify(again.json()["receipt"], own_node.vkey).index == proven.index
    assert own_node.size == size


@pytest.mark.parametrize("text", [b64url(b"x" * 32), "!" * 43, "A" * 42 + "B"])
def test_an_unknown_secret_is_refused_and_nothing_written(client: Client, own_node: Reader, text: str) -> None:
    answer = withdraw(client, {"secret": text})
    assert answer.status_code == 404
    assert answer.json()["code"] == "grant-unknown"
    assert OutboxRow.objects.count() == 0


@pytest.mark.parametrize("body", ["1", "{}", "[]", '{"secret": 1}', '{"secret": "a", "more": 1}', "{" * 999, "\x00"])
def test_a_malformed_withdrawal_is_refused(client: Client, own_node: Reader, body: str) -> None:
    answer = withdraw(client, body)
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("receipts/99", 404),
        ("receipts/-1", 404),
        ("receipts/01", 404),
        ("receipts/" + "9" * 16, 404),
        ("receipts/" + "9" * 40, 404),
        ("records?after=x", 400),
        ("records?after=-2", 400),
        ("records?limit=0", 400),
        ("records?limit=201", 400),
        ("records?after=" + "9" * 40, 400),
        ("records?kind=99", 400),
        ("records?surprise=1", 400),
        ("records?kind=1&kind=2", 400),
        ("handles/abc", 404),
        ("handles/ABCD", 404),
        ("handles/abcde", 404),
        ("handles/" + "ab" * 9, 404),
        ("state/", 404),
        ("state/6", 404),
        ("state/69" + "00" * 32, 404),
        ("state/" + "00" * 41, 404),
        ("state/610001?size=3000000", 410),
        ("state/610001?size=0", 410),
        ("state/610001?size=-1", 400),
        ("consistency", 400),
        ("consistency?from=1&to=9999", 404),
        ("consistency?from=2&to=1", 422),
        ("types/2", 404),
        ("types/" + "9" * 16, 404),
        ("types/1?version=0", 400),
        ("matters/9", 404),
        ("documents/" + "0" * 64, 404),
        ("documents/xyz", 404),
        ("withdrawals", 405),
        ("tile/0/999", 404),
        ("tile/0/000", 404),
        ("tile/9/000.p/1", 404),
        ("tile/0/x000/000.p/1", 404),
        ("tile/0/000.p/0", 404),
        ("tile/0/000.p/256", 404),
        ("tile/0/" + "x001/" * 5 + "000", 404),
        ("tile/0/" + "x001/" * 500 + "000", 404),
        ("tile/0/../../etc/passwd", 404),
        ("tile/entries/999", 404),
        ("tile/entries/x", 404),
        ("tile/99999999999999999999/000", 404),
    ],
)
def test_bad_questions_are_refused_in_words(client: Client, own_node: Reader, path: str, status: int) -> None:
    answer = client.get(f"/ledger/{path}")
    assert answer.status_code == status
    assert answer.json()["code"]


def test_a_mirror_rebuilds_the_log_from_tiles_and_bundles(client: Client, own_node: Reader) -> None:
    write(PSB, type_record())
    write(PSB, *(issue_record() for _ in range(600)))
    head = checkpoint.verify(client.get("/ledger/checkpoint").text, note.parse_vkey(own_node.vkey))
    bodies: list[bytes] = []
    hashes = b""
    for index in range(-(-head.size // 256)):
        width = min(256, head.size - index * 256)
        suffix = f".p/{width}" if width < 256 else ""
        bundle = client.get(f"/ledger/tile/entries/{index:03d}{suffix}")
        tile = client.get(f"/ledger/tile/0/{index:03d}{suffix}")
        assert bundle["Cache-Control"] == tile["Cache-Control"] == IMMUTABLE
        assert bundle["Content-Type"] == tile["Content-Type"] == "application/octet-stream"
        hashes += tile.content
        data = bundle.content
        while data:
            length = int.from_bytes(data[:2])
            bodies.append(data[2 : 2 + length])
            data = data[2 + length :]
    leaves = [tree.leaf_hash(body) for body in bodies]
    assert b"".join(leaves) == hashes
    assert tree.root(leaves) == head.root
    upper = client.get("/ledger/tile/1/000.p/2").content
    assert upper == tree.root(leaves[:256]) + tree.root(leaves[256:512])


def test_a_node_without_a_ledger_says_so(client: Client, settings: Any, tmp_path: Any, db: None) -> None:
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, data=tmp_path)
    answer = client.get("/ledger/checkpoint")
    assert answer.status_code == 503
    assert answer.json()["code"] == "ledger-missing"


def test_the_secret_of_a_withdrawal_is_the_only_thing_the_record_holds(secret: bytes) -> None:
    assert records.parse(records.withdraw(secret=secret)).values == {"secret": secret}


def test_an_agency_can_be_asked_for_as_it_was(client: Client, own_node: Reader) -> None:
    write(HOME, records.propose(proposal=1, action=[proposals.ACCREDIT, STREET, 9], expires=now() + 86400))
    write(PSB, records.vote(proposal=1, yes=True))
    size = own_node.size
    answer = client.get(f"/ledger/agencies/{STREET}")
    assert answer["Cache-Control"] == "no-cache"
    assert answer.json()["at"] == size
    assert answer.json()["state"]["types"] == [9]
    before = client.get(f"/ledger/agencies/{STREET}", {"at": size - 1}).json()
    assert before["state"] == answer.json()["state"] | {"types": []}
    assert client.get("/ledger/agencies/9").status_code == 404
    assert client.get("/ledger/agencies/99999999").json()["code"] == "agency-unknown"
    assert client.get(f"/ledger/agencies/{STREET}", {"at": size + 1}).json()["code"] == "entry-unknown"
    assert client.get(f"/ledger/agencies/{STREET}", {"at": "-1"}).status_code == 400
