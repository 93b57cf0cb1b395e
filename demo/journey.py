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
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.exceptions import InvalidSignature
from tqdm import tqdm
from websockets.exceptions import WebSocketException

from demo.holder import UnacceptableError
from demo.node import Consortium, Node, NodeFailedError, VaultNode
from demo.officer import Officer
from demo.standard_wallet import RefusedError, StandardWallet
from demo.wallet import GrantKept, Wallet
from gov_chain.core.errors import GovChainError
from gov_chain.ledger.core import receipt as receipts
from gov_chain.ledger.core.quorum import Followed, links_from_json

PIN = "271828"
TYPE = "resident-id"
MATTER = "residence-permit"
KILLED = "psb"
"""The node that dies in the middle: the issuer's, which nobody needs once the certificate is on the phone."""


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
    kind: frozenset[str] = frozenset()
    """`consortium`, `kill-one`, `vault`, `kill-vault`: what of the steps is run."""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    officers: dict[str, Officer] = field(default_factory=dict)
    wallet: Wallet = None  # type: ignore[assignment]  # set by `activate`
    other: StandardWallet = None  # type: ignore[assignment]  # set by `standard_wallet`
    person: dict[str, str] = field(default_factory=dict)
    offer: dict[str, str] = field(default_factory=dict)
    request: str = ""
    desk: str = ""
    grant: GrantKept = None  # type: ignore[assignment]  # set by `consent`
    waiting: GrantKept = None  # type: ignore[assignment]  # set by `kill_vault`

    @property
    def base(self) -> str:
        return self.node.base_url

    @property
    def consortium(self) -> Consortium:
        assert isinstance(self.node, Consortium)
        return self.node

    def close(self) -> None:
        self.node.stop()
        self.http.close()
        for officer in self.officers.values():
            officer.close()

    def officer(self, username: str) -> Officer:
        if username not in self.officers:
            desk = self.node.desk(username)
            self.officers[username] = Officer(desk, username, self.node.greeting["password"])
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
ALWAYS, CONSORTIUM, KILLING = frozenset[str](), frozenset({"consortium"}), frozenset({"consortium", "kill-one"})
VAULT, VAULT_KILLED = frozenset({"vault"}), frozenset({"vault", "kill-vault"})
STEPS: list[tuple[str, Step, frozenset[str]]] = []
"""In order: name, act, and what the demo has to be for the step to be run."""


def step(name: str, when: frozenset[str] = ALWAYS) -> Callable[[Step], Step]:
    def add(run: Step) -> Step:
        STEPS.append((name, run, when))
        return run

    return add


@step("start")
def start(story: Story) -> str:
    story.node.__enter__()
    greeting = story.node.greeting
    expect(len(greeting["citizens"]) >= 2, "no citizens to activate")
    return f"{', '.join(story.node.agencies)}: {story.base}, ledger {story.node.vkey}"


@step("register-import")
def register_import(story: Story) -> str:
    good, bad = story.folder / "people.csv", story.folder / "broken.csv"
    status, _ = story.node.command("demo-data", "--people", "40", "--seed", "11", "--out", str(good))
    expect(status == 0, "demo-data failed")
    lines = good.read_text(encoding="utf-8-sig").splitlines()
    bad.write_text("\n".join([*lines[:3], lines[3].replace(lines[3].split(",")[5], "110101199001011234")]), "utf-8")
    status, told = story.node.command("register", "import", TYPE, str(bad))
    expect(status == 1, f"a wrong identity number was let in: {told}")
    status, told = story.node.command("register", "import", TYPE, str(good))
    expect(status == 0, f"import failed: {told}")
    status, again = story.node.command("register", "import", TYPE, str(good))
    expect(status == 0, f"a second import failed: {again}")
    return "40 rows; a file with one wrong check digit refused whole; importing again changes nothing"


@step("activate")
def activate(story: Story) -> str:
    story.person = story.node.greeting["citizens"][0]
    story.wallet = Wallet(story.http, story.base, story.node.vkey)
    story.wallet.activate(story.person["activation_code"], PIN)
    code = refused(lambda: story.wallet.unlock("135790"), "pin-wrong")
    return f"genesis verified under the pinned key; a wrong PIN is {code}"


