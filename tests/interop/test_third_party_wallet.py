"""A wallet made of published libraries that are not ours follows our offer and request URIs.

`wallet.mjs` brings a key and a trust anchor; metadata, offers, request objects, queries and answers are read,
checked and built by the Open Wallet Foundation's OpenID4VCI, OpenID4VP, SD-JWT VC and DCQL libraries, and by jose.
The node is a real one, started as a stranger would, and asked by its command line and over HTTP alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.node import Node
from demo.officer import Officer, Page

HERE = Path(__file__).resolve().parent
BIN = HERE.parent.parent / ".venv" / "bin"
NODE = shutil.which("node", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="needs node: make setup"),
    pytest.mark.skipif(not (HERE / "node_modules").is_dir(), reason="needs its libraries: make test installs them"),
]


@dataclass(frozen=True)
class Town:
    """A running node, a counter officer at it, and its trust anchor in a file."""

    node: Node
    http: httpx.Client
    clerk: Officer
    anchor: Path

    def offer(self) -> dict[str, Any]:
        return self._command("credential", "offer", "--type", "resident-id")

    def request(self) -> dict[str, Any]:
        return self._command("presentation", "request", "--matter", "residence-permit")

    def _command(self, *arguments: str) -> dict[str, Any]:
        status, told = self.node.command(*arguments)
        assert status == 0, told
        return dict(told)

    def size(self) -> int:
        return int(self.http.get("/ledger/checkpoint").text.split("\n")[1])

    def recorded(self, since: int) -> list[tuple[str, int]]:
        """(kind, agency) of the records that entered the ledger after it had `since` entries.

        Not the status list's: a node's first certificate brings its first version, whichever test claims it.
        """
        rows = self.http.get("/ledger/records", params={"limit": 200}).json()["rows"]
        return [
            (row["name"], row["agency"])
            for row in sorted(rows, key=lambda row: row["index"])
            if row["index"] >= since and row["name"] not in ("transaction", "status")
        ]

    def desk(self, request: dict[str, Any], wanted: str) -> Page:
        """The counter's page of `request`, as soon as it says `wanted`."""
        path = f"/counter/requests/{request['request_id']}"
        with self.clerk.watch(f"request/{request['request_id']}") as live:
            return self.clerk.until(live, path, wanted)

    def wallet(self, offer: dict[str, Any], *arguments: str, tx_code: str = "") -> tuple[int, dict[str, Any]]:
        """Exit status and report of a fresh third-party wallet that follows `offer`."""
        assert NODE is not None
        given = ["--anchor", str(self.anchor), "--offer", offer["uri"], "--tx-code", tx_code or offer["tx_code"]]
        done = subprocess.run(
            [NODE, str(HERE / "wallet.mjs"), *given, *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("interop")
    with Node(folder / "node") as node, httpx.Client(base_url=node.base_url, timeout=30) as http:
        anchor = folder / "consortium-ca.crt"
        anchor.write_bytes(http.get("/consortium-ca.crt").raise_for_status().content)
        clerk = Officer(node.base_url, "clerk", node.greeting["password"])
        try:
            yield Town(node, http, clerk, anchor)
        finally:
            clerk.close()


def test_claims_and_presents_to_the_counter(town: Town) -> None:
    before = town.size()
    request = town.request()
    status, told = town.wallet(town.offer(), "--request", request["uri"])

    assert status == 0, told
    assert told["issuance"]["protocol"] == "V1"
    assert told["issuance"]["format"] == "dc+sd-jwt"
    assert told["issuance"]["notified"]
    assert told["presentation"]["protocol"] == 100
    assert told["presentation"]["client"] == "x509_hash"
    assert told["presentation"]["response_mode"] == "direct_post.jwt"
    assert told["presentation"]["answer"] == {}

    shown = [told["issuance"]["claims"][name] for name in told["presentation"]["shown"]]
    assert len(shown) == 6
    page = town.desk(request, told["issuance"]["claims"]["id_number"])
    assert [value for value in shown if value not in page.text] == []
    assert "核验通过" in page.text
    # Issuer records the grant a stranger's wallet stands for; the asking agency its use.
    assert town.recorded(before) == [("issue", 1), ("grant", 1), ("usage", 3)]


def test_request_fetched_by_get_and_answered_with_the_default_cipher(town: Town) -> None:
    """RFC 9101's plain GET for wallets that do not know `request_uri_method`; A128GCM is what HAIP wallets share."""
    request = town.request()
    uri = request["uri"].replace("&request_uri_method=post", "")
    status, told = town.wallet(town.offer(), "--request", uri, "--enc", "A128GCM")

    assert status == 0, told
    assert told["presentation"]["enc"] == "A128GCM"
    assert "核验通过" in town.desk(request, told["issuance"]["claims"]["id_number"]).text


def test_an_optional_field_stays_in_the_wallet(town: Town) -> None:
    """OpenID4VP §6.4.1: the holder may answer with a later claim set."""
    request = town.request()
    status, told = town.wallet(town.offer(), "--request", request["uri"], "--least")

    assert status == 0, told
    assert "ethnicity" not in told["presentation"]["shown"]
    text = town.desk(request, told["issuance"]["claims"]["id_number"]).text
    assert "核验通过" in text
    assert "未出示" in text


def test_declining_is_seen_at_the_counter_and_records_nothing(town: Town) -> None:
    before = town.size()
    request = town.request()
    status, told = town.wallet(town.offer(), "--request", request["uri"], "--decline")

    assert status == 0, told
    assert "市民谢绝出示" in town.desk(request, "市民谢绝出示").text
    assert town.recorded(before) == [("issue", 1)]


def test_a_wrong_tx_code_is_an_oauth_error_the_library_understands(town: Town) -> None:
    offer = town.offer()
    wrong = f"{(int(offer['tx_code']) + 1) % 10**6:06d}"
    status, told = town.wallet(offer, tx_code=wrong)
    assert status == 1
    assert told["error"]["answer"]["error"] == "invalid_grant"
    assert told["error"]["answer"]["left"] == 4

    assert town.wallet(offer)[0] == 0


def test_a_presentation_request_is_answered_once(town: Town) -> None:
    request = town.request()
    assert town.wallet(town.offer(), "--request", request["uri"])[0] == 0
    before = town.size()
    status, told = town.wallet(town.offer(), "--request", request["uri"])
    assert status == 1
    assert told["error"]["answer"]["error"] == "invalid_request_uri", told
    assert town.recorded(before) == [("issue", 1)]
