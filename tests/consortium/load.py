"""Agencies at work while a consortium is troubled: each transaction is sent until it has an outcome, as the relay does.

What was acknowledged is kept with its node; `invariants.check` holds it against every node's ledger afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from gov_chain.ledger.batches import TRANSIENT
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from tests.consortium.network import Network
from tests.ledger.town import PSB, issue_record


@dataclass
class Load:
    """`with Load(network, at=[0, 1]) as load:`: one submitter at each of these nodes, until the block is left."""

    network: Network
    at: Sequence[int]
    batch: int = 8
    acknowledged: list[tuple[bytes, Committed]] = field(default_factory=list)
    refused_for_now: int = 0
    errors: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._stop = threading.Event()
        self._progress = threading.Condition()
        self._threads = [threading.Thread(target=self._submit, args=(number,)) for number in self.at]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.errors, self.errors

    def wait_for_more(self, count: int = 3, timeout: float = 60) -> None:
        """Until `count` more transactions are acknowledged."""
        with self._progress:
            target = len(self.acknowledged) + count
            assert self._progress.wait_for(lambda: len(self.acknowledged) >= target or self.errors, timeout), (
                f"stands still at {len(self.acknowledged)}"
            )

    def _submit(self, number: int) -> None:
        try:
            while not self._stop.is_set():
                body = self.network.signed(PSB, *(issue_record() for _ in range(self.batch)))
                done = self._until_final(number, body)
                with self._progress:
                    self.acknowledged.append((body, done))
                    self._progress.notify_all()
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            self.errors.append(error)

    def _until_final(self, number: int, body: bytes) -> Committed:
        """Also after the load was told to stop: nothing is left undecided."""
        engine = self.network.nodes[number].engine
        while True:
            try:
                return engine.submit(body).result(60)
            except LedgerError as error:
                if error.code == "sequence-used":
                    done = engine.outcome(body)
                    assert done is not None, "used by another transaction"
                    return done
                if error.code not in TRANSIENT:
                    raise
                self.refused_for_now += 1
                self._stop.wait(0.1)
