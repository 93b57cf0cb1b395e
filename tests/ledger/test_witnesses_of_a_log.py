"""The log and its witnesses over HTTP: cosignatures asked for, verified, kept, shown; alarms; the gate at start."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gov_chain.core.errors import GovChainError
from gov_chain.ledger.core import checkpoint, cosignature, note, receipt
from gov_chain.ledger.core.cosignature import Cosigner
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.witness import rounds, watching
from gov_chain.ledger.witness.asking import Answer, WitnessAt
from gov_chain.ledger.witness.kept import Kept
from gov_chain.ledger.witness.rounds import Rounds
from tests.ledger.strangers import Answers, Stranger, served, witness_in, witnessing
from tests.ledger.town import PSB, VERIFIER, Town, issue_record, public_key, secret_key, type_record

SOMEBODY = Cosigner("somebody.example", public_key(5))


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Stranger]:
    with witnessing(tmp_path / "witness") as found:
        yield found


def ask(town: Town, *witnesses: WitnessAt) -> list[Answer]:
    return rounds.ask_all(town.reader, Kept(town.directory), witnesses)


def cosigned_by(text: str, cosigner: Cosigner) -> bool:
    body, lines = note.split(text)
    return cosignature.find(body, lines, cosigner) is not None


def test_a_cosignature_is_shown_on_the_checkpoint_and_in_receipts(town: Town, stranger: Stranger) -> None:
    town.register()
    before, _ = town.reader.signed()
    (answer,) = ask(town, stranger.at)
    assert (answer.state, answer.size) == ("cosigned", 7)
    shown = town.reader.checkpoint()
    assert shown.startswith(before)
    assert cosigned_by(shown, stranger.witness.cosigner)
    assert checkpoint.verify(shown, VERIFIER) == checkpoint.verify(before, VERIFIER)
    proof = town.reader.receipt(3)
    assert receipt.verify(proof, VERIFIER.vkey).size == 7
    assert cosigned_by(receipt.parse(proof).checkpoint, stranger.witness.cosigner)


def test_the_next_checkpoint_waits_for_its_own_cosignature(town: Town, stranger: Stranger) -> None:
    ask(town, stranger.at)
    town.register()
    assert not cosigned_by(town.reader.checkpoint(), stranger.witness.cosigner)
    old = town.reader.cosigned()
    assert old is not None
    assert checkpoint.verify(old, VERIFIER).size == 1
    (answer,) = ask(town, stranger.at)
    assert answer.size == 7
    assert town.reader.cosigned() == town.reader.checkpoint()


def test_a_witness_that_stands_elsewhere_is_asked_again_from_there(town: Town, stranger: Stranger) -> None:
    town.register()
    ask(town, stranger.at)
    (town.directory / "cosignatures.sqlite3").unlink()
    town.submit(PSB, issue_record())
    (answer,) = ask(town, stranger.at)
    assert answer.state == "cosigned"


def test_several_witnesses_sign_one_checkpoint(town: Town, stranger: Stranger, tmp_path: Path) -> None:
    with witnessing(tmp_path / "second", name="second.test") as second:
        ask(town, stranger.at, second.at)
        for each in (stranger, second):
            assert cosigned_by(town.reader.checkpoint(), each.witness.cosigner)


@pytest.mark.parametrize(
    ("status", "kind", "text", "state"),
    [
        (200, "text/plain", "", "wrong"),
        (200, "text/plain", "nonsense\n", "wrong"),
        (200, "text/plain", "— somebody.example AAAAAAAA\n", "wrong"),
        (200, "text/plain", "x" * 100_000, "unreachable"),
        (301, "text/plain", "", "wrong"),
        (400, "text/plain", "", "wrong"),
        (403, "text/plain", "", "unknown"),
        (404, "text/plain", "", "unknown"),
        (409, "text/x.tlog.size", "5000\n", "ahead"),
        (409, "text/x.tlog.size", "0\n", "wrong"),
        (409, "text/x.tlog.size", "-1\n", "forked"),
        (409, "text/plain", "", "forked"),
        (422, "text/plain", "", "forked"),
        (429, "text/plain", "", "unreachable"),
        (500, "text/plain", "", "unreachable"),
    ],
)
def test_every_answer_has_its_meaning_and_only_a_verified_line_is_kept(
    town: Town, status: int, kind: str, text: str, state: str
) -> None:
    with served(Answers(status, text, kind)) as url:
        (answer,) = ask(town, WitnessAt(SOMEBODY, url))
    assert answer.state == state
    assert town.reader.cosigned() is None
    (told,) = Kept(town.directory).answers()
    assert (told.state, told.cosigned) == (state, 0)


def test_a_cosignature_by_another_key_or_of_another_text_is_not_kept(town: Town, stranger: Stranger) -> None:
    impostor = WitnessAt(Cosigner(stranger.witness.cosigner.name, public_key(6)), stranger.url)
    assert ask(town, impostor)[0].state == "wrong"
    _, head = town.reader.signed()
    made = cosignature.sign(head.text + "more\n", SOMEBODY, time=1, signer=secret_key(5).sign)
    with served(Answers(200, made.line)) as url:
        assert ask(town, WitnessAt(SOMEBODY, url))[0].state == "wrong"
    assert town.reader.cosigned() is None


def test_nobody_there_is_not_an_alarm(town: Town) -> None:
    with served(Answers(200)) as url:
        pass
    assert ask(town, WitnessAt(SOMEBODY, url))[0].state == "unreachable"
    rounds.gate(town.reader, Kept(town.directory), [WitnessAt(SOMEBODY, url)])


def refused_at_start(reader: Reader, directory: Path, at: WitnessAt) -> str:
    with pytest.raises(GovChainError) as caught:
        rounds.gate(reader, Kept(directory), [at])
    return caught.value.code


def test_a_restored_backup_is_refused_by_the_witness(town: Town, stranger: Stranger) -> None:
    town.register()
    town.engine.close()
    backup = town.directory.parent / "backup"
    shutil.copytree(town.directory, backup)
    town.open()
    town.submit(PSB, issue_record())
    ask(town, stranger.at)
    restored = Reader(backup, VERIFIER)
    assert refused_at_start(restored, backup, stranger.at) == "ledger-behind"
    restored.close()


def test_a_second_history_is_refused_by_the_witness(town: Town, stranger: Stranger) -> None:
    """The backup went on by itself: as long as the first history, or longer, it is another one."""
    town.register()
    town.engine.close()
    other = Town.__new__(Town)
    other.__dict__.update(town.__dict__, directory=town.directory.parent / "other", sequences=dict(town.sequences))
    shutil.copytree(town.directory, other.directory)
    other.open()
    other.reader = Reader(other.directory, VERIFIER)
    town.open()
    town.submit(PSB, issue_record())
    ask(town, stranger.at)
    other.submit(PSB, issue_record())
    assert other.reader.size == town.reader.size
    assert refused_at_start(other.reader, other.directory, stranger.at) == "ledger-forked"
    other.submit(PSB, issue_record())
    assert refused_at_start(other.reader, other.directory, stranger.at) == "ledger-forked"
    assert len(stranger.witness.memory.evidence()) == 1
    rounds.gate(town.reader, Kept(town.directory), [stranger.at])
    other.engine.close()
    other.reader.close()


def test_rounds_cosign_what_is_new_and_mark_it(town: Town, stranger: Stranger) -> None:
    marked: list[int] = []
    going = Rounds(town.reader, Kept(town.directory), [stranger.at], mark=lambda: marked.append(town.reader.size))
    going.round()
    town.register()
    going.round()
    going.round()
    assert marked == [1, 7]
    assert town.reader.cosigned() == town.reader.checkpoint()


def test_a_witness_that_fails_is_asked_less_and_less(town: Town) -> None:
    answers = Answers(500)
    with served(answers) as url:
        going = Rounds(town.reader, Kept(town.directory), [WitnessAt(SOMEBODY, url)], mark=lambda: None, interval=1.0)
        for _ in range(64):
            going.round()
    assert answers.asked == 7


def test_a_slow_witness_holds_up_no_commit(town: Town) -> None:
    slow = Answers(500, delay=0.5)
    with served(slow) as url:
        going = Rounds(town.reader, Kept(town.directory), [WitnessAt(SOMEBODY, url)], mark=lambda: None, interval=0.01)
        going.start()
        done = [town.submit(PSB, issue_record()) for _ in range(3)]
        going.stop()
    assert [each.first for each in done] == [1, 2, 3]


def watched(witness_directory: Path, url: str) -> watching.Seen:
    with httpx.Client() as http:
        return watching.look(http, url, witness_in(witness_directory), VERIFIER)


class Shelf:
    """A log as static files, from a reader, for `watching`."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        path = scope["path"].removeprefix("/log/")  # type: ignore[index]
        body = self.reader.checkpoint().encode() if path == "checkpoint" else self._tile(path)
        self.reader.close()
        await send({"type": "http.response.start", "status": 200 if body else 404, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    def _tile(self, path: str) -> bytes:
        _, level, index, *rest = path.replace(".p/", "/").split("/")
        width = int(rest[0]) if rest else 256
        return self.reader.tile(int(level), int(index))[: width * 32]


def test_watching_sees_a_log_grow_stand_still_and_go_back(town: Town, tmp_path: Path) -> None:
    town.register()
    town.engine.close()
    backup = tmp_path / "backup"
    shutil.copytree(town.directory, backup)
    town.open()
    shelf = Shelf(town.reader)
    with served(shelf) as url:
        sights = [watched(tmp_path / "w", f"{url}/log/").sight for _ in range(2)]
        for _ in range(2):
            town.submit(PSB, *(issue_record() for _ in range(300)))
            sights.append(watched(tmp_path / "w", f"{url}/log/").sight)
        shelf.reader = Reader(backup, VERIFIER)
        sights.append(watched(tmp_path / "w", f"{url}/log/").sight)
    assert sights == ["grown", "unchanged", "grown", "grown", "behind"]


def test_watching_sees_another_history(town: Town, tmp_path: Path) -> None:
    other = Town(tmp_path / "other")
    town.register()
    shelf = Shelf(town.reader)
    with served(shelf) as url:
        assert watched(tmp_path / "w", f"{url}/log").sight == "grown"
        shelf.reader = other.reader
        other.submit(PSB, type_record())
        assert watched(tmp_path / "w", f"{url}/log").sight == "behind"
        other.submit(PSB, *(issue_record() for _ in range(20)))
        assert watched(tmp_path / "w", f"{url}/log").sight == "inconsistent"
    assert watched(tmp_path / "w", f"{url}/log").sight == "unreadable"
    other.engine.close()
    other.reader.close()
