"""tests/vectors/statemap.json: what the wallet's verifier is held to as well. Compared here, never hand-written.

To write it anew after a change of format: python -m tests.ledger.test_statemap_vectors
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2

from gov_chain.ledger.core import checkpoint, entries, note, records, state, state_proof, statemap
from gov_chain.ledger.core.errors import LedgerError
from tests.ledger.test_statemap import Memory
from tests.ledger.town import DIGEST, HOME, STREET, VERIFIER, secret_key

FILE = Path(__file__).parents[1] / "vectors" / "statemap.json"
SIZES = (0, 1, 16, 17, 400)
START = 1_800_000_000


class Rows(Memory):
    """A map of so many grants."""

    def __init__(self, count: int) -> None:
        super().__init__()
        rows = {}
        for number in range(count):
            value = [HOME, 1, 1, [3], START, 2, 0, number, sha256(b"chain %d" % number).digest()]
            rows[statemap.path_of(key(number))] = cbor2.dumps(value)
        self.put(rows)

    def told(self, of: bytes) -> str:
        found = self.proof(statemap.path_of(of))
        return state_proof.build(key=of, found=found, checkpoint=signed(self.map.root))


def key(number: int) -> bytes:
    return state.grant_key(sha256(b"handle %d" % number).digest())


def signed(root: bytes | None) -> str:
    sign = secret_key(0).sign
    return checkpoint.sign(verifier=VERIFIER, size=1000, root=DIGEST, signer=sign, state_root=root)


def forgeries(true: str) -> dict[str, str]:
    """Proofs that say too much, by what is wrong with them."""
    parts = state_proof.parse(true)
    found = parts.found
    path = statemap.path_of(parts.key)

    def build(key: bytes = parts.key, checkpoint: str = parts.checkpoint, **changes: Any) -> str:
        values = {"value": found.value, "bucket": found.bucket, "siblings": found.siblings} | changes
        return state_proof.build(key=key, found=statemap.Lookup(**values), checkpoint=checkpoint)

    more = (path[:31] + bytes([path[31] ^ 1]) + bytes(32),)
    head, _, rest = true.partition("\n")
    return {
        "another value": build(value=cbor2.dumps([9])),
        "absent though there": build(value=None),
        "taken out of the bucket": build(value=None, bucket=[pair for pair in found.bucket if pair[:32] != path]),
        "a bucket with more in it": build(bucket=sorted((*found.bucket, *more))),
        "a bucket out of order": build(bucket=found.bucket[::-1]),
        "an empty bucket": build(value=None, bucket=()),
        "a level left out": build(siblings=found.siblings[1:]),
        "a level too many": build(siblings=(*found.siblings, bytes(192))),
        "siblings too short": build(siblings=(found.siblings[0][:160], *found.siblings[1:])),
        "another key": build(key=key(10**6)),
        "a key of a kind that is not in the map": build(key=state.issue_key(bytes(32)), value=None),
        "a checkpoint without a state": build(checkpoint=signed(None)),
        "a checkpoint of another state": build(checkpoint=signed(DIGEST)),
        "two states": build(checkpoint=parts.checkpoint.replace("\nstate ", "\nstate AAAA\nstate ", 1)),
        "a signature by nobody": build(checkpoint=parts.checkpoint[:-8] + "AAAAAA=\n"),
        "an unknown version": "govchain/state-proof@v2\n" + rest,
        "no version": rest,
        "a line twice": f"{head}\n{rest.partition(chr(10))[0]}\n{rest}",
        "nothing": "",
    }


def history() -> dict[str, Any]:
    secret = bytes(range(1, 33))
    handle = sha256(secret).digest()
    grant = records.grant(
        handle=handle, matter=1, version=1, masks=[3], not_after=START + 9, uses=2, consent_digest=DIGEST
    )
    use = records.usage(handle=handle, matter=1, version=1, masks=[1], context_digest=DIGEST)
    logged = [
        entries.wrap(START, HOME, grant),
        entries.wrap(START + 1, STREET, use),
        entries.wrap(START + 2, HOME, records.withdraw(secret=secret)),
    ]
    chain = state.NO_CHAIN
    for entry in logged:
        chain = sha256(chain + entry).digest()
    value = [HOME, 1, 1, [3], START + 9, 1, 12, 10, chain]
    path = statemap.path_of(state.grant_key(handle))
    pairs = (path + statemap.value_hash(cbor2.dumps(value)),)
    found = statemap.Lookup(cbor2.dumps(value), pairs, ())
    proof = state_proof.build(key=state.grant_key(handle), found=found, checkpoint=signed(statemap.bucket_hash(pairs)))
    return {"handle": handle.hex(), "entries": [entry.hex() for entry in logged], "proof": proof}


def vectors() -> dict[str, Any]:
    valid = []
    for size in SIZES:
        rows = Rows(size)
        for number in sorted({0, size // 2, size - 1, size, 10**6} - {-1}):
            body = rows.rows.get(statemap.path_of(key(number)))
            valid.append(
                {
                    "name": f"key {number} of {size}",
                    "key": key(number).hex(),
                    "value": None if body is None else body.hex(),
                    "root": rows.map.root.hex(),
                    "proof": rows.told(key(number)),
                }
            )
    forged = [{"name": name, "proof": text} for name, text in forgeries(Rows(400).told(key(7))).items()]
    return {"vkey": VERIFIER.vkey, "valid": valid, "forged": forged, "history": history()}


def test_the_vectors_are_what_is_made_today() -> None:
    assert json.loads(FILE.read_text()) == vectors()


def test_every_valid_vector_verifies_and_no_forged_one() -> None:
    told = json.loads(FILE.read_text())
    assert len(told["valid"]) > 15
    for each in told["valid"]:
        found = state_proof.verify(each["proof"], told["vkey"])
        assert found.key.hex() == each["key"]
        assert found.value == (None if each["value"] is None else cbor2.loads(bytes.fromhex(each["value"])))
        head = checkpoint.verify(state_proof.parse(each["proof"]).checkpoint, note.parse_vkey(told["vkey"]))
        assert head.state_root is not None
        assert head.state_root.hex() == each["root"]
    for each in told["forged"]:
        try:
            state_proof.verify(each["proof"], told["vkey"])
        except LedgerError:
            continue
        raise AssertionError(each["name"])


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