@step("issue-offer")
def issue_offer(story: Story) -> str:
    story.offer = _offer(story, story.person)
    return "offer made at the issuing desk"


@step("wrong-tx-code")
def wrong_tx_code(story: Story) -> str:
    wrong = "".join(str((int(digit) + 1) % 10) for digit in story.offer["tx_code"])
    code = refused(lambda: story.wallet.claim(story.offer["uri"], wrong))
    return f"refused: {code}"


@step("claim")
def claim(story: Story) -> str:
    held = story.wallet.claim(story.offer["uri"], story.offer["tx_code"])
    expect(held.fields()["id_number"] == story.person["id_number"], "the certificate is about somebody else")
    refused(lambda: story.wallet.claim(story.offer["uri"], story.offer["tx_code"]))
    return f"{len(held.fields())} fields, bound to this wallet's key; the offer works once"


@step("kill-one", KILLING)
def kill_one(story: Story) -> str:
    """The issuer's node dies: application, engine and web, without a word. Three of four validators are a quorum."""
    status, told = story.consortium.consortium("stop", KILLED, "--kill")
    expect(status == 0, f"{told}")
    try:
        story.http.get(f"{story.consortium.node_url(KILLED)}/healthz")
    except httpx.TransportError:
        return f"{KILLED} is dead; the others go on"
    raise CheckFailedError(f"{KILLED} still answers")


@step("request")
def request(story: Story) -> str:
    story.desk, story.request = _request(story, "wallet")
    terms = story.wallet.terms(story.wallet.fetch_our_request(story.request))
    return f"{terms.matter['name']['zh']}: {len(terms.required)} required, {len(terms.optional)} optional"


@step("over-asking")
def over_asking(story: Story) -> str:
    """A consent to a field outside the matter is refused by the home agency, and nothing is recorded."""
    before = _size(story)
    wallet = story.wallet
    code = refused(lambda: wallet.consent(story.request, PIN, beyond=("valid_until",)), "fields-beyond-matter")
    expect(_size(story) == before, "the ledger grew")
    return f"refused: {code}; nothing written"


@step("present")
def present(story: Story) -> str:
    clerk = story.officer("clerk")
    with clerk.watch(f"request/{_key(story.desk)}") as live:
        story.grant = story.wallet.consent(story.request, PIN, leave_out=("ethnicity",), uses=2)
        expect(story.person["id_number"] not in clerk.open(story.desk).text, "claims open before anything was sent")
        story.wallet.send(story.grant)
        clerk.until(live, story.desk, story.person["id_number"])
    return "consent signed, grant recorded, sent under two locks, optional field left out"


@step("claims-at-counter")
def claims_at_counter(story: Story) -> str:
    text = story.officer("clerk").open(story.desk).text
    fields = story.wallet.certificates[-1].fields()
    expect(fields["name"] in text and fields["address"] in text, "a granted claim is missing")
    expect("民族 未出示" in text, "the field that was left out is shown")
    return "the granted fields, and only those, are shown"


@step("history")
def history(story: Story) -> str:
    rows = story.wallet.history(story.grant)
    kinds = [kind for kind, _ in rows]
    expect(kinds == ["grant", "usage"], f"history says {kinds}")
    expect([row.agency for _, row in rows] == [2, 3], "recorded by the wrong agencies")
    return f"grant and usage, {len(rows)} receipts verified under the pinned key; proven complete by the state map"


@step("quorum-receipt", CONSORTIUM)
def quorum_receipt(story: Story) -> str:
    """No single node's word: the validators' certificate, checked against the founding set that was pinned."""
    sets = story.http.get(f"{story.base}/ledger/validators").json()
    followed = Followed.pinned(story.consortium.quorum, *links_from_json(sets))
    index = story.wallet.history(story.grant)[-1][1].index
    url = f"{story.base}/ledger/receipts/{index}"

    def certified() -> bool:
        return receipts.verify(story.http.get(url).text, story.node.vkey, quorum=followed).certified

    until(certified, f"entry {index} is not certified")
    signed = receipts.verify(story.http.get(url).text, quorum=followed)
    return f"entry {signed.index} under a certificate of more than two thirds of {len(followed.latest.validators)}"


