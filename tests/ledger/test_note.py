import pytest

from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.town import ORIGIN, VERIFIER, secret_key

# From the documentation of golang.org/x/mod/sumdb/note.
PUBLISHED_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PUBLISHED_NOTE = PUBLISHED_TEXT + (
    "\n\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ROOT = "A" * 43 + "=\n"
SIGNED = checkpoint.sign(verifier=VERIFIER, size=7, root=bytes(32), signer=secret_key(0).sign)


def test_a_published_note_opens_under_its_published_key() -> None:
    assert note.open_note(PUBLISHED_NOTE, note.parse_vkey(PUBLISHED_VKEY)) == PUBLISHED_TEXT


def test_a_vkey_is_written_as_it_was_read() -> None:
    assert note.parse_vkey(PUBLISHED_VKEY).vkey == PUBLISHED_VKEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        PUBLISHED_VKEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_VKEY.replace("PeterNeumann", "Peter Neumann"),
        PUBLISHED_VKEY[:-1],
        PUBLISHED_VKEY.replace("+AR", "+AB"),
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_malformed_vkey_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="vkey-malformed"):
        note.parse_vkey(text)


def test_a_checkpoint_comes_back_as_signed() -> None:
    assert checkpoint.verify(SIGNED, VERIFIER) == checkpoint.Checkpoint(ORIGIN, 7, bytes(32))


def test_lines_by_other_keys_are_ignored() -> None:
    stranger = note.Verifier("witness.example", bytes(32))
    line = note.sign("x\n", stranger, lambda data: bytes(64)).split("\n\n")[1]
    assert checkpoint.verify(SIGNED + line, VERIFIER).size == 7


def test_a_checkpoint_of_another_key_is_unsigned() -> None:
    with pytest.raises(LedgerError, match="note-unsigned"):
        checkpoint.verify(SIGNED, note.Verifier(ORIGIN, bytes(32)))


def test_an_altered_checkpoint_is_refused() -> None:
    with pytest.raises(LedgerError, match="note-signature-wrong"):
        checkpoint.verify(SIGNED.replace("\n7\n", "\n8\n"), VERIFIER)


def test_a_checkpoint_of_another_origin_is_refused_even_if_signed() -> None:
    text = checkpoint.Checkpoint("other.example", 7, bytes(32)).text
    with pytest.raises(LedgerError, match="checkpoint-malformed"):
        checkpoint.verify(note.sign(text, VERIFIER, secret_key(0).sign), VERIFIER)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "a\n",
        "a\n1\n",
        "a\n01\nAAAA\n",
        "a\n-1\n" + "A" * 43 + "=\n",
        "a\n1\nAAAA\n",
        "a\n1\n" + "A" * 43 + "=\n\nx\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(LedgerError, match="checkpoint-malformed"):
        checkpoint.parse(body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n\n",
        "a\n\n- b c\n",
        "a\n\n\u2014 b\n",
        "a\n\n\u2014 b AAAA\n",
        "a\x00\n\n\u2014 b AAAAAAAA\n",
        "\ud800",
    ],
)
def test_a_malformed_note_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="note-malformed"):
        note.open_note(text, VERIFIER)
