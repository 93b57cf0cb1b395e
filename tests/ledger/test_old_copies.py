"""A node whose ledger is older than what it, or a witness, already knows does not append (threats.md)."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as current
from django.db import transaction
from pytest_django.fixtures import Settings

from gov_chain import doctor
from gov_chain.core.errors import GovChainError
from gov_chain.ledger import high_water, node, outbox, relay
from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.models import OutboxRow
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.witness import service
from tests.ledger.strangers import Stranger, witnessing
from tests.ledger.town import PSB, issue_record, type_record


def write(record: bytes) -> None:
    with transaction.atomic():
        row = outbox.enqueue(agency=PSB, record=record, subject="test.thing:1")
    assert relay.settle([row])[0].state == "final"


def refused() -> str:
    with pytest.raises(GovChainError) as caught:
        node.engine()
    return caught.value.code


def marked() -> checkpoint.Checkpoint:
    found = high_water.read(Path(current.GOVCHAIN.data) / high_water.FILE, node.verifier())
    assert found is not None
    return found


@pytest.fixture
def backup(own_node: Reader, tmp_path: Path) -> Path:
    """The ledger's directory as it was before the last record, which nothing in the database remembers."""
    write(type_record())
    node.close()
    shutil.copytree(tmp_path / "ledger", tmp_path / "backup")
    write(issue_record())
    node.close()
    OutboxRow.objects.all().delete()
    return tmp_path / "backup"


@pytest.fixture
def stranger(settings: Settings, own_node: Reader, tmp_path: Path) -> Iterator[Stranger]:
    """A witness this node is configured to ask."""
    with witnessing(tmp_path / "witness", logs=(note.parse_vkey(own_node.vkey),)) as found:
        settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, witnesses=(found.configured,))
        yield found


def restore(backup: Path, data: Path) -> None:
    node.close()
    shutil.rmtree(data / "ledger")
    shutil.copytree(backup, data / "ledger")


def test_closing_leaves_the_mark_and_the_next_start_finds_it(own_node: Reader) -> None:
    write(type_record())
    size = own_node.size
    node.close()
    assert marked().size == size
    node.engine()


def test_a_restored_ledger_directory_is_refused_by_the_mark(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path)
    assert refused() == "ledger-behind"
    assert node.ledger().size == 3


def test_another_history_of_the_same_length_is_refused_by_the_mark(backup: Path, tmp_path: Path) -> None:
    node.close()
    mark = (tmp_path / high_water.FILE).read_text()
    restore(backup, tmp_path)
    (tmp_path / high_water.FILE).unlink()
    write(issue_record())
    node.close()
    (tmp_path / high_water.FILE).write_text(mark)
    assert refused() == "ledger-forked"


@pytest.mark.parametrize("text", ["", "nonsense", "\x00"])
def test_a_mark_that_is_no_checkpoint_is_refused(own_node: Reader, tmp_path: Path, text: str) -> None:
    (tmp_path / high_water.FILE).write_text(text)
    assert refused() == "mark-unreadable"


def test_a_mark_that_cannot_be_written_stops_nothing(own_node: Reader, tmp_path: Path) -> None:
    (tmp_path / high_water.FILE).mkdir()
    high_water.mark(tmp_path / high_water.FILE, own_node.checkpoint())
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("ledger-high-water.")] == []


def test_a_node_restored_with_everything_is_refused_by_its_witness(
    backup: Path, stranger: Stranger, tmp_path: Path
) -> None:
    node.engine()
    assert node.ledger().cosigned() is not None
    restore(backup, tmp_path)
    (tmp_path / high_water.FILE).unlink()
    assert refused() == "ledger-behind"
    assert stranger.witness.memory.evidence() == []


def test_a_second_history_is_refused_by_the_witness(backup: Path, stranger: Stranger, settings: Settings) -> None:
    node.engine()
    restore(backup, backup.parent)
    (backup.parent / high_water.FILE).unlink()
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, witnesses=())
    write(issue_record())
    node.close()
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, witnesses=(stranger.configured,))
    assert refused() == "ledger-forked"


def test_a_sound_node_starts_with_its_witness(own_node: Reader, stranger: Stranger) -> None:
    write(type_record())
    node.close()
    write(issue_record())
    node.close()
    node.engine()
    assert node.ledger().cosigned() == node.ledger().checkpoint()


def test_doctor_tells_how_far_each_witness_has_cosigned(own_node: Reader, stranger: Stranger) -> None:
    assert doctor.witnesses().result == "warn"
    node.engine()
    assert doctor.witnesses().en == "witness.test/w: cosigned 1/1"
    write(type_record())
    assert doctor.witnesses().en == "witness.test/w: cosigned 1/3"


def test_doctor_fails_on_a_witness_that_contradicts(backup: Path, stranger: Stranger, tmp_path: Path) -> None:
    node.engine()
    restore(backup, tmp_path)
    (tmp_path / high_water.FILE).unlink()
    assert refused() == "ledger-behind"
    found = doctor.witnesses()
    assert found.result == "fail"
    assert "ahead" in found.en


def test_doctor_without_witnesses_says_so(own_node: Reader) -> None:
    assert doctor.witnesses().result == "ok"


def test_the_service_marks_and_asks_while_the_node_runs(
    own_node: Reader, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gov_chain.ledger.witness.rounds.Rounds.__init__.__kwdefaults__", {"interval": 0.01})
    node.engine()
    node.mark()
    service.start()
    write(type_record())
    for _ in range(500):
        if node.ledger().cosigned() == node.ledger().checkpoint() and marked().size == node.ledger().size:
            break
        service._rounds.join(0.02)  # type: ignore[union-attr]
    service.stop()
    assert node.ledger().cosigned() == node.ledger().checkpoint()
    assert marked().size == node.ledger().size
