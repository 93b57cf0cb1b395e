"""The small world every test can use: four agencies, four officers, a register, a matter in force.

    def test_something(world):
        ana = world.citizen()                  # a citizen with an activated wallet and a claimed certificate
        desk = world.ask()                     # a request made at the counter: .wallet_url, .standard_uri, .page()
        kept = ana.wallet.consent(desk.wallet_url, PIN)
        ana.wallet.send(kept)
        world.settle()                         # records reach the ledger, outcomes reach who waits
        assert ana.id_number in desk.page().text

Everything goes through public doors: the wallets are the demo's (HTTP, in process), the officers use the
real pages. `world.http` is an httpx client on the node, `world.officer("clerk")` a logged-in officer,
`world.reader` the ledger. Nothing here knows a table.

The world is built once a session and copied for each test (database and data directory), so a test
costs milliseconds and may write what it likes. Tests that use it see real commits.
"""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.db import connection
from django.test import override_settings

from demo.holder import Held
from demo.officer import Officer, Page
from demo.standard_wallet import StandardWallet
from demo.wallet import Wallet
from gov_chain.ledger import node, relay

BASE_URL = "http://localhost:8000"
PIN = "271828"
MATTER = "residence-permit"


@dataclasses.dataclass(frozen=True, slots=True)
class Citizen:
    name: str
    id_number: str
    wallet: Wallet


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    wallet_url: str
    standard_uri: str
    tx_code: str


@dataclasses.dataclass(frozen=True, slots=True)
class Desk:
    """A presentation request on a counter officer's screen."""

    clerk: Officer
    path: str
    wallet_url: str
    standard_uri: str

    @property
    def request_id(self) -> str:
        return self.path.rpartition("/")[2]

    def page(self) -> Page:
        return self.clerk.open(self.path)

    def look_again(self) -> Page:
        return self.clerk.submit(self.page().form(action="again"))


class World:
    def __init__(self, people: list[tuple[str, str]], codes: dict[str, str]) -> None:
        from gov_chain.wsgi import application

        self.people = people
        self.codes = codes
        self._transport = httpx.WSGITransport(app=application)
        self.http = self.client()
        self._officers: dict[str, Officer] = {}

    @property
    def reader(self) -> Any:
        return node.ledger()

    @property
    def vkey(self) -> str:
        return str(self.reader.vkey)

    def client(self) -> httpx.Client:
        """Another browser or system: a client with cookies of its own."""
        return httpx.Client(transport=self._transport, base_url=BASE_URL, follow_redirects=True)

    def officer(self, username: str) -> Officer:
        """`issuer`, `clerk`, `home` or `auditor`, logged in through the login page."""
        from identity.seed import PASSWORD

        if username not in self._officers:
            self._officers[username] = Officer(BASE_URL, username, PASSWORD, http=self.client())
        return self._officers[username]

    def citizen(self, number: int = 0, *, claimed: bool = True) -> Citizen:
        """The `number`th demo citizen with an activated wallet, holding a resident ID unless `claimed` is False."""
        name, id_number = self.people[number]
        wallet = Wallet(self.client(), BASE_URL, self.vkey)
        wallet.activate(self.codes[id_number], PIN)
        citizen = Citizen(name, id_number, wallet)
        if claimed:
            self.claim(citizen)
        return citizen

    def standard_wallet(self, number: int = 1) -> StandardWallet:
        """Another maker's wallet holding the `number`th person's resident ID."""
        wallet = StandardWallet(self.client())
        offer = self.offer(self.people[number][1])
        wallet.claim(offer.standard_uri, offer.tx_code)
        return wallet

    def offer(self, id_number: str) -> Offer:
        issuer = self.officer("issuer")
        found = issuer.submit(issuer.open("/issuing/").form(action="search"), q=id_number)
        page = issuer.submit(found.form(action="offers", holding="row"))
        return Offer(
            wallet_url=page.uri("/wallet/#offer"),
            standard_uri=page.uri("openid-credential-offer:"),
            tx_code=page.data["data-tx-code"][0],
        )

    def claim(self, citizen: Citizen) -> Held:
        offer = self.offer(citizen.id_number)
        return citizen.wallet.claim(offer.wallet_url, offer.tx_code)

    def ask(self, matter: str = MATTER) -> Desk:
        clerk = self.officer("clerk")
        form = clerk.open("/counter/").form(action="/counter/requests", holding="matter")
        page = clerk.submit(form, matter=matter)
        return Desk(clerk, httpx.URL(page.url).path, page.uri("/wallet/#present"), page.uri("openid4vp:"))

    def present(self, citizen: Citizen, desk: Desk, **choices: Any) -> Any:
        """Consent, send and settle; the grant as the wallet keeps it."""
        kept = citizen.wallet.consent(desk.wallet_url, PIN, **choices)
        citizen.wallet.send(kept)
        self.settle()
        return kept

    def settle(self) -> None:
        """Carry everything that waits to the ledger and back."""
        while relay.drain():
            pass

    def close(self) -> None:
        self.http.close()
        for officer in self._officers.values():
            officer.close()


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """A finished world at rest: its data directory, its database, and who is in it."""

    data: Path
    database: Path
    people: list[tuple[str, str]]
    codes: dict[str, str]


def build(folder: Path) -> Template:
    """Seed a world through the doors `govchain up` uses, and put it to rest in `folder`."""
    import certificates.seed
    import consent.seed
    import identity.seed

    data = folder / "data"
    with _living_in(data):
        people = certificates.seed.people()
        seeded = identity.seed.seed(base_url=BASE_URL, people=people[:10])
        certificates.seed.seed()
        consent.seed.seed()
    codes = {row.citizen.id_number: row.code for row in seeded.citizens}
    database = folder / "database.sqlite3"
    with closing(sqlite3.connect(database)) as target:
        connection.ensure_connection()
        connection.connection.backup(target)
    return Template(data, database, [(name, number) for name, number in people if number in codes], codes)


@contextmanager
def living(template: Template, folder: Path) -> Iterator[World]:
    """A copy of the template, alive until the block ends. Needs a database with real commits."""
    data = folder / "data"
    shutil.copytree(template.data, data)
    with _living_in(data):
        with closing(sqlite3.connect(template.database)) as source:
            connection.ensure_connection()
            source.backup(connection.connection)
        world = World(template.people, template.codes)
        try:
            yield world
        finally:
            world.close()


@contextmanager
def _living_in(data: Path) -> Iterator[None]:
    from django.contrib.contenttypes.models import ContentType

    if connection.in_atomic_block:
        raise RuntimeError("the world needs real commits: ask for the fixture `world` alone, without `db`")
    ContentType.objects.clear_cache()
    with override_settings(GOVCHAIN=dataclasses.replace(settings.GOVCHAIN, data=data, base_url=BASE_URL)):
        try:
            yield
        finally:
            node.close()
