"""The explorer's pages: every kind of record explained, proofs drawn as they are, the past as it was."""

import re
import secrets
from hashlib import sha256

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.clock import now
from gov_chain.core.codec import b64url
from gov_chain.ledger import documents, outbox, relay
from gov_chain.ledger.core import bls, cosignature, entries, proposals, quorum, records, tree, watch
from gov_chain.ledger.core.cosignature import Cosigner
from gov_chain.ledger.cosigner.certificates import Certificates
from gov_chain.ledger.explorer import climbing, facts, growth, pages, sentences
from gov_chain.ledger.explorer.names import Names
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.witness.kept import Kept
from tests.ledger.town import (
    DIGEST,
    HOME,
    PSB,
    STREET,
    VERIFIER,
    Town,
    approval,
    bls_secret,
    grant_record,
    issue_record,
    public_key,
    secret_key,
    usage_record,
)

CHINESE = re.compile(r"[\u3400-\u9fff]")
TYPE = {
    "kind": "type",
    "name": {"zh": "居民身份证", "en": "Resident ID"},
    "fields": [{"zh": "姓名", "en": "Name"}, {"zh": "性别", "en": "Sex"}, {"zh": "住址", "en": "Address"}],
}
MATTER = {
    "kind": "matter",
    "name": {"zh": "居住证办理", "en": "Residence permit"},
    "types": [{"type": 1, "version": 1}],
}
POWER, HOUR = 7, 3600


def write(agency: int, *batch: bytes) -> list[relay.Outcome]:
    with transaction.atomic():
        rows = [outbox.enqueue(agency=agency, record=record, subject="test.thing:1") for record in batch]
    return relay.settle(rows)


def equivocation(agency: int) -> bytes:
    """Proof against that agency's validator."""
    key = bls_secret(agency)
    signed = [
        (DIGEST, body, bls.sign(key, quorum.statement(DIGEST, 5, body))) for body in (sha256(b"1").digest(), DIGEST)
    ]
    return records.equivocation(bls_key=bls.sk_to_pk(key), size=5, one=signed[0], two=signed[1])


@pytest.fixture
def secret(own_node: Reader) -> bytes:
    """The secret of a live grant, on a node with every kind of record, one of them refused."""
    made = secrets.token_bytes(32)
    time = now()
    matter = records.matter(
        matter=1,
        version=1,
        digest=documents.publish(MATTER),
        types=[(1, 1, 0b001, 0b110)],
        max_life=30 * 86400,
        max_uses=3,
        retention_days=30,
    )
    write(PSB, records.type_(type=1, version=1, digest=documents.publish(TYPE), grades=[3, 2, 4]))
    write(STREET, matter)
    write(PSB, approval(), issue_record(DIGEST), records.status(type=1, list=1, version=1, digest=DIGEST))
    write(HOME, grant_record(made, time=time))
    write(STREET, usage_record(made), usage_record(made, masks=0b111))
    empower = [proposals.EMPOWER, STREET, POWER, 30 * 86400]
    write(PSB, records.propose(proposal=1, action=empower, expires=time + 7 * 86400))
    write(HOME, records.vote(proposal=1, yes=True))
    salt = secrets.token_bytes(32)
    statutory = {"power": POWER, "type": 1, "mask": 0b001, "context_digest": DIGEST}
    write(STREET, records.statutory(tag=DIGEST, **statutory), records.evidence(evidence=2, digest=DIGEST))
    concealed = watch.conceal(tag=sha256(b"tag").digest(), salt=salt)
    (done,) = write(STREET, records.statutory(tag=concealed, concealed_until=time + HOUR, **statutory))
    assert done.index is not None
    write(STREET, records.reveal(index=done.index, tag=sha256(b"tag").digest(), salt=salt))
    write(PSB, equivocation(STREET))
    withdrawn = secrets.token_bytes(32)
    write(HOME, grant_record(withdrawn, time=time))
    write(HOME, records.withdraw(secret=withdrawn))
    return made


def find_kind(reader: Reader, kind: int) -> int:
    return reader.entries(kind=kind)[-1].index


