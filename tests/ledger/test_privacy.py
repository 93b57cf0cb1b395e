"""No personal data where it does not belong (threats.md I4): the whole main job with canaries planted in it.

A node of its own, in a process of its own, is led through the demo's every step, with register rows and a citizen
nobody else could be. Then everything the node writes or shows beyond the people concerned is searched for them, in
every encoding they could have slipped through in.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from demo import journey
from demo.node import Node
from demo.officer import Officer
from tests.ledger.canary import Canaries, check_digit, forms

NAME, ADDRESS = "亓官鹮翀", "云州市鸬鹚港街道麒麟弄七百七十七号"
BEFORE, AFTER = ("start",), ("register-import", "stop", "ledger-fsck")


@dataclass
class Told:
    """What was heard and seen while the job ran."""

    canaries: Canaries
    folder: Path
    urls: list[str] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    public: dict[str, bytes] = field(default_factory=dict)
    """Path → answer, of what anybody (or the auditor) may read."""
    refusals: dict[str, bytes] = field(default_factory=dict)
    """Bad request → answer."""
    steps: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("canary")
    story = journey.Story(Node(folder / "node"), folder)
    steps = dict(journey._steps(story))
    try:
        steps["start"](story)
        citizen, other = story.node.greeting["citizens"][:2]
        told = Told(Canaries(NAME, ADDRESS, citizen["id_number"], other["id_number"]), folder / "node")
        import_canaries(story, [citizen["id_number"], other["id_number"]])
        story.http.event_hooks["request"].append(lambda request: told.urls.append(str(request.url)))
        listeners = [listen(story.officer("auditor"), "ledger/all", told.events)]
        for name in ("issuer", "clerk", "home", "auditor"):
            story.officer(name).http.event_hooks["request"].append(lambda request: told.urls.append(str(request.url)))
        for name, step in journey._steps(story):
            if name not in BEFORE + AFTER:
                step(story)
                told.steps.append(name)
                if name == "request":
                    listeners.append(listen(story.officer("clerk"), f"request/{journey._key(story.desk)}", told.events))
        told.public = crawl(story)
        told.refusals = refusals(story, told.canaries)
        for listener in listeners:
            listener.close()
        assert story.node.stop() == 0
    finally:
        story.close()
    return told


def import_canaries(story: journey.Story, id_numbers: list[str]) -> None:
    """Register rows of the two citizens, under names and an address of ours."""
    head = "姓名,性别,民族,出生日期,住址,公民身份号码,签发机关,有效期起,有效期止,备注"
    rows = []
    for number in id_numbers:
        birth, sex = f"{number[6:10]}-{number[10:12]}-{number[12:14]}", "女男"[int(number[16]) % 2]
        rows.append(f"{NAME},{sex},汉,{birth},{ADDRESS},{number},云州市公安局,2023-05-06,长期,")
    file = story.folder / "canaries.csv"
    file.write_text("\n".join([head, *rows, ""]), "utf-8")
    status, told = story.node.command("register", "import", journey.TYPE, str(file), "--apply")
    assert status == 0, told


def listen(officer: Officer, topic: str, events: list[bytes]) -> ClientConnection:
    """Every event of a live channel, from now on."""
    live = officer.watch(topic)

    def hear() -> None:
        with live, suppress(ConnectionClosed):
            for said in live:
                events.append(said if isinstance(said, bytes) else said.encode())

    threading.Thread(target=hear, daemon=True).start()
    return live


def crawl(story: journey.Story) -> dict[str, bytes]:
    """What the ledger, the agencies and the auditor's page show."""
    size = int(story.http.get(f"{story.base}/ledger/checkpoint").text.split("\n")[1])
    paths = ["checkpoint", "vkey", "genesis", "tile/0/000", f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"]
    paths += [f"records?after={after}&limit=200" for after in range(-1, size, 200)]
    paths += [f"receipts/{index}" for index in range(size)]
    paths += ["types/1", "matters/1", f"consistency?from=1&to={size}"]
    paths += [f"handles/{kept.handle.hex()[:4]}" for kept in story.wallet.grants]
    paths += ["cosigned", *(f"agencies/{number}" for number in (1, 2, 3))]
    paths = [f"/ledger/{path}" for path in paths]
    paths += ["/explorer/latest", "/explorer/who", *(f"/explorer/entries/{index}" for index in range(size))]
    paths += [f"/explorer/handles/{kept.handle.hex()}" for kept in story.wallet.grants]
    paths += [
        "/",
        "/ledger/",
        "/explorer/",
        "/metrics",
        "/healthz",
        "/directory.json",
        "/wallet/config.json",
        "/matters/",
    ]
    paths += [f"/agencies/{slug}/did.json" for slug in ("psb", "data", "street")]
    shown = {path: story.http.get(f"{story.base}{path}") for path in paths}
    digests = {row["values"]["digest"] for row in rows_of(shown.values()) if "digest" in row["values"]}
    shown |= {path: story.http.get(f"{story.base}{path}") for path in (f"/ledger/documents/{each}" for each in digests)}
    shown |= {path: story.officer("auditor").http.get(path) for path in ("/audit/", "/audit/rows")}
    assert shown[f"/ledger/tile/entries/000.p/{size}"].status_code == 200
    assert len([path for path in shown if path.startswith("/ledger/documents/")]) >= 2
    return {path: answer.content + repr(answer.headers.raw).encode() for path, answer in shown.items()}


def rows_of(answers: Any) -> Iterator[dict[str, Any]]:
    for answer in answers:
        if "/ledger/records" in str(answer.url):
            yield from answer.json()["rows"]


def refusals(story: journey.Story, canaries: Canaries) -> dict[str, bytes]:
    """Requests that cannot be right and carry a canary: in the path, query, headers, JSON, form."""
    routes = [
        "/nothing/{}", "/ledger/receipts/{}", "/ledger/documents/{}", "/ledger/handles/{}", "/matters/{}",
        "/agencies/{}/did.json", "/agencies/psb/oid4vci/offers/{}", "/counter/requests/{}", "/static/{}", "/live/{}/x",
        "/explorer/handles/{}", "/explorer/entries/{}", "/ledger/state/{}",
    ]  # fmt: skip
    doors = [
        "/ledger/withdrawals", "/agencies/data/wallets", "/agencies/data/grants", "/agencies/data/grants/release",
        "/agencies/psb/grants/forwarded", "/agencies/psb/oid4vci/token", "/agencies/psb/oid4vci/credential",
        "/agencies/psb/oid4vci/nonce", "/login", "/counter/requests",
    ]  # fmt: skip
    answers: dict[str, bytes] = {}

    def note(name: str, answer: httpx.Response) -> None:
        assert answer.status_code < 500, name
        # The language switch repeats the page's own address, which the visitor made; nothing else may.
        answers[name] = re.sub(rb'next=[^"]*"', b"", answer.content) + repr(answer.headers.raw).encode()

    # A redirect to the login page remembers where its visitor wanted to go, in a URL of their own making.
    http = httpx.Client(base_url=story.base, follow_redirects=False)
    with http:
        for canary, route in itertools.product(canaries, routes):
            if not (path := route.format(canary)).startswith("/counter"):
                note(f"GET {path}", http.get(path))
        for canary, door in itertools.product(list(canaries)[1:3], doors):
            for accept in ("application/json", "text/html"):
                headers = {"Accept": accept, "Referer": story.base}
                secret = {"Authorization": f"Bearer {base64.urlsafe_b64encode(canary.encode()).decode()}"}
                wrong = {"secret": canary, canary: canary, "name": [canary]}
                note(f"{accept} JSON {door} {canary}", http.post(door, json=wrong, headers=headers | secret))
                note(f"{accept} form {door} {canary}", http.post(door, data=wrong, headers=headers))
                note(f"{accept} body {door} {canary}", http.post(door, content=canary.encode(), headers=headers))
        for canary in canaries:
            note(f"query {canary}", http.get("/ledger/records", params={"after": canary, canary: "1"}))
            note(f"sizes {canary}", http.get("/ledger/consistency", params={"from": canary, "to": canary}))
            note(f"past {canary}", http.get("/ledger/agencies/1", params={"at": canary}))
            note(f"find {canary}", http.get("/explorer/find", params={"q": canary}))
    return answers


def leaks(canaries: Canaries, places: dict[str, bytes]) -> list[str]:
    return [f"{place}: {found}" for place, data in places.items() for found in canaries.found_in(data)]


def test_the_whole_job_was_done(told: Told) -> None:
    wanted = [name for name, _, when in journey.STEPS if not when and name not in BEFORE + AFTER]
    assert told.steps == wanted
    assert {"claim", "present", "history", "audit-feed", "withdraw", "standard-wallet"} <= set(told.steps)


def test_the_nodes_database_holds_none_in_the_open(told: Told) -> None:
    """Not even the register, where they belong: it is sealed."""
    assert told.canaries.found_in(b"".join(file.read_bytes() for file in told.folder.glob("*.sqlite3*"))) == []


def test_the_search_would_find_a_canary(told: Told) -> None:
    """In every form it knows."""
    for value in told.canaries:
        for name, form in forms(value).items():
            assert f"{value}: {name}" in told.canaries.found_in(b"..." + form + b"...")


def test_the_ledgers_files_hold_none(told: Told) -> None:
    files = {
        str(file.relative_to(told.folder)): file.read_bytes()
        for file in told.folder.glob("ledger*/**/*")
        if file.is_file()
    }
    assert files
    assert leaks(told.canaries, files) == []


def test_the_nodes_own_ledger_tables_hold_none(told: Told) -> None:
    """Outbox, signed transactions, documents: what is on its way to the ledger, or published."""
    (database,) = told.folder.glob("*.sqlite3")
    rows = {}
    with closing(sqlite3.connect(database)) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'ledger_*'"
            )
        ]
        for table in tables:
            for number, row in enumerate(connection.execute(f"SELECT * FROM {table}")):
                rows[f"{table} {number}"] = b" ".join(
                    each if isinstance(each, bytes) else str(each).encode() for each in row
                )
    assert len(rows) > 10
    assert leaks(told.canaries, rows) == []


def test_the_log_holds_none(told: Told) -> None:
    log = (told.folder / "node.log").read_bytes()
    assert b"WARNING" in log
    assert leaks(told.canaries, {"node.log": log}) == []


def test_what_anybody_may_read_holds_none(told: Told) -> None:
    assert len(told.public) > 50
    assert leaks(told.canaries, told.public) == []


def test_error_pages_hold_none(told: Told) -> None:
    assert len(told.refusals) > 100
    assert leaks(told.canaries, told.refusals) == []


def test_urls_hold_none(told: Told) -> None:
    assert len(told.urls) > 50
    assert leaks(told.canaries, {url: url.encode() for url in told.urls}) == []


def test_live_events_hold_none(told: Told) -> None:
    assert len(told.events) > 5
    assert all(json.loads(event) is not None for event in told.events)
    assert leaks(told.canaries, {f"event {at}": event for at, event in enumerate(told.events)}) == []


def test_canaries_are_plausible_people(told: Told) -> None:
    """An identity number with a wrong check digit would be refused at the door, and prove nothing."""
    numbers = [value for value in told.canaries if value[:17].isdigit()]
    assert len(numbers) == 2
    assert all(number[17] == check_digit(number[:17]) for number in numbers)