@step("audit-feed")
def audit_feed(story: Story) -> str:
    auditor = story.officer("auditor")
    usage = story.wallet.history(story.grant)[-1][1]
    with auditor.watch("ledger/all") as live:
        page = auditor.until(live, "/audit/", str(usage.index))
    shown = [value for values in page.data.values() for value in values]
    expect(str(usage.index) in shown, f"entry {usage.index} is not on the auditor's page")
    expect(story.person["id_number"] not in page.text, "the auditor's page names a citizen")
    refused(lambda: story.officer("clerk").open("/audit/"))
    return f"entry {usage.index} shown, no citizen named; closed to a counter officer"


@step("replay")
def replay(story: Story) -> str:
    before = _size(story)
    code = refused(lambda: story.wallet.send(story.grant))
    _, other = _request(story, "wallet")
    response_uri = story.wallet.fetch_our_request(other).claims["response_uri"]
    foreign = GrantKept(b"", 0, 0, [], [], response=story.grant.response, response_uri=response_uri)
    refused(lambda: story.wallet.send(foreign))
    expect(_size(story) == before, "the ledger grew")
    return f"refused: {code}; refused at another request too; nothing written"


@step("look-again")
def look_again(story: Story) -> str:
    clerk = story.officer("clerk")
    with clerk.watch(f"request/{_key(story.desk)}") as live:
        clerk.submit(clerk.open(story.desk).form(action="again"))
        clerk.until(live, story.desk, story.person["id_number"])
    kinds = [kind for kind, _ in story.wallet.history(story.grant)]
    expect(kinds == ["grant", "usage", "usage"], f"history says {kinds}")
    return "a second look is a second usage in the citizen's history"


@step("kill-vault", VAULT_KILLED)
def kill_vault(story: Story) -> str:
    """Vault dies without a word: what is known is still read, what needs a key waits or is told to come back."""
    _, request = _request(story, "wallet")
    story.waiting = story.wallet.consent(request, PIN, uses=2)
    status, told = story.node.command("vault", "stop", "--kill")
    expect(status == 0, f"{told}")
    size = _size(story)
    code = _told_to_come_back(lambda: _request(story, "wallet"))
    kinds = [kind for kind, _ in story.wallet.history(story.grant)]
    expect(kinds == ["grant", "usage", "usage"], f"history says {kinds}")
    _told_to_come_back(lambda: story.wallet.withdraw(story.waiting))
    expect(_size(story) == size, "something was signed without Vault")
    _, told = story.node.command("doctor")
    (outbox,) = [check for check in told["checks"] if check["name"] == "outbox"]
    expect("key-store-unreachable" in outbox["en"], f"doctor says {outbox}")
    return f"a request is answered {code}, histories are read and proven; the withdrawal waits, doctor: {outbox['en']}"


@step("vault-back", VAULT_KILLED)
def vault_back(story: Story) -> str:
    """Vault is started and unsealed; nobody tells the node."""
    status, told = story.node.command("vault", "start")
    expect(status == 0, f"{told}")
    begun = time.monotonic()
    until(lambda: [kind for kind, _ in story.wallet.history(story.waiting)] == ["grant", "withdraw"], "it still waits")
    _request(story, "wallet")
    return f"the withdrawal that waited was final {time.monotonic() - begun:.1f} s later, by itself"


@step("withdraw")
def withdraw(story: Story) -> str:
    verified = story.wallet.withdraw(story.grant)
    expect(verified.kind == "withdraw", "recorded as something else")
    return f"entry {verified.index}, by showing the handle's secret; nobody was named"