def test_every_kind_of_record_has_a_sentence_and_a_meaning_for_each_field() -> None:
    assert set(sentences.SENTENCES) == set(records.LOG_KINDS.values())
    fields = {f"{kind.name}.{name}" for kind in records.KINDS.values() for name, _ in kind.fields}
    fields |= {f"genesis.{name}" for name in entries.GENESIS_FIELDS}
    fields |= {f"transaction.{name}" for name in ("header", "signature", "refused")}
    assert fields == {place for place in facts.MEANINGS if not place.startswith("header.")}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_entry_has_a_page_in_both_languages(
    client: Client, secret: bytes, own_node: Reader, language: str
) -> None:
    client.get(f"/language?to={language}")
    assert set(own_node.counts()) == set(records.LOG_KINDS)
    for index in range(own_node.size):
        page = client.get(f"/explorer/entries/{index}")
        assert page.status_code == 200
        if language == "en":
            assert not CHINESE.search(re.sub(r'<a [^>]*lang="zh-CN"[^>]*>中文</a>', "", page.text))


def test_an_entry_is_explained_by_names_from_documents(client: Client, secret: bytes, own_node: Reader) -> None:
    client.get("/language?to=en")
    page = client.get(f"/explorer/entries/{find_kind(own_node, records.USAGE)}").text
    assert "used a certificate for “Residence permit”: name." in page
    assert sha256(secret).hexdigest() in page


def test_a_batch_shows_its_refused_records_with_the_reason(client: Client, secret: bytes, own_node: Reader) -> None:
    client.get("/language?to=en")
    page = client.get(f"/explorer/entries/{find_kind(own_node, records.USAGE)}").text
    assert "fields-beyond-grant" in page
    assert "position 1" in page


