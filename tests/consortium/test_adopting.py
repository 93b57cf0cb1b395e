"""A ledger that began on one machine goes on in a consortium; what it proved before, it still proves."""

from __future__ import annotations

from pathlib import Path

import httpx

from demo.journey import until
from demo.node import Consortium, Node
from gov_chain.ledger.core import receipt
from tests.consortium.network import cometbft_binary


def test_an_embedded_ledger_goes_on_and_old_receipts_still_verify(tmp_path: Path) -> None:
    cometbft_binary()
    with Node(tmp_path / "old") as node:
        old = httpx.get(f"{node.base_url}/ledger/receipts/3").text
        size = int(httpx.get(f"{node.base_url}/ledger/checkpoint").text.split("\n")[1])
        vkey = node.vkey
        refused, told = node._command("consortium", "adopt", str(tmp_path / "old"), data=tmp_path / "new")
        assert (refused, told["error"]["code"]) == (1, "adopt-running")
    status, told = node._command("consortium", "adopt", str(tmp_path / "old"), data=tmp_path / "new")
    assert status == 0, told
    assert told["nodes"] == ["psb", "data", "street", "audit"]
    with Consortium(tmp_path / "new") as consortium:
        until(lambda: length(consortium.base_url) > size, "the log does not go on")
        sizes = {"from": size, "to": length(consortium.base_url)}
        proof = httpx.get(f"{consortium.base_url}/ledger/consistency", params=sizes)
        assert proof.status_code == 200
        again = httpx.get(f"{consortium.base_url}/ledger/receipts/3").text
        assert receipt.parse(again).entry == receipt.parse(old).entry
        assert receipt.verify(old, vkey).index == 3
        status, told = consortium.command("ledger", "fsck", "--vkey", consortium.vkey, at="data")
        assert status == 0, told
    status, told = node._command("consortium", "adopt", str(tmp_path / "old"), data=tmp_path / "new")
    assert (status, told["error"]["code"]) == (1, "consortium-exists")


def length(base_url: str) -> int:
    return int(httpx.get(f"{base_url}/ledger/checkpoint").text.split("\n")[1])
