"""A witness: what it cosigns, what it refuses, and that it remembers (c2sp.org/tlog-witness, tlog-cosignature)."""

import stat
import threading
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from gov_chain.keys import KeyStoreError
from gov_chain.ledger.core import checkpoint, cosignature, note, tiles, tree, witnessing
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.witnessing import Submission, WitnessError
from gov_chain.ledger.witness.memory import Memory
from gov_chain.ledger.witness.witness import KEY_FILE, Witness, key
from tests.ledger.town import ORIGIN, START, VERIFIER, public_key, secret_key


class Log:
    """A log of numbered leaves; `branch` makes another one of them from some leaf on."""

    def __init__(self, branch: str = "", since: int = 0) -> None:
        self._branch, self._since = branch, since

    def leaves(self, size: int) -> list[bytes]:
        return [tree.leaf_hash(f"{at}{self._branch if at >= self._since else ''}".encode()) for at in range(size)]

    def signed(self, size: int, extensions: tuple[str, ...] = (), number: int = 0) -> str:
        verifier = replace(VERIFIER, public_key=public_key(number))
        return checkpoint.sign(
            verifier=verifier,
            size=size,
            root=tree.root(self.leaves(size)),
            signer=secret_key(number).sign,
            extensions=extensions,
        )

    def proof(self, first: int, second: int) -> tuple[bytes, ...]:
        shelf: dict[tuple[int, int], bytes] = {}
        edge = tiles.Edge(0, lambda level, index: b"")
        edge.extend(self.leaves(second))
        shelf = {(level, index): hashes for level, index, hashes in edge.changed()}
        return tuple(tree.consistency_proof(first, second, tiles.nodes(lambda level, index: shelf[level, index])))

    def submission(self, old: int, size: int) -> Submission:
        return Submission(old, self.proof(old, size), self.signed(size))


LOG = Log()


def witness_in(directory: Path) -> Witness:
    return Witness(Memory(directory), name="witness.test/w", key=key(directory), logs=[VERIFIER], clock=lambda: START)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return witness_in(tmp_path / "witness")


def refusal(witness: Witness, submission: Submission) -> str:
    with pytest.raises(WitnessError) as caught:
        witness.add_checkpoint(submission)
    return caught.value.code


def test_a_cosignature_verifies_and_the_checkpoint_stays_what_it_was(witness: Witness) -> None:
    signed = LOG.signed(5)
    line = witness.add_checkpoint(LOG.submission(0, 5))
    assert checkpoint.verify(signed + line, VERIFIER) == checkpoint.verify(signed, VERIFIER)
    text, lines = note.split(signed + line)
    found = cosignature.find(text, lines, cosignature.parse_vkey(witness.cosigner.vkey))
    assert found is not None
    assert found.time == START
    assert found.line == line


def test_a_cosignature_of_another_text_does_not_verify(witness: Witness) -> None:
    line = witness.add_checkpoint(LOG.submission(0, 5))
    text, lines = note.split(LOG.signed(6) + line)
    with pytest.raises(LedgerError, match="note-signature-wrong"):
        cosignature.find(text, lines, witness.cosigner)


def test_the_witnesses_key_is_not_the_logs(witness: Witness) -> None:
    with pytest.raises(LedgerError, match="vkey-malformed"):
        note.parse_vkey(witness.cosigner.vkey)
    assert cosignature.parse_vkey(VERIFIER.vkey).key_id != VERIFIER.key_id


def test_it_follows_a_growing_log(witness: Witness) -> None:
    for old, size in ((0, 1), (1, 2), (2, 256), (256, 256), (256, 300)):
        witness.add_checkpoint(LOG.submission(old, size))
    assert witness.memory.logs()[ORIGIN].checkpoint.size == 300


