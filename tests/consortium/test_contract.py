"""The engine's contract under CometBFT: the very tests the embedded engine passes, on real nodes.

Block time stands still in 2096, where the town was founded: it follows the wall clock only forward.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gov_chain.ledger.engines.comet import Comet
from tests.consortium.network import Network
from tests.ledger.contract import EngineContract
from tests.ledger.town import PSB, START, TestClock, Town, type_record


class ConsortiumTown(Town):
    """A town whose engine is node 0 of a network."""

    engine: Comet  # type: ignore[assignment]

    def __init__(self, network: Network) -> None:
        self.network = network
        self.directory = network.nodes[0].data / "ledger"
        self.ledger_id = network.ledger_id
        self.clock = TestClock()
        self.sequences = {}
        self.engine = network.nodes[0].engine
        self.reader = network.nodes[0].reader

    def open(self) -> Comet:  # type: ignore[override]
        """The node started anew, and an engine on it."""
        node = self.network.nodes[0]
        node.stop()
        node.start()
        self.network.ready()
        self.engine = Comet(self.directory, url=node.url)
        return self.engine


class CometContract(EngineContract):
    validators: int

    @pytest.fixture
    def town(self, tmp_path: Path) -> Iterator[ConsortiumTown]:
        with Network(tmp_path, self.validators, created=START) as network:
            network.ready()
            made = ConsortiumTown(network)
            yield made
            made.engine.close()

    def test_block_time_never_goes_back(self, town: Town) -> None:
        """It cannot be told what time it is: founded in 2096, it stays there while the wall clock says otherwise."""
        assert town.submit(PSB, type_record()).time == START
        assert town.submit(PSB, type_record(version=2)).time == START


class TestOneValidator(CometContract):
    validators = 1


@pytest.mark.nightly
class TestFourValidators(CometContract):
    validators = 4
