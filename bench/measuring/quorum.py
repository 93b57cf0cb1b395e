"""From submitting a record to its receipt under the quorum's certificate, on nodes as `consortium up` lays them out.

Four nodes, each with application, CometBFT and cosigner, without the web. Single records at a steady rate through the
first agency's node; a record's receipt is ready when that node has a certificate of a checkpoint that covers it.
"""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack, closing
from pathlib import Path

import httpx

from bench import Figure
from bench.measuring.timing import quantile
from gov_chain.consortium import layout, supervisor
from gov_chain.consortium.layout import Member
from gov_chain.consortium.plan import Plan
from gov_chain.keys import local
from gov_chain.ledger.core import records, transaction
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.cosigner.certificates import Certified
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.comet import Comet

MEMBERS = tuple(
    Member(number=at, slug=f"agency-{at}", name_zh=f"机关{at}", name_en=f"Agency {at}") for at in range(1, 5)
)
AIM = 1000.0
LOOK = 0.002
AGAIN = 0.1
"""Seconds after which what was refused for now is sent again."""


def measure(folder: Path, *, rate: int, seconds: float) -> dict[str, Figure]:
    made = layout.make(
        folder,
        members=MEMBERS,
        accreditations=[(1, 1)],
        validators=4,
        origin="bench.example",
        created=int(time.time()) - 1,
    )
    with ExitStack() as running:
        for node in made.nodes:
            layout.configure(made, node)
            for process in supervisor.node_processes(made, node):
                if process.name != "web":
                    running.callback(process.stop)
                    process.start()
        for node in made.nodes:
            # Until then the missing one's turns to propose cost a second each.
            while len(httpx.get(f"{node.rpc_url}/net_info").json()["result"]["peers"]) < len(made.nodes) - 1:
                time.sleep(LOOK)
        agency = running.enter_context(closing(_Agency(made)))
        agency.submit(time.perf_counter(), records.type_(type=1, version=1, digest=bytes(32), grades=[1]))
        while not agency.final:
            time.sleep(LOOK)
        agency.forget()
        final, receipt = agency.work(rate, int(rate * seconds))
    p95 = quantile(receipt, 0.95)
    return {
        f"submit to final p95, through one node, {rate} records/s": Figure(quantile(final, 0.95), "ms"),
        f"submit to quorum receipt p50, {rate} records/s": Figure(quantile(receipt, 0.5), "ms"),
        f"submit to quorum receipt p95, {rate} records/s": Figure(p95, "ms", aim=f"< {AIM:.0f} ms", ok=p95 < AIM),
        f"submit to quorum receipt p99, {rate} records/s": Figure(quantile(receipt, 0.99), "ms"),
    }


class _Agency:
    """The first agency at its own node."""

    def __init__(self, made: Plan) -> None:
        node = made.nodes[0]
        data = made.data(node)
        self._ledger_id = bytes.fromhex(made.ledger_id)
        self._sign = local.signer_in(data / "keys", "agency-1/ledger").sign
        self._engine = Comet(data / "ledger", url=node.rpc_url)
        self._certified = Certified(data / "ledger")
        self._lock = threading.Lock()
        self._sequence = 0
        self._waiting: list[tuple[float, int]] = []
        self.final: list[float] = []
        """Milliseconds from when each was due."""

    def close(self) -> None:
        self._engine.close()
        self._certified.close()

    def forget(self) -> None:
        self._waiting.clear()
        self.final.clear()

    def submit(self, due: float, record: bytes) -> None:
        self._sequence += 1
        body = transaction.build(
            ledger_id=self._ledger_id,
            agency=1,
            key_no=1,
            sequence=self._sequence,
            valid_until=int(time.time()) + 600,
            records=[record],
            sign=self._sign,
        )

        def noted(future: Future[Committed]) -> None:
            if isinstance(future.exception(), LedgerError):
                # As the relay does: the same bytes, a little later.
                again = threading.Timer(AGAIN, lambda: self._engine.submit(body).add_done_callback(noted))
                again.daemon = True
                again.start()
                return
            index = future.result().positions[0]
            assert index is not None
            with self._lock:
                self.final.append((time.perf_counter() - due) * 1000)
                self._waiting.append((due, index))

        self._engine.submit(body).add_done_callback(noted)

    def work(self, rate: int, count: int) -> tuple[list[float], list[float]]:
        """Milliseconds until final, and until certified, in order of size."""
        receipt: list[float] = []
        start = time.perf_counter()
        sent = 0
        while len(receipt) < count:
            due = start + sent / rate
            if sent < count and time.perf_counter() >= due:
                sent += 1
                self.submit(due, records.issue(type=1, type_version=1, commitment=secrets.token_bytes(32)))
                continue
            covered = self._certified.latest()
            with self._lock:
                ready = [due for due, index in self._waiting if index < covered]
                self._waiting = [each for each in self._waiting if each[1] >= covered]
            receipt += [(time.perf_counter() - due) * 1000 for due in ready]
            time.sleep(LOOK)
        return sorted(self.final), sorted(receipt)
