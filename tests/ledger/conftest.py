import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from gov_chain import keys
from gov_chain.ledger import delivery, node, relay
from gov_chain.ledger.reader import Reader
from tests.ledger.town import GENESIS, Town, founding_validator


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path / "ledger")
    yield made
    made.engine.close()
    made.reader.close()


@pytest.fixture
def own_node(
    settings: Settings, tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    """A founded node of its own, hosting agencies 1–3 and their validators; its ledger, for reading."""
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, data=tmp_path)
    monkeypatch.setattr(delivery, "_listeners", {})
    for number in (1, 2, 3):
        keys.create(f"local:agency-{number}/ledger", "EdDSA")
        node.host(number, signer=f"local:agency-{number}/ledger")
    agencies = [
        dataclasses.replace(each, ledger_key=keys.signer(f"local:agency-{each.number}/ledger").public_key)
        for each in GENESIS.agencies
    ]
    validators = [founding_validator(number) for number in (1, 2, 3)]
    node.found(agencies=agencies, accreditations=GENESIS.accreditations, validators=validators)
    yield node.ledger()
    relay.stop()
