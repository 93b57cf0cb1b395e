"""What must hold on every node after every fault (threats.md), checked when the nodes stand at one block.

I1  every acknowledged transaction is where it was said to be, on every node, and provable under its last checkpoint
I2  root, tiles, indexes and state are those the entries make (fsck)
I4  entries are records of the table, which has no room for text (fsck); logs hold nothing that was submitted
and every node's application came to the same hash at every height.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import closing

from gov_chain.ledger import fsck
from gov_chain.ledger.core import receipt, transaction
from gov_chain.ledger.engines import Committed
from tests.consortium.network import Network, Node
from tests.ledger.town import VERIFIER


def check(
    network: Network,
    acknowledged: Sequence[tuple[bytes, Committed]] = (),
    nodes: Sequence[Node] | None = None,
    rebuilt: int | None = None,
) -> int:
    """The height they stand at; raises AssertionError. `rebuilt`: how many of the nodes' ledgers are (default: all)."""
    nodes = list(network.nodes if nodes is None else nodes)
    height = network.same_height(nodes)
    _same_hashes(nodes, network.compared + 1, height)
    network.compared = height
    for node in nodes:
        with closing(node.reader) as reader:
            for body, done in acknowledged:
                assert reader.outcome(body) == done, f"node {node.number} has it otherwise"
            for body, done in (*acknowledged[:3], *acknowledged[-3:]):
                _provable(reader.receipt, body, done)
        _nothing_in_logs(node, [body for body, _ in acknowledged[-50:]])
        if nodes.index(node) >= (len(nodes) if rebuilt is None else rebuilt):
            continue
        report = fsck.check(node.data / "ledger", vkey=VERIFIER.vkey)
        assert report.findings == [], f"node {node.number}"
    return height


def _same_hashes(nodes: Iterable[Node], first: int, last: int) -> None:
    for at in range(first, last + 1):
        found = set()
        for node in nodes:
            results = node.ask("block_results", height=str(at))
            if results is not None:  # one that came by a snapshot has only what came after
                found.add(results["app_hash"])
        assert len(found) == 1, f"block {at}: {found}"


def _provable(receipt_of: object, body: bytes, done: Committed) -> None:
    assert callable(receipt_of)
    records = transaction.parse(body).records
    for position, index in enumerate(done.positions):
        if index is not None:
            proven = receipt.verify(receipt_of(index), VERIFIER.vkey)
            assert (proven.index, proven.entry.record) == (index, records[position])


def _nothing_in_logs(node: Node, bodies: Iterable[bytes]) -> None:
    logs = node.log() + node.log("cometbft")
    for body in bodies:
        for record in transaction.parse(body).records[:2]:
            secret = record[-32:]
            assert secret.hex() not in logs.lower()
            assert b64encode(secret).decode()[:40] not in logs
