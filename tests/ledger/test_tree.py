"""The tree against the definition in RFC 9162 §2.1.1 written as it reads, and against published roots."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.ledger.core import tree
from gov_chain.ledger.core.errors import LedgerError

# Leaves and roots of the reference log used by the Certificate Transparency implementations
# (transparency-dev/merkle, testonly/constants.go).
REFERENCE_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def largest_power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(entries: list[bytes]) -> bytes:
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = largest_power_below(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def log_of(size: int) -> list[bytes]:
    return [b"entry %d" % at for at in range(size)]


def nodes_of(entries: list[bytes]) -> tree.Node:
    return lambda level, index: mth(entries[index << level : (index + 1) << level])


def root_of(entries: list[bytes]) -> bytes:
    return tree.root(map(tree.leaf_hash, entries))


def test_roots_are_those_of_the_reference_log() -> None:
    assert [root_of(REFERENCE_LEAVES[: n + 1]).hex() for n in range(8)] == REFERENCE_ROOTS


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert tree.root([]) == sha256(b"").digest()


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_the_root_is_the_definitions(entries: list[bytes]) -> None:
    assert root_of(entries) == mth(entries)


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 100])
def test_inclusion_proofs_are_the_definitions_and_verify(size: int) -> None:
    entries = log_of(size)
    for index in range(size):
        proof = tree.inclusion_proof(index, size, nodes_of(entries))
        assert proof == path(index, entries)
        leaf = tree.leaf_hash(entries[index])
        tree.verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=mth(entries))


@pytest.mark.parametrize("second", [*range(1, 34), 64, 65])
def test_consistency_proofs_are_the_definitions_and_verify(second: int) -> None:
    entries = log_of(second)
    for first in range(second + 1):
        proof = tree.consistency_proof(first, second, nodes_of(entries))
        assert proof == (subproof(first, entries, True) if first else [])
        tree.verify_consistency(
            first=first, second=second, first_root=mth(entries[:first]), second_root=mth(entries), proof=proof
        )


@given(st.data())
def test_an_altered_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    entries = log_of(size)
    good = {
        "leaf": tree.leaf_hash(entries[index]),
        "index": index,
        "size": size,
        "proof": path(index, entries),
        "root": mth(entries),
    }
    changes = [
        {"leaf": sha256(b"another").digest()},
        {"root": sha256(b"another").digest()},
        {"index": size},
        {"index": -1},
        {"proof": [*path(index, entries), bytes(32)]},
    ]
    if size > 1:
        at = data.draw(st.integers(0, len(path(index, entries)) - 1))
        flipped = path(index, entries)
        flipped[at] = bytes([flipped[at][0] ^ 1]) + flipped[at][1:]
        changes += [{"proof": flipped}, {"proof": path(index, entries)[:-1]}, {"index": (index + 1) % size}]
    for change in changes:
        with pytest.raises(LedgerError, match="proof-wrong"):
            tree.verify_inclusion(**(good | change))  # type: ignore[arg-type]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10))
def test_an_altered_consistency_proof_is_refused(one: int, other: int, at: int) -> None:
    first, second = sorted((one, other))
    entries = log_of(second)
    proof = tree.consistency_proof(first, second, nodes_of(entries))
    other_root = sha256(b"another").digest()
    changes = [{"first_root": other_root}, {"second_root": other_root}, {"proof": [*proof, bytes(32)]}]
    if proof:
        flipped = list(proof)
        flipped[at % len(proof)] = bytes(32)
        changes += [{"proof": flipped}, {"proof": proof[:-1]}]
    good = {"first": first, "second": second, "first_root": mth(entries[:first]), "second_root": mth(entries)}
    for change in changes:
        with pytest.raises(LedgerError, match="proof-wrong"):
            tree.verify_consistency(**({"proof": proof} | good | change))  # type: ignore[arg-type]


def test_a_shrunken_log_is_not_consistent() -> None:
    with pytest.raises(LedgerError, match="proof-wrong"):
        tree.verify_consistency(first=3, second=2, first_root=bytes(32), second_root=bytes(32), proof=[])


def test_an_index_beyond_the_tree_has_no_proof() -> None:
    with pytest.raises(LedgerError, match="entry-unknown"):
        tree.inclusion_proof(5, 5, nodes_of(log_of(5)))
