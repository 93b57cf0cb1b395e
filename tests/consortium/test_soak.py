"""Three times what the consortium can take, for five minutes (`make soak`; SOAK_SECONDS for another length).

Every acknowledged record is final on every node, what is too much is refused as retryable, and the rate stays at nine
tenths of the best or more: overload must not make it slower.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from gov_chain.ledger.batches import TRANSIENT
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from tests.consortium import invariants
from tests.consortium.network import Network
from tests.ledger.town import HOME, PSB, grant_record, issue_record

BATCH = 256
WARM_UP = 20.0
SECONDS = float(os.environ.get("SOAK_SECONDS", "300"))
SHARE = 0.9
OVERLOAD = 3
LANES = ((0, PSB), (1, HOME))
"""Which agency writes through which node."""


class Lane:
    """One agency that writes through its node, at a rate or as fast as it gets answers."""

    def __init__(self, network: Network, node: int, agency: int) -> None:
        self._network, self._node, self._agency = network, node, agency
        self._lock = threading.Lock()
        self.acknowledged: list[tuple[bytes, Committed]] = []
        self.codes: Counter[str] = Counter()
        self._again: deque[bytes] = deque()
        self.offered = 0

    def _record(self) -> bytes:
        if self._agency == PSB:
            return issue_record()
        return grant_record(secrets.token_bytes(32), time=self._network.now())

    def _send(self) -> Future[Committed]:
        """What was refused for now goes first: only what is accepted has to be made anew."""
        with self._lock:
            body = self._again.popleft() if self._again else None
        if body is None:
            body = self._network.signed(self._agency, *(self._record() for _ in range(BATCH)))
        self.offered += 1
        future = self._network.nodes[self._node].engine.submit(body)
        future.add_done_callback(lambda done: self._note(body, done))
        return future

    def _note(self, body: bytes, done: Future[Committed]) -> None:
        error = done.exception()
        found = done.result() if error is None else None
        if isinstance(error, LedgerError) and error.code == "sequence-used":
            found = self._network.nodes[self._node].engine.outcome(body)  # an earlier attempt of these bytes
        with self._lock:
            if found is not None:
                self.acknowledged.append((body, found))
                return
            self.codes[error.code if isinstance(error, LedgerError) else repr(error)] += 1
            self._again.append(body)

    def saturate(self, seconds: float, in_flight: int = 32) -> None:
        """So many at once, another for each that is answered."""
        room = threading.Semaphore(in_flight)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            room.acquire()
            self._send().add_done_callback(lambda _: room.release())
        for _ in range(in_flight):
            room.acquire()

    def overload(self, rate: float, seconds: float) -> None:
        """So many a second, whatever is answered."""
        start = time.monotonic()
        for number in range(int(rate * seconds)):
            early = start + number / rate - time.monotonic()
            if early > 0:
                time.sleep(early)
            self._last = self._send()

    def finish(self) -> None:
        """Until everything that was offered is final."""
        self._last.exception(60)
        deadline = time.monotonic() + 120
        while self._again:
            assert time.monotonic() < deadline, f"{len(self._again)} transactions stay undecided"
            if self._send().exception(60) is not None:
                time.sleep(0.1)  # refused for now


def at_once(lanes: list[Lane], work: Callable[[Lane], None]) -> None:
    threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.nightly
def test_three_times_saturation_loses_nothing_and_is_as_fast(tmp_path: Path) -> None:
    with Network(tmp_path, 4) as network:
        network.register()
        lanes = [Lane(network, *lane) for lane in LANES]
        entries = network.nodes[0].reader
        begun, size = time.monotonic(), entries.size
        at_once(lanes, lambda lane: lane.saturate(WARM_UP))
        peak = (entries.size - size) / (time.monotonic() - begun)

        for lane in lanes:
            lane.offered = 0
            lane.codes.clear()
        rate = OVERLOAD * peak / BATCH / len(lanes)
        begun, size = time.monotonic(), entries.size
        ended: list[tuple[float, int]] = []
        watch = threading.Timer(SECONDS, lambda: ended.append((time.monotonic(), network.nodes[0].reader.size)))
        watch.start()
        at_once(lanes, lambda lane: lane.overload(rate, SECONDS))
        watch.join()
        offered = sum(lane.offered for lane in lanes)
        at_once(lanes, Lane.finish)
        (moment, reached), *_ = ended
        sustained = (reached - size) / (moment - begun)

        acknowledged = [each for lane in lanes for each in lane.acknowledged]
        codes = sum((lane.codes for lane in lanes), Counter())
        height = invariants.check(network, acknowledged, rebuilt=1)
        sys.stdout.write(
            f"\nsoak: {SECONDS:.0f} s at {OVERLOAD} times saturation, four validators on {os.cpu_count()} cores\n"
            f"  peak                      {peak:,.0f} entries/s\n"
            f"  offered                   {offered * BATCH / SECONDS:,.0f} records/s\n"
            f"  sustained                 {sustained:,.0f} entries/s, {sustained / peak:.0%} of the peak\n"
            f"  acknowledged              {len(acknowledged) * BATCH:,} records, each final on all four nodes\n"
            f"  refused as retryable      {dict(codes)} transactions\n"
            f"  height                    {height:,}, app hashes equal at each\n"
        )
        assert set(codes) <= TRANSIENT
        assert codes["consortium-busy"] > 0
        assert sustained >= SHARE * peak
