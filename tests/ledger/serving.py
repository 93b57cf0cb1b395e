"""A process that serves: the relay in its thread, submitters in others, a database file between them.

Run by `test_relay_thread.py` with the node's data directory in GOVCHAIN_DATA; prints one JSON object.
"""

import dataclasses
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from gov_chain import keys  # noqa: E402
from gov_chain.ledger import node, outbox, relay  # noqa: E402
from gov_chain.ledger.models import OutboxRow  # noqa: E402
from tests.ledger.town import GENESIS, PSB, issue_record, type_record  # noqa: E402

told: dict[str, str] = {}
nested: list[str] = []


def listener(outcome: relay.Outcome) -> None:
    told[outcome.subject] = threading.current_thread().name
    if outcome.subject.endswith(":0"):
        nested.extend(each.state for each in relay.settle([enqueue("test.nested:1")]))


def enqueue(subject: str) -> int:
    with transaction.atomic():
        return outbox.enqueue(agency=PSB, record=issue_record(), subject=subject)


def submit(number: int) -> str:
    try:
        return relay.settle([enqueue(f"test.thing:{number}")])[0].state
    finally:
        connection.close()


def main() -> None:
    call_command("migrate", verbosity=0)
    keys.create("local:psb/ledger", "EdDSA")
    agencies = [dataclasses.replace(GENESIS.agencies[0], ledger_key=keys.signer("local:psb/ledger").public_key)]
    node.found(agencies=agencies, accreditations=((PSB, 1),))
    node.host(PSB, signer="local:psb/ledger")
    with transaction.atomic():
        first = outbox.enqueue(agency=PSB, record=type_record(), subject="test.type:1")
    relay.settle([first])
    relay.on_outcome("test.thing", listener)
    relay.start()
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(submit, range(40)))
    relay.stop()
    undone = OutboxRow.objects.exclude(state="final", delivered=True).count()
    threads = {name.rsplit("_", 1)[0] for name in told.values()}
    json.dump(
        {"states": states, "told": len(told), "threads": sorted(threads), "nested": nested, "undone": undone},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
