"""Receipts of every kind of record, at several sizes of one small log, and some that prove nothing.

Keys are no secret: the private key with number n is SHA-256("test key n") (`tests.ledger.town`); 0 signs
checkpoints, 1 to 3 are agencies. Times stand still, so the same bytes come out every time.
"""

from __future__ import annotations

import json
import tempfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from gov_chain.ledger.core import proposals, receipt, records, watch
from tests.ledger.town import (
    DIGEST,
    HOME,
    ORIGIN,
    PSB,
    START,
    STREET,
    VERIFIER,
    Town,
    approval,
    grant_record,
    issue_record,
    matter_record,
    type_record,
    usage_record,
)

FILE = Path(__file__).with_name("receipts.json")
POWER = 7


def _label(text: str) -> bytes:
    return sha256(b"vector " + text.encode()).digest()


def history() -> list[tuple[int, list[bytes]]]:
    """(agency, batch) of a log with every kind of record; the second usage breaks a rule and is refused."""
    secret, other, salt, tag = map(_label, ("secret", "other secret", "salt", "tag"))
    statutory = {"power": POWER, "type": 1, "mask": 0b001, "context_digest": DIGEST}
    concealed = watch.conceal(tag=tag, salt=salt)
    empower = [proposals.EMPOWER, STREET, POWER, 86400]
    batches = [
        (PSB, [type_record()]),
        (STREET, [matter_record()]),
        (
            PSB,
            [approval(), issue_record(_label("certificate")), records.status(type=1, list=1, version=1, digest=DIGEST)],
        ),
        (HOME, [grant_record(secret), grant_record(other)]),
        (STREET, [usage_record(secret), usage_record(secret, masks=0b111)]),
        (HOME, [records.withdraw(secret=other)]),
        (PSB, [records.propose(proposal=1, action=empower, expires=START + 3 * 86400)]),
        (HOME, [records.vote(proposal=1, yes=True)]),
        (STREET, [records.evidence(evidence=1, digest=DIGEST)]),
        (STREET, [records.statutory(tag=concealed, concealed_until=START + 3600, **statutory)]),
    ]
    concealed_at = 1 + sum(1 + len(batch) for _, batch in batches) - 1 - 1
    return [*batches, (STREET, [records.reveal(index=concealed_at, tag=tag, salt=salt)])]


def build() -> dict[str, Any]:
    """What the file holds."""
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder) / "ledger")
        genuine: list[dict[str, Any]] = []
        for agency, batch in [(0, []), *history()]:
            if batch:
                town.clock.pass_time(10)
                town.submit(agency, *batch)
            size = town.reader.size
            genuine += [_vector(town.reader.receipt(index)) for index in range(size) if _kept(index, size)]
        genuine += [_vector(town.reader.receipt(index)) for index in range(size)]
        newest = [each for each in genuine if each["size"] == size]
        town.engine.close()
        town.reader.close()
    return {
        "about": 'C2SP tlog-proof@v1 receipts; `extra` is the entry. Private keys: SHA-256("test key <n>").',
        "origin": ORIGIN,
        "vkey": VERIFIER.vkey,
        "genuine": list({each["receipt"]: each for each in genuine}.values()),
        "refused": _refused(newest),
    }


def _kept(index: int, size: int) -> bool:
    """A few of each older size: the ends, and what is in the middle."""
    return index in {0, size // 2, size - 1}


def _vector(text: str) -> dict[str, Any]:
    found = receipt.verify(text, VERIFIER.vkey)
    return {
        "index": found.index,
        "size": found.size,
        "time": found.time,
        "agency": found.agency,
        "kind": found.kind,
        "entry": receipt.parse(text).entry.hex(),
        "receipt": text,
    }


def _refused(newest: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Receipts that prove nothing, and why."""
    one, two = newest[4]["receipt"], newest[5]["receipt"]
    lines = one.split("\n")
    proof = lines[3 : lines.index("")]
    entry = bytearray.fromhex(newest[4]["entry"])
    entry[-1] ^= 1
    blank = one.index("\n\n") + 2
    cases = {
        "the entry of another receipt": one.replace(lines[1], two.split("\n")[1]),
        "one bit of the entry flipped": one.replace(lines[1], f"extra {b64encode(bytes(entry)).decode()}"),
        "another index": one.replace(lines[2], "index 5"),
        "an index with a leading zero": one.replace(lines[2], "index 04"),
        "the proof one hash short": one.replace(f"{proof[-1]}\n\n", "\n", 1),
        "the proof one hash long": one.replace(f"{proof[-1]}\n\n", f"{proof[-1]}\n{proof[-1]}\n\n", 1),
        "the proof in the other order": one.replace("\n".join(proof), "\n".join(reversed(proof))),
        "a size that was not signed": one.replace(
            f"{ORIGIN}\n{newest[4]['size']}\n", f"{ORIGIN}\n{newest[4]['size'] + 1}\n"
        ),
        "another origin": one.replace(f"{ORIGIN}\n", "ledger.other.example\n", 1),
        "no signature": one[:blank] + one[blank:].split("\n\n")[0] + "\n\n",
        "an unknown version": one.replace("@v1", "@v9", 1),
        "cut in the middle": one[: len(one) // 2],
        "nothing": "",
    }
    return [{"why": why, "receipt": text} for why, text in cases.items()]


def text(vectors: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"