def test_the_receipt_on_the_page_is_the_ledgers(client: Client, secret: bytes, own_node: Reader) -> None:
    page = client.get("/explorer/entries/5").text
    shown = re.search(r'<pre id="receipt"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert shown is not None
    assert shown[1].replace("&#x27;", "'") == own_node.receipt(5)


def test_the_overview_counts_what_there_is(client: Client, secret: bytes, own_node: Reader) -> None:
    page = client.get("/explorer/").text
    assert f"<dd>{own_node.size}</dd>" in page
    assert own_node.head()[1].root.hex() in page
    assert page.count('class="share-all"') == len(records.LOG_KINDS)


def test_a_page_that_is_up_to_date_is_told_nothing(client: Client, secret: bytes, own_node: Reader) -> None:
    assert client.get(f"/explorer/latest?size={own_node.size}").status_code == 204
    assert f"size={own_node.size}" in client.get(f"/explorer/latest?size={own_node.size - 1}").text


def test_witnesses_are_named_with_their_time(client: Client, own_node: Reader) -> None:
    assert "尚无见证人" in client.get("/explorer/").text
    _, head = own_node.head()
    witness = Cosigner("witness.test.example", public_key(9))
    made = cosignature.sign(head.text, witness, time=1_800_000_000, signer=secret_key(9).sign)
    Kept(own_node.directory).keep(head, made)
    page = client.get("/explorer/").text
    assert "witness.test.example" in page
    assert "2027-01-15 16:00:00" in page
    write(PSB, records.evidence(evidence=1, digest=DIGEST))
    assert "已见证到 1 条" in client.get("/explorer/").text


def test_a_quorums_certificate_is_the_logs_own_and_no_witness(client: Client, own_node: Reader) -> None:
    _, head = own_node.head()
    message = quorum.statement_of(head, DIGEST)
    made = quorum.Certificate(DIGEST, (0, 1, 2), bls.aggregate([bls.sign(bls_secret(at), message) for at in (1, 2, 3)]))
    certificates = Certificates(own_node.directory)
    certificates.keep([(head, quorum.line(made, origin=head.origin, count=3), False)], {})
    certificates.close()
    page = client.get("/explorer/").text
    assert f"<dd>{head.origin}<br>{head.origin}/quorum " in page
    assert "尚无见证人" in page


def test_powers_are_shown_as_they_were(client: Client, secret: bytes, own_node: Reader) -> None:
    client.get("/language?to=en")
    passed = find_kind(own_node, records.VOTE)
    before, after = (client.get(f"/explorer/who?at={size}").text for size in (passed, passed + 1))
    assert "concealed for at most 30 days" not in before
    assert "concealed for at most 30 days" in after
    assert ("Open" in before, "Passed" in before) == (True, False)
    assert "Passed" in after


def test_powers_of_any_size_can_be_asked_for(client: Client, secret: bytes, own_node: Reader) -> None:
    for size in range(own_node.size + 1):
        assert client.get(f"/explorer/who?at={size}").status_code == 200
    assert client.get(f"/explorer/who?at={own_node.size + 1}").status_code == 404
    assert client.get("/explorer/who?at=").status_code == 200


FORMS = {"hex": bytes.hex, "b64url": b64url, "copied": lambda raw: f" {raw.hex().upper()} "}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_grant_is_found_by_its_handle(client: Client, secret: bytes, form) -> None:
    handle = sha256(secret).digest()
    answer = client.get("/explorer/find", {"q": form(handle)})
    assert answer["Location"] == f"/explorer/handles/{handle.hex()}"
    page = client.get(answer["Location"])
    assert page.text.count('id="entry-') == 2


def test_a_certificate_is_found_by_its_commitment_and_an_entry_by_its_number(client: Client, secret: bytes) -> None:
    assert re.fullmatch(r"/explorer/entries/\d+", client.get("/explorer/find", {"q": DIGEST.hex()})["Location"])
    assert client.get("/explorer/find", {"q": "3"})["Location"] == "/explorer/entries/3"


@pytest.mark.parametrize("wanted", ["9999999", "ff" * 32, "nonsense", "张三", "-1", "1e5", "²"])
def test_what_is_not_there_is_said(client: Client, secret: bytes, wanted: str) -> None:
    assert client.get("/explorer/find", {"q": wanted}).status_code == 404


def test_an_unknown_entry_or_grant_is_404(client: Client, secret: bytes) -> None:
    assert client.get("/explorer/entries/9999").status_code == 404
    assert client.get(f"/explorer/handles/{'ab' * 32}").status_code == 404


def test_without_documents_things_are_called_by_their_numbers(town: Town) -> None:
    assert Names(town.reader).agency(99) == {"zh": "机构 99", "en": "Agency 99"}
    assert Names(town.reader).type(9)["en"] == "type 9"


@given(st.integers(1, 300), st.data())
def test_the_way_up_ends_at_the_root_and_says_which_entries_it_passes(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [tree.leaf_hash(str(each).encode()) for each in range(size)]
    node = lambda level, at: tree.root(leaves[at << level : (at + 1) << level])  # noqa: E731
    proof = tree.inclusion_proof(index, size, node)
    steps = climbing.climb(leaves[index], index=index, size=size, proof=proof)
    passed = {index}
    for step in steps:
        assert step.sibling.hash == tree.root(leaves[step.sibling.first : step.sibling.last + 1])
        passed |= set(range(step.sibling.first, step.sibling.last + 1))
    assert passed == set(range(size))
    assert not steps or steps[-1].parent.hash == tree.root(leaves)
    drawing = climbing.draw(leaves[index], index=index, steps=steps)
    assert all(box.x >= 0 and box.x + climbing.BOX <= drawing.width for box in drawing.boxes)
    assert max(box.y for box in drawing.boxes) + climbing.HEIGHT <= drawing.height


def test_the_growth_curve_is_what_the_log_was_at_each_time(town: Town) -> None:
    town.register()
    for _ in range(5):
        town.clock.pass_time(3600)
        town.submit(PSB, issue_record())
    reader = town.reader
    curve = growth.curve(reader, reader.size)
    for time, reached in curve.steps:
        assert reached == sum(row.entry.time <= time for row in reader.entries(limit=1000))
    assert curve.steps[-1][1] == reader.size
    assert len(curve.line.split()) <= 2 * growth.POINTS + 1


def test_counts_grow_with_the_log(town: Town) -> None:
    for size in (1, 3, 5):
        assert sum(town.reader.counts().values()) == size
        assert list(town.reader.counts()) == sorted(town.reader.counts())
        town.submit(PSB, records.evidence(evidence=1, digest=DIGEST))
    assert town.reader.counts() == {1: 1, 2: 3, 60: 3}
    assert Reader(town.directory, VERIFIER).counts() == town.reader.counts()


def test_a_large_batch_is_not_shown_whole(client: Client, own_node: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_OF_A_BATCH", 2)
    client.get("/language?to=en")
    write(PSB, records.type_(type=1, version=1, digest=DIGEST, grades=[3]), *(issue_record() for _ in range(4)))
    assert "3 more" in client.get("/explorer/entries/1").text
