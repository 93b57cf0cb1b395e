"""The log as C2SP tlog-tiles: which paths exist, what they hold, what may be cached."""

import dataclasses

import pytest
from django.db import transaction
from django.test import Client

from gov_chain.core.codec import encode
from gov_chain.ledger import outbox, relay
from gov_chain.ledger.core import checkpoint, entries, genesis, machine, note, records, shapes, tiles, tree
from gov_chain.ledger.core import transaction as transactions
from gov_chain.ledger.core.errors import REFUSALS, LedgerError
from gov_chain.ledger.reader import Reader
from tests.ledger.town import GENESIS, PSB, issue_record, type_record

IMMUTABLE = "public, max-age=31536000, immutable"
SIZE = 600


def write(*batch: bytes) -> None:
    with transaction.atomic():
        rows = [outbox.enqueue(agency=PSB, record=record, subject="test.thing:1") for record in batch]
    assert {each.state for each in relay.settle(rows)} == {"final"}


@pytest.fixture
def log(own_node: Reader) -> Reader:
    """A log of at least two full tiles and a partial one."""
    write(type_record())
    write(*(issue_record() for _ in range(SIZE)))
    return own_node


def entries_in(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2])
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def test_the_checkpoint_is_text_and_not_cached(client: Client, log: Reader) -> None:
    answer = client.get("/ledger/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"


def test_bundles_and_tiles_make_the_checkpoints_root(client: Client, log: Reader) -> None:
    head = checkpoint.verify(client.get("/ledger/checkpoint").text, note.parse_vkey(log.vkey))
    leaves: list[bytes] = []
    for index in range(-(-head.size // 256)):
        width = min(256, head.size - index * 256)
        suffix = "" if width == 256 else f".p/{width}"
        bundle = client.get(f"/ledger/tile/entries/{index:03d}{suffix}")
        tile = client.get(f"/ledger/tile/0/{index:03d}{suffix}")
        for answer in (bundle, tile):
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/octet-stream")
            assert answer["Cache-Control"] == IMMUTABLE
        hashes = [tree.leaf_hash(entry) for entry in entries_in(bundle.content)]
        assert b"".join(hashes) == tile.content
        leaves += hashes
    assert tree.root(leaves) == head.root
    top = client.get(f"/ledger/tile/1/000.p/{head.size // 256}").content
    assert top[:32] == tree.root(leaves[:256])


def test_a_partial_tile_is_served_at_every_width_there_was(client: Client, log: Reader) -> None:
    whole = client.get("/ledger/tile/0/000").content
    bundle = client.get("/ledger/tile/entries/000").content
    assert len(whole) == 8192
    for width in (1, 2, 100, 255):
        assert client.get(f"/ledger/tile/0/000.p/{width}").content == whole[: 32 * width]
        part = client.get(f"/ledger/tile/entries/000.p/{width}").content
        assert bundle.startswith(part)
        assert len(entries_in(part)) == width


ABSENT = [
    "003",  # beyond the end
    "002",  # not full yet
    "002.p/255",  # not that wide yet
    "x001/000",
    "x999/x999/x999/x999/x999/x999/x999/999",
]
MISSPELT = [
    *("000.p/0", "000.p/256", "000.p/01", "000.p/", "000.p", "000.p/1/", "000.p/-1", "000.p/1000"),
    *("0", "00", "0000", "x000/000", "000/000", "x00/000", "x1/000", "-01", "000/", "%30%30%30%20", "０００"),
]
LEVELS = ["2", "7", "8", "63", "64", "00", "01", "-1", "x", "99999999999999999999"]


def test_what_does_not_exist_or_is_spelt_otherwise_is_404_and_not_cached(client: Client, log: Reader) -> None:
    paths = [f"{kind}/{place}" for kind in ("0", "entries") for place in ABSENT + MISSPELT]
    paths += [f"{level}/000{suffix}" for level in LEVELS for suffix in ("", ".p/1")]
    for path in paths:
        answer = client.get(f"/ledger/tile/{path}")
        assert answer.status_code == 404, path
        assert "immutable" not in answer["Cache-Control"]


def test_bundles_travel_compressed_when_asked(client: Client, log: Reader) -> None:
    answer = client.get("/ledger/tile/entries/000", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]


def test_only_reading_is_offered(client: Client, log: Reader) -> None:
    assert client.post("/ledger/tile/0/000").status_code == 405
    assert client.head("/ledger/tile/0/000").status_code == 200


@pytest.mark.parametrize(
    ("index", "spelt"), [(0, "000"), (7, "007"), (1000, "x001/000"), (1234067, "x001/x234/067"), (999999, "x999/999")]
)
def test_an_index_has_one_spelling(index: int, spelt: str) -> None:
    assert tiles.place(index) == spelt


def largest(shape: shapes.Shape) -> int:
    """The most bytes a value of this shape can have, generously."""
    match shape:
        case shapes.Uint():
            return 9
        case shapes.Fixed():
            return 5 + shape.size
        case shapes.Signatures():
            return 5 + 64 * shape.count
        case shapes.Point():
            return 5 + 33
        case shapes.Row():
            return 5 + sum(map(largest, shape.items))
        case shapes.Many():
            return 5 + shape.most * largest(shape.item)
        case shapes.Choice():
            return 9 + max(map(largest, shape.rows.values()))
    raise AssertionError(f"how large is {shape}?")


def test_the_largest_record_of_every_kind_fits_an_entry_bundle() -> None:
    for kind in records.KINDS.values():
        assert 32 + sum(largest(shape) for _, shape in kind.fields) <= entries.MAX_ENTRY, kind.name


def test_a_transaction_with_the_most_refusals_fits_an_entry_bundle() -> None:
    note_ = [transactions.MAX_RECORDS - 1, bytes(32), max(REFUSALS.values())]
    header = encode([1, bytes(32), 2**16 - 1, 2**16 - 1, 2**40 - 1, 2**40 - 1, 4096, bytes(32)])
    leaf = encode([records.TRANSACTION, header, bytes(64), [note_] * machine.MAX_REFUSED])
    assert len(entries.wrap(2**40 - 1, 2**16 - 1, leaf)) <= entries.MAX_ENTRY


def test_a_genesis_too_large_for_an_entry_bundle_is_refused() -> None:
    many = [dataclasses.replace(GENESIS.agencies[0], number=number) for number in range(1, 500)]
    assert len(genesis.build(dataclasses.replace(GENESIS, agencies=tuple(many[:300])))) <= entries.MAX_ENTRY
    with pytest.raises(LedgerError, match="record-malformed"):
        genesis.build(dataclasses.replace(GENESIS, agencies=tuple(many)))