def test_a_fork_is_refused_and_kept_as_evidence(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    other = Log(branch="fork", since=9)
    assert refusal(witness, Submission(10, (), other.signed(10))) == "checkpoint-differs"
    ((first, second),) = witness.memory.evidence()
    one, two = checkpoint.verify(first, VERIFIER), checkpoint.verify(second, VERIFIER)
    assert one.size == two.size
    assert one.root != two.root
    assert witness.memory.logs()[ORIGIN].checkpoint == one


def test_another_state_root_for_one_size_is_a_fork_too(witness: Witness) -> None:
    witness.add_checkpoint(Submission(0, (), LOG.signed(10, ("state one",))))
    assert refusal(witness, Submission(10, (), LOG.signed(10, ("state two",)))) == "checkpoint-differs"


def test_a_larger_fork_is_refused(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    fork = Log(branch="fork", since=4)
    assert refusal(witness, fork.submission(10, 20)) == "extension-unproven"
    assert refusal(witness, fork.submission(4, 20)) == "old-size-stale"


def test_a_log_set_back_is_refused_and_told_the_size(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    with pytest.raises(WitnessError) as caught:
        witness.add_checkpoint(LOG.submission(0, 7))
    assert (caught.value.code, caught.value.values) == ("old-size-stale", {"size": 10})
    assert refusal(witness, Submission(10, (), LOG.signed(7))) == "old-size-beyond"


@pytest.mark.parametrize("old", [0, 9, 11])
def test_a_stale_old_size_is_told_the_right_one(witness: Witness, old: int) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    assert refusal(witness, LOG.submission(old, 20)) == "old-size-stale"


def test_bad_proofs_are_refused(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    good = LOG.submission(10, 20)
    bad = [(), good.proof[:-1], (*good.proof, bytes(32)), (bytes(32), *good.proof[1:]), good.proof[::-1]]
    for proof in bad:
        assert refusal(witness, replace(good, proof=proof)) == "extension-unproven"
    witness.add_checkpoint(good)
    assert refusal(witness, replace(LOG.submission(20, 20), proof=(bytes(32),))) == "extension-unproven"


def test_a_first_submission_carries_no_proof(witness: Witness) -> None:
    assert refusal(witness, replace(LOG.submission(0, 10), proof=(bytes(32),))) == "extension-unproven"


def test_an_unknown_log_and_an_unknown_key_are_refused(witness: Witness) -> None:
    stranger = note.sign("elsewhere.example\n0\n" + b64encode(tree.EMPTY_ROOT).decode() + "\n",
                         note.Verifier("elsewhere.example", public_key(0)), secret_key(0).sign)  # fmt: skip
    assert refusal(witness, Submission(0, (), stranger)) == "origin-unknown"
    assert refusal(witness, Submission(0, (), LOG.signed(3, number=7))) == "checkpoint-unsigned"
    forged = LOG.signed(3).replace("\n3\n", "\n4\n")
    assert refusal(witness, Submission(0, (), forged)) == "checkpoint-unsigned"
    assert witness.memory.logs() == {}


def test_a_restart_remembers(tmp_path: Path) -> None:
    first = witness_in(tmp_path)
    first.add_checkpoint(LOG.submission(0, 10))
    again = witness_in(tmp_path)
    assert again.cosigner == first.cosigner
    assert refusal(again, LOG.submission(0, 20)) == "old-size-stale"
    assert refusal(again, Submission(10, (), Log(branch="fork").signed(10))) == "checkpoint-differs"
    again.add_checkpoint(LOG.submission(10, 20))


def test_lines_added_by_strangers_are_not_remembered(witness: Witness) -> None:
    noise = "".join(f"{note.DASH}noise{at}.example {b64encode(bytes(68)).decode()}\n" for at in range(60))
    witness.add_checkpoint(Submission(0, (), LOG.signed(3) + noise))
    _, lines = note.split(witness.memory.logs()[ORIGIN].text)
    assert [name for name, _ in lines] == [ORIGIN, "witness.test/w"]


def test_of_two_that_race_one_is_told_of_the_other(tmp_path: Path) -> None:
    """Two processes' worth of one witness: the comparison and the change are one step."""
    witnesses = [witness_in(tmp_path), witness_in(tmp_path)]
    logs = [Log(branch="left", since=10), Log(branch="right", since=10)]
    witnesses[0].add_checkpoint(LOG.submission(0, 10))
    submissions = [log.submission(10, 20) for log in logs]
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def submit(number: int) -> None:
        start.wait()
        try:
            witnesses[number].add_checkpoint(submissions[number])
            outcomes.append("cosigned")
        except WitnessError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=submit, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["cosigned", "old-size-stale"]


def test_a_clock_set_back_does_not_make_statements_earlier(tmp_path: Path) -> None:
    witness_in(tmp_path).add_checkpoint(LOG.submission(0, 10))
    earlier = Witness(
        Memory(tmp_path), name="witness.test/w", key=key(tmp_path), logs=[VERIFIER], clock=lambda: START - 500
    )
    earlier.add_checkpoint(LOG.submission(10, 20))
    assert earlier.memory.logs()[ORIGIN].time == START


def test_the_key_is_only_its_owners(tmp_path: Path) -> None:
    key(tmp_path)
    file = tmp_path / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(KeyStoreError, match="key-exposed"):
        key(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 0",
        "old 0\n",
        "old 00\n\n" + LOG.signed(3),
        "old -1\n\n" + LOG.signed(3),
        "old 99999999999999999999\n\n" + LOG.signed(3),
        "old 0 \n\n" + LOG.signed(3),
        "new 0\n\n" + LOG.signed(3),
        "old 0\nnot base64\n\n" + LOG.signed(3),
        "old 0\nAAAA\n\n" + LOG.signed(3),
        "old 0\n" + "A" * 43 + "=\n" * 64 + "\n" + LOG.signed(3),
        "old 0\n\n" + "x" * 200_000,
    ],
)
def test_what_is_not_a_submission_is_refused(text: str) -> None:
    with pytest.raises(WitnessError, match="submission-malformed"):
        witnessing.parse(text)


def test_a_submission_is_read_as_it_was_written() -> None:
    made = LOG.submission(7, 20)
    assert witnessing.parse(made.text) == made


@pytest.mark.parametrize("signed", ["nonsense", LOG.signed(3)[:-2], "a\nb\nc\n\n— x AAAAAAAA\n"])
def test_what_is_not_a_checkpoint_is_refused(witness: Witness, signed: str) -> None:
    assert refusal(witness, Submission(0, (), signed)) == "submission-malformed"
