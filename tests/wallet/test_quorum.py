"""The phone and the platform judge quorum certificates alike: published ones, mutated ones, chains of sets."""

from __future__ import annotations

import copy
import json
import random
import subprocess
from base64 import b64decode, b64encode
from typing import Any

from gov_chain.ledger.core import quorum, receipt
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.quorum import Followed
from tests.vectors import quorum as vectors
from tests.wallet.node import WALLET, node
from tests.wallet.test_receipts import mutated

PUBLISHED = json.loads(vectors.FILE.read_text())
FOLLOWED = vectors.followed(PUBLISHED)
MUTATIONS, CHAINS = 600, 120


def on_the_phone(receipts: list[str], chains: list[Any] | None = None) -> dict[str, list[Any]]:
    asked = {
        "vkey": PUBLISHED["vkey"],
        "nodeVkey": PUBLISHED["node_vkey"],
        "sets": PUBLISHED["sets"],
        "receipts": receipts,
        "chains": chains or [],
    }
    command = [node(), "test/quorum-verdicts.mjs"]
    done = subprocess.run(
        command, check=True, cwd=WALLET, input=json.dumps(asked), capture_output=True, text=True, timeout=300
    )
    answer: dict[str, list[Any]] = json.loads(done.stdout)
    return answer


def here(text: str) -> list[Any] | None:
    try:
        found = receipt.verify(text, PUBLISHED["node_vkey"], quorum=FOLLOWED)
    except LedgerError:
        return None
    return [found.index, found.size, found.certified]


def followed_here(sets: list[Any]) -> int | None:
    try:
        Followed.pinned(PUBLISHED["vkey"], *quorum.links_from_json({"sets": sets}))
    except LedgerError:
        return None
    return len(sets)


def test_the_published_vectors_say_the_same_on_the_phone() -> None:
    texts = [each["receipt"] for part in ("certified", "final", "refused") for each in PUBLISHED[part]]
    chains = [PUBLISHED["sets"], *(each["sets"] for each in PUBLISHED["chains_refused"])]
    told = on_the_phone(texts, chains)
    assert told["receipts"] == [here(text) for text in texts]
    count = len(PUBLISHED["certified"])
    assert told["receipts"][:count] == [[each["index"], each["size"], True] for each in PUBLISHED["certified"]]
    assert told["receipts"][count] == [PUBLISHED["final"][0]["index"], PUBLISHED["final"][0]["index"] + 1, False]
    assert told["chains"] == [2] + [None] * len(PUBLISHED["chains_refused"])


def test_no_mutated_receipt_is_judged_otherwise_on_the_phone() -> None:
    dice = random.Random(20261125)
    genuine = [each["receipt"] for each in PUBLISHED["certified"]]
    known = {json.dumps(here(text)) for text in genuine}
    forged = [in_the_line(dice.choice(genuine), dice) if dice.random() < 0.7 else mutated(dice.choice(genuine), dice)
              for _ in range(MUTATIONS)]  # fmt: skip
    for text, verdict in zip(forged, on_the_phone(forged)["receipts"], strict=True):
        assert verdict == here(text), text
        if verdict is not None and verdict[2]:
            assert json.dumps(verdict) in known, text


def in_the_line(text: str, dice: random.Random) -> str:
    """One bit of the certificate's bytes flipped, or some taken away or added."""
    lines = text.split("\n")
    at = next(at for at, each in enumerate(lines) if "/quorum " in each)
    name, _, encoded = lines[at].rpartition(" ")
    blob = bytearray(b64decode(encoded))
    match dice.randrange(4):
        case 0:
            del blob[dice.randrange(len(blob)) :]
        case 1:
            blob.append(dice.randrange(256))
        case _:
            blob[dice.randrange(len(blob))] ^= 1 << dice.randrange(8)
    lines[at] = f"{name} {b64encode(bytes(blob)).decode()}"
    return "\n".join(lines)


def test_no_mutated_chain_of_sets_is_followed_on_one_side_only() -> None:
    dice = random.Random(7)
    chains = []
    for _ in range(CHAINS):
        sets = copy.deepcopy(PUBLISHED["sets"])
        row = dice.choice(sets)
        if row["checkpoint"] is not None and dice.random() < 0.5:
            row["checkpoint"] = in_the_line(row["checkpoint"], dice)
        else:
            encoding = bytearray(b64decode(row["set"]))
            encoding[dice.randrange(len(encoding))] ^= 1 << dice.randrange(8)
            row["set"] = b64encode(bytes(encoding)).decode()
        chains.append(sets)
    for sets, verdict in zip(chains, on_the_phone([], chains)["chains"], strict=True):
        assert verdict == followed_here(sets)
        assert verdict is None
