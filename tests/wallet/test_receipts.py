"""The phone's verifier and the platform's agree: on genuine receipts, on forged ones, on consistency."""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gov_chain.core.codec import encode
from gov_chain.ledger.core import receipt, state_proof
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.town import PSB, VERIFIER, Town, issue_record
from tests.vectors import receipts as vectors
from tests.wallet.node import WALLET, node

VKEY = VERIFIER.vkey
VECTORS = json.loads(vectors.FILE.read_text())
STATES = json.loads(vectors.FILE.with_name("statemap.json").read_text())
MUTATIONS, STATE_MUTATIONS = 10_000, 2_000
ALPHABET = "ABCXYZabcxyz0189+/= \n\t\r\u2014省"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Three agencies with a history of every kind of record but usage and withdrawal."""
    made = Town(tmp_path / "ledger")
    made.register()
    for _ in range(4):
        made.submit(PSB, *(issue_record() for _ in range(3)))
    made.grant()
    yield made
    made.engine.close()
    made.reader.close()


def on_the_phone(
    receipts: list[str], consistency: list[dict[str, Any]] | None = None, states: list[str] | None = None
) -> dict[str, list[Any]]:
    asked = json.dumps({"vkey": VKEY, "receipts": receipts, "consistency": consistency or [], "states": states or []})
    command = [node(), "test/verdicts.mjs"]
    done = subprocess.run(command, check=True, cwd=WALLET, input=asked, capture_output=True, text=True, timeout=180)
    answer: dict[str, list[Any]] = json.loads(done.stdout)
    return answer


def here(text: str) -> list[Any] | None:
    try:
        found = receipt.verify(text, VKEY)
    except LedgerError:
        return None
    entry = receipt.parse(text).entry
    return [entry.hex(), found.index, found.time, found.agency, found.kind, found.size]


def stated_here(text: str) -> list[Any] | None:
    try:
        found = state_proof.verify(text, VKEY)
    except LedgerError:
        return None
    return [found.key.hex(), None if found.value is None else encode(found.value).hex(), found.size]


def mutated(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text))
    match dice.randrange(4):
        case 0:
            return text[:at] + dice.choice(ALPHABET) + text[at + 1 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + dice.choice(ALPHABET) + text[at:]
        case _:
            return text[:at]


def test_every_genuine_receipt_says_the_same_on_the_phone(town: Town) -> None:
    reader = town.reader
    texts = [reader.receipt(index) for index in range(reader.size)]
    assert on_the_phone(texts)["receipts"] == [here(text) for text in texts]


def test_the_published_vectors_say_the_same_on_the_phone() -> None:
    published = [each["receipt"] for part in ("genuine", "refused") for each in VECTORS[part]]
    verdicts = on_the_phone(published)["receipts"]
    assert verdicts == [here(text) for text in published]
    genuine = VECTORS["genuine"]
    members = ("entry", "index", "time", "agency", "kind", "size")
    assert verdicts[: len(genuine)] == [[each[name] for name in members] for each in genuine]
    assert verdicts[len(genuine) :] == [None] * len(VECTORS["refused"])


def test_no_mutated_receipt_proves_anything_new_on_the_phone() -> None:
    dice = random.Random(20261121)
    genuine = [each["receipt"] for each in VECTORS["genuine"]]
    known = {json.dumps(here(text)) for text in genuine}
    forged = [mutated(dice.choice(genuine), dice) for _ in range(MUTATIONS)]
    for text, verdict in zip(forged, on_the_phone(forged)["receipts"], strict=True):
        assert verdict == here(text), text
        assert verdict is None or json.dumps(verdict) in known, text


def test_no_mutated_state_proof_is_judged_otherwise_on_the_phone() -> None:
    dice = random.Random(20261121)
    genuine = [each["proof"] for each in STATES["valid"]]
    forged = [mutated(dice.choice(genuine), dice) for _ in range(STATE_MUTATIONS)]
    verdicts = on_the_phone([], states=[*genuine, *forged])["states"]
    assert None not in verdicts[: len(genuine)]
    for text, verdict in zip([*genuine, *forged], verdicts, strict=True):
        assert verdict == stated_here(text), text


def test_consistency_between_any_two_sizes_is_accepted_and_a_damaged_proof_is_not(town: Town) -> None:
    older = town.reader.checkpoint()
    sizes = town.reader.size
    for _ in range(3):
        town.submit(PSB, issue_record())
    newer = town.reader.checkpoint()
    proof = [b64encode(node).decode() for node in town.reader.consistency(sizes, town.reader.size)]
    claims = [
        {"older": older, "newer": newer, "proof": proof},
        {"older": older, "newer": older, "proof": []},
        {"older": older, "newer": newer, "proof": proof[:-1]},
        {"older": older, "newer": newer, "proof": proof[::-1]},
        {"older": newer, "newer": older, "proof": proof},
    ]
    assert on_the_phone([], claims)["consistency"] == [True, True, None, None, None]
