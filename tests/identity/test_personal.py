"""Personal data at rest: sealed under a key of its subject, found by digests, gone with the key."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from certificates import queries
from certificates.models import RegisterRow
from gov_chain.core.codec import sha256
from gov_chain.keys import KeyStoreError, local
from gov_chain.ledger import relay
from gov_chain.ledger.core import records
from gov_chain.ledger.models import OutboxRow
from identity import agencies, citizens, personal
from identity.actions.erase_citizen import erase_citizen
from identity.models import Citizen, ErasureProof
from tests.world import World


@pytest.fixture(autouse=True)
def forgotten() -> None:
    personal.forget_all()


def in_the_database_file(*texts: str) -> list[str]:
    """Those of `texts` that stand in the SQLite file or in its log, as they are or as JSON escapes them."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    path = Path(connection.settings_dict["NAME"])
    seen = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    forms = {text: (text.encode(), text.encode("unicode-escape"), text.encode("utf-16-le")) for text in texts}
    return [text for text, written in forms.items() if any(form in seen for form in written)]


def test_the_database_file_holds_nobodys_name_number_or_address(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    row = queries.register_row(queries.known_type("resident-id"), ana.id_number)
    personal_texts = [ana.name, ana.id_number, row.data["address"], ana.id_number[6:14]]
    assert in_the_database_file(*personal_texts) == []
    assert in_the_database_file("resident-id") == ["resident-id"], "the search finds what is there"


def test_a_citizen_is_found_by_number_and_a_row_by_number_or_the_beginning_of_a_name(world: World) -> None:
    ana = world.citizen()
    assert citizens.by_id_number(agencies.by_slug("data"), f" {ana.id_number.lower()} ").name == ana.name
    police = agencies.by_slug("psb")
    for text in (ana.id_number, ana.name, ana.name[:2]):
        assert ana.name in [row.name for row in queries.search_register(police, text)]
    assert queries.search_register(police, ana.name[0]) == []
    assert queries.search_register(agencies.by_slug("data"), ana.name) == []


def test_two_agencies_do_not_share_digests(world: World) -> None:
    police, data = agencies.by_slug("psb"), agencies.by_slug("data")
    assert personal.index(police, "x", "1") != personal.index(data, "x", "1")
    assert personal.index(police, "x", "1") != personal.index(police, "y", "1")


def test_after_erasure_nothing_opens_and_the_proof_is_on_the_ledger(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    citizen = citizens.by_id_number(agencies.by_slug("data"), ana.id_number)
    kept = Citizen.objects.get(pk=citizen.pk)  # what somebody still holds of the row
    assert kept.name == ana.name
    proof = ErasureProof.objects.create(number=uuid.uuid4(), home=citizen.home, proof="signed")
    citizen.wallets.all().delete()
    with transaction.atomic():
        row = erase_citizen(citizen=citizen, proof=proof)
    assert not Citizen.objects.filter(pk=kept.pk).exists()
    assert not in_the_database_file(bytes(kept.data_key_sealed).decode("latin-1"))
    kept.data_key_sealed, kept._opened = b"", None
    with pytest.raises(KeyStoreError, match="seal-broken"):
        kept.opened  # noqa: B018
    (outcome,) = relay.settle([row])
    assert outcome.state == "final"
    lodged = records.parse(bytes(OutboxRow.objects.get(pk=row).record))
    assert lodged.values == {"evidence": records.ERASURE, "digest": sha256(b"signed")}
    proof.refresh_from_db()
    assert proof.receipt


def test_an_erasure_that_is_rolled_back_leaves_the_key(world: World) -> None:
    ana = world.citizen()
    citizen = citizens.by_id_number(agencies.by_slug("data"), ana.id_number)
    citizen.wallets.all().delete()
    proof = ErasureProof.objects.create(number=uuid.uuid4(), home=citizen.home, proof="signed")
    with transaction.atomic():
        erase_citizen(citizen=citizen, proof=proof)
        transaction.set_rollback(True)
    assert citizens.by_id_number(agencies.by_slug("data"), ana.id_number).name == ana.name


def test_a_sealed_row_does_not_open_in_another_rows_place(world: World) -> None:
    one, other = RegisterRow.objects.all()[:2]
    other.personal, other.data_key_sealed = one.personal, one.data_key_sealed
    with pytest.raises(KeyStoreError, match="seal-broken"):
        other.opened  # noqa: B018


def test_many_rows_are_wrapped_and_opened_in_one_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []
    for name in ("seal_many", "open_many"):
        whole = getattr(local.LocalSealer, name)
        monkeypatch.setattr(
            local.LocalSealer,
            name,
            lambda self, items, name=name, whole=whole: calls.append((name, len(items))) or whole(self, items),
        )
    rows = list(RegisterRow.objects.select_related("agency").all())
    personal.open_rows(rows)
    assert calls == [("open_many", len(rows))]
    personal.open_rows(list(RegisterRow.objects.select_related("agency").all()))
    assert len(calls) == 1, "what is remembered is not asked for again"
    personal.seal_rows([(row, row.opened) for row in rows])
    assert calls[1:] == [("seal_many", len(rows))]


def test_keys_are_remembered_for_a_bounded_time_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = personal._Memory()
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(personal, "time", clock)
    now = 0.0
    for number in range(personal.REMEMBERED + 1):
        memory.put(number.to_bytes(4), b"key")
    assert memory.get((0).to_bytes(4)) is None
    assert memory.get((1).to_bytes(4)) == b"key"
    now = personal.SECONDS + 1
    assert memory.get((1).to_bytes(4)) is None