@step("use-after-withdrawal")
def use_after_withdrawal(story: Story) -> str:
    story.desk, story.request = _request(story, "wallet")
    kept = story.wallet.consent(story.request, PIN, uses=2)
    story.wallet.withdraw(kept)
    code = refused(lambda: story.wallet.send(kept))
    kinds = [kind for kind, _ in story.wallet.history(kept)]
    expect(kinds == ["grant", "withdraw"], f"history says {kinds}")
    expect(story.person["id_number"] not in story.officer("clerk").open(story.desk).text, "claims were opened")
    return f"refused: {code}; no usage, no claims"


@step("restore-one", KILLING)
def restore_one(story: Story) -> str:
    """The dead node comes back by itself, and has what was decided without it."""
    begun = time.monotonic()
    status, told = story.consortium.consortium("start", KILLED)
    expect(status == 0, f"{told}")
    size = _size(story)
    until(lambda: _size(story, KILLED) >= size, f"{KILLED} does not catch up")
    return f"{KILLED} has all {size} entries {time.monotonic() - begun:.1f} s after its start"


@step("standard-wallet")
def standard_wallet(story: Story) -> str:
    person = story.node.greeting["citizens"][1]
    story.other = StandardWallet(story.http)
    offer = _offer(story, person)
    story.other.claim(offer["standard_uri"], offer["tx_code"])
    clerk = story.officer("clerk")
    desk, uri = _request(story, "standard")
    with clerk.watch(f"request/{_key(desk)}") as live:
        story.other.present(uri)
        clerk.until(live, desk, person["id_number"])
    return "claimed and presented with the published protocols alone; the issuer recorded the grant"


@step("one-history", CONSORTIUM)
def one_history(story: Story) -> str:
    """Every node says the same of the same log, each under its own signature."""
    texts: list[str] = []

    def agreed() -> bool:
        texts[:] = [_checkpoint(story, agency) for agency in story.node.agencies]
        return len({text.split("\n")[1] for text in texts}) == 1

    until(agreed, "the nodes do not come to the same size")
    bodies = {text.partition("\n\n")[0] for text in texts}
    expect(len(bodies) == 1, f"{len(bodies)} histories")
    return f"{len(texts)} nodes, {bodies.pop().split(chr(10))[1]} entries, one root"


@step("vault-audit", VAULT)
def vault_audit(story: Story) -> str:
    """Vault's own log: who signed with what, how often; no key was exported, and nobody's number stands in it."""
    text = (story.node.data / "vault" / "audit.log").read_text()
    signed: Counter[str] = Counter()
    for line in text.splitlines():
        entry = json.loads(line)
        mount, _, verb_and_key = entry["request"]["path"].removeprefix("govchain/").partition("/")
        verb, _, key = verb_and_key.partition("/")
        expect(verb not in ("export", "backup"), f"{entry['request']['path']} was asked for")
        if entry["type"] == "response" and verb == "sign" and not entry.get("error"):
            signed[f"{mount}/{key}"] += 1
    for key in ("ledger/checkpoint", "psb/ledger", "psb/issue", "street/request", "data/ledger"):
        expect(signed[key], f"no signature by {key} in the audit log")
    expect(not (story.node.data / "keys").exists(), "there are keys in files")
    for person in story.node.greeting["citizens"]:
        expect(person["id_number"] not in text, "the audit log names a citizen")
    return f"{signed.total()} signing calls by {len(signed)} keys, all in the audit log; no key file, no export"


@step("stop")
def stop(story: Story) -> str:
    status = story.node.stop()
    expect(status == 0, f"exit status {status}")
    return "stopped cleanly"


@step("ledger-fsck")
def ledger_fsck(story: Story) -> str:
    for agency in story.node.agencies:
        status, told = story.node.command("ledger", "fsck", "--vkey", story.node.vkey_of(agency), at=agency)
        expect(status == 0, f"fsck of {agency}: {told}")
    return "root rebuilt from the entries alone equals the signed checkpoint"


def _offer(story: Story, person: dict[str, str]) -> dict[str, str]:
    """Make an offer at the issuing desk: both URIs and the transaction code, as its page shows them."""
    issuer = story.officer("issuer")
    found = issuer.submit(issuer.open("/issuing/").form(action="search"), q=person["id_number"])
    page = issuer.submit(found.form(action="offers", holding="row"))
    return {
        "uri": page.uri("/wallet/#offer"),
        "standard_uri": page.uri("openid-credential-offer:"),
        "tx_code": page.data["data-tx-code"][0],
    }


