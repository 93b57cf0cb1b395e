"""An embedded ledger becomes a consortium's first state: its log goes on, its receipts stay what they are.

 1. every agency of the ledger gets a node, with the keys it had, and new ones for its engine and its cosigner
 2. the agencies found the first validators by vote, on the ledger as it is (`validators-found`)
 3. what the ledger then is becomes every node's first state; CometBFT's first block follows its last entry

Public documents go along. Personal data does not: each agency's registers, officers and citizens are its own, and are
brought to its node by itself. The former node's data stays as it was, and must not write again: validators now decide.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from gov_chain.consortium import layout
from gov_chain.consortium.errors import ConsortiumError
from gov_chain.consortium.layout import Card, Member
from gov_chain.consortium.plan import Plan
from gov_chain.ledger import store
from gov_chain.ledger.core import checkpoint, entries, genesis, note, state, validators
from gov_chain.ledger.core.errors import LedgerError

CARDS = "validators.json"


def adopt(source: Path, root: Path) -> Plan:
    """Lay out a consortium under `root` that goes on with the ledger of the node whose data is `source`.

    Raises `ConsortiumError`: adopt-running, adopt-without-validators; `LedgerError`.
    """
    members = _members(source)
    with closing(_held(source)):
        pass  # a node that runs is left as it is
    root = root.absolute()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.clear_half_made(root, [member.slug for member in members])
    cards = []
    for member in members:
        data = root / member.slug / "data"
        shutil.copytree(source / "keys" / member.slug, data / "keys" / member.slug, dirs_exist_ok=True)
        cards.append(layout.prepare(data, member))
    if not _validators(source):
        _found_validators(source, root / CARDS, cards)
    with closing(_held(source)):
        return _lay_out(source, root, members, cards)


def _held(source: Path) -> BinaryIO:
    try:
        return store.lock(source / "ledger")
    except LedgerError as error:
        raise ConsortiumError("adopt-running") from error


def _lay_out(source: Path, root: Path, members: Sequence[Member], cards: Sequence[Card]) -> Plan:
    voting = {row.agency: row for row in _validators(source)}
    founding = root / "founding"
    founding.mkdir(mode=0o700)
    with (
        closing(store.open_reading(source / "ledger" / store.FILE)) as old,
        closing(sqlite3.connect(founding / store.FILE)) as new,
    ):
        old.backup(new)
        rows = store.Rows(old)
        signed, first, last = rows.checkpoint(), rows.entry(0), rows.entry(rows.size() - 1)
    if signed is None or first is None or last is None:
        raise LedgerError("ledger-damaged", log="no genesis or no checkpoint")
    nodes = layout.new_nodes(
        [(member.slug, member.number, card.node_id) for member, card in zip(members, cards, strict=True)]
    )
    made = Plan(
        root=root,
        origin=checkpoint.parse(note.split(signed)[0]).origin,
        ledger_id=genesis.ledger_id(first).hex(),
        nodes=tuple(replace(node, validator=node.agency in voting) for node in nodes),
    )
    time, _, _ = entries.unwrap(last)
    made = layout.lay_out(made, time=time, powers=[(row.consensus_key, row.power) for row in voting.values()])
    for node in made.nodes:
        _copy_documents(source / "node.sqlite3", made.data(node) / "node.sqlite3")
    return made


def _members(source: Path) -> list[Member]:
    """The ledger's agencies, with the names in their profiles."""
    if not (source / "ledger" / store.FILE).exists():
        raise LedgerError("ledger-missing", log=str(source))
    found = []
    with (
        closing(store.open_reading(source / "ledger" / store.FILE)) as ledger,
        closing(sqlite3.connect(source / "node.sqlite3")) as database,
    ):
        rows = store.Rows(ledger)
        active, suspended = rows.state(state.CONSORTIUM) or ([], [])
        for number in sorted([*active, *suspended]):
            known = rows.state(state.agency_key(number))
            assert known is not None
            digest = known[4]
            query = "SELECT body FROM ledger_document WHERE digest = ?"
            profile = json.loads(database.execute(query, (digest.hex(),)).fetchone()[0])
            found.append(
                Member(
                    number=number,
                    slug=profile["slug"],
                    name_zh=profile["name"]["zh"],
                    name_en=profile["name"]["en"],
                )
            )
    return found


def _validators(source: Path) -> Sequence[validators.Validator]:
    with closing(store.open_reading(source / "ledger" / store.FILE)) as connection:
        rows = store.Rows(connection).state(state.VALIDATORS)
    return validators.of(rows).validators if rows else ()


def _found_validators(source: Path, path: Path, cards: Sequence[Card]) -> None:
    """Have the agencies on the former node decide; those elsewhere vote themselves, and `adopt` is run again."""
    rows = [[field.hex() if isinstance(field, bytes) else field for field in card.validator.row] for card in cards]
    path.write_text(json.dumps(rows))
    command = [sys.executable, "-m", "gov_chain.cli", "validator", "found", str(path), "--data", str(source), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if not _validators(source):
        raise ConsortiumError("adopt-without-validators", log=(done.stdout + done.stderr)[-400:])


def _copy_documents(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("ATTACH ? AS former", (str(source),))
        connection.execute("INSERT OR IGNORE INTO ledger_document SELECT * FROM former.ledger_document WHERE public")
