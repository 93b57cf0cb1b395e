"""The main job, step by step, against a fresh node; every step checks what it saw.

The steps are one table, in order. A step answers a line of detail or raises; after a failure the
rest is not run, because each builds on the one before.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
from cryptography.exceptions import InvalidSignature
from websockets.exceptions import WebSocketException

from demo.holder import UnacceptableError
from demo.node import Node, NodeFailedError
from demo.officer import Officer
from demo.standard_wallet import RefusedError, StandardWallet
from demo.wallet import GrantKept, Wallet
from gov_chain.core.errors import GovChainError

PIN = "271828"
TYPE = "resident-id"
MATTER = "residence-permit"


class CheckFailedError(Exception):
    """What was seen is not what should be."""


FAILURES = (
    CheckFailedError,
    RefusedError,
    UnacceptableError,
    NodeFailedError,
    GovChainError,
    InvalidSignature,
    LookupError,
    TypeError,
    ValueError,
    OSError,
    httpx.HTTPError,
    WebSocketException,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    ok: bool
    seconds: float
    detail: str


@dataclass(slots=True)
class Story:
    """What later steps need from earlier ones."""

    node: Node
    folder: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    officers: dict[str, Officer] = field(default_factory=dict)
    wallet: Wallet = None  # type: ignore[assignment]  # set by `activate`
    other: StandardWallet = None  # type: ignore[assignment]  # set by `standard_wallet`
    person: dict[str, str] = field(default_factory=dict)
    offer: dict[str, str] = field(default_factory=dict)
    request: str = ""
    desk: str = ""
    grant: GrantKept = None  # type: ignore[assignment]  # set by `consent`

    @property
    def base(self) -> str:
        return self.node.base_url

    def officer(self, username: str) -> Officer:
        if username not in self.officers:
            self.officers[username] = Officer(self.base, username, self.node.greeting["password"])
        return self.officers[username]


def expect(holds: object, otherwise: str) -> None:
    if not holds:
        raise CheckFailedError(otherwise)


def refused(act: Callable[[], object], *codes: str) -> str:
    """The code `act` is refused with; raises unless it is refused with one of `codes`."""
    try:
        act()
    except RefusedError as error:
        expect(error.status < 500, f"answered {error.status}")
        expect(not codes or error.code in codes, f"refused with {error.code}, not {codes}")
        return error.code
    raise CheckFailedError("was not refused")


Step = Callable[[Story], str]
STEPS: list[tuple[str, Step]] = []


def step(name: str) -> Callable[[Step], Step]:
    def add(run: Step) -> Step:
        STEPS.append((name, run))
        return run

    return add


@step("start")
def start(story: Story) -> str:
    story.node.__enter__()
    greeting = story.node.greeting
    expect(len(greeting["citizens"]) >= 2, "no citizens to activate")
    return f"{story.base}, ledger {greeting['vkey']}"


def run(*, keep: str | None, as_json: bool) -> int:
    """Run every step; prints the outcome and answers the exit status."""
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="govchain-demo-"))
    begun = time.monotonic()
    story = Story(Node(folder), folder)
    try:
        with nullcontext() if as_json or not sys.stderr.isatty() else _bar() as bar:
            outcomes = _perform(story, bar)
    finally:
        story.node.stop()
        story.http.close()
        for officer in story.officers.values():
            officer.close()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    done = all(outcome.ok for outcome in outcomes)
    seconds = round(time.monotonic() - begun, 2)
    if as_json:
        told = {"ok": done, "seconds": seconds, "steps": [asdict(outcome) for outcome in outcomes]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        for outcome in outcomes:
            mark = "通过 ok  " if outcome.ok else "失败 FAIL"
            sys.stdout.write(f"{mark} {outcome.seconds:6.2f}s  {outcome.name:<28} {outcome.detail}\n")
        sys.stdout.write(f"{'全部通过 all ok' if done else '未通过 failed'} {seconds}s\n")
    return 0 if done else 1