def _request(story: Story, wallet: str) -> tuple[str, str]:
    """Ask at the counter: the desk page's path and the request URI for `wallet` (ours or standard)."""
    clerk = story.officer("clerk")
    page = clerk.submit(clerk.open("/counter/").form(action="/counter/requests", holding="matter"), matter=MATTER)
    return httpx.URL(page.url).path, page.uri("/wallet/#present" if wallet == "wallet" else "openid4vp:")


def _told_to_come_back(act: Callable[[], object]) -> str:
    """Status and code of a refusal that says: try again later."""
    try:
        act()
    except RefusedError as error:
        expect(error.status == 503, f"answered {error.status} {error.code}")
        return f"503 {error.code}".replace("503 503", "503")
    raise CheckFailedError("was not refused")


def _key(desk: str) -> str:
    return desk.rstrip("/").rpartition("/")[2]


def _size(story: Story, agency: str = "") -> int:
    """Entries in the log, from its checkpoint's second line."""
    return int(_checkpoint(story, agency).split("\n")[1])


def _checkpoint(story: Story, agency: str = "") -> str:
    """As the node of `agency` (a consortium's) serves it, else the citizens' node."""
    base = story.consortium.node_url(agency) if agency else story.base
    return story.http.get(f"{base}/ledger/checkpoint").text


def until(holds: Callable[[], bool], otherwise: str, limit: float = 20.0) -> None:
    """Ask again until it holds: what another node has decided reaches this one a moment later."""
    deadline = time.monotonic() + limit
    while not holds():
        expect(time.monotonic() < deadline, otherwise)
        time.sleep(0.1)


def _steps(story: Story) -> list[tuple[str, Step]]:
    return [(name, act) for name, act, when in STEPS if when <= story.kind]


def _perform(story: Story, say: Callable[[str], None]) -> list[Outcome]:
    outcomes = []
    failed = ""
    for name, act in _steps(story):
        if failed:
            outcomes.append(Outcome(name, False, 0.0, f"not run: {failed} failed"))
            continue
        say(name)
        begun = time.monotonic()
        try:
            ok, detail = True, act(story)
        except FAILURES as error:
            ok, detail, failed = False, f"{type(error).__name__}: {error}", name
        outcomes.append(Outcome(name, ok, round(time.monotonic() - begun, 3), detail))
    return outcomes


def run(*, keep: str | None, as_json: bool, kind: frozenset[str] = ALWAYS) -> int:
    """Run every step; prints the outcome and answers the exit status."""
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="govchain-demo-"))
    if keep and folder.exists() and any(folder.iterdir()):
        sys.stderr.write(f"{folder} 不是空目录 is not empty\n")
        return 2
    begun = time.monotonic()
    node = Consortium(folder) if "consortium" in kind else VaultNode(folder) if "vault" in kind else Node(folder)
    story = Story(node, folder, kind)
    try:
        with tqdm(total=len(_steps(story)), leave=False, disable=None if not as_json else True) as bar:
            outcomes = _perform(story, lambda name: _advance(bar, name))
    finally:
        story.close()
        if not keep:
            shutil.rmtree(folder)
    done = all(outcome.ok for outcome in outcomes)
    seconds = round(time.monotonic() - begun, 2)
    if as_json:
        told = {"ok": done, "seconds": seconds, "steps": [asdict(outcome) for outcome in outcomes]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        for outcome in outcomes:
            mark = "通过 ok  " if outcome.ok else "失败 FAIL"
            sys.stdout.write(f"{mark} {outcome.seconds:6.2f}s  {outcome.name:<22} {outcome.detail}\n")
        sys.stdout.write(f"{'全部通过 all ok' if done else '未通过 failed'}  {seconds}s\n")
    return 0 if done else 1


def _advance(bar: Any, name: str) -> None:
    bar.update()
    bar.set_description(name)
