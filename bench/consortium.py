"""The consortium: four validators and applications on this machine, all rules on, beside opaque leaves and kvstore.

Records are final when all four nodes have committed them. Signing transactions is the submitters' work and done
beforehand. Three run in turns, on networks of their own: the ledger (of four records one issues, one grants, two use),
leaves of 32 bytes with one signature a transaction (`bench.peers.leaves`), and CometBFT's own kvstore with transactions
as large as the ledger's. Medians count.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import Figure, Progress
from bench.measuring import quorum
from bench.measuring.four import COUNT, Four, Kind, Node
from bench.measuring.timing import quantile
from bench.measuring.town import Batch, Town, checkpoint_key
from bench.peers import leaves
from gov_chain.ledger import store
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.comet import Comet

AIM_RECORDS = 35_531
"""Mean of China's 2021 trusted-blockchain tests, in confirmed transactions/s on hardware that is not stated."""
AIM_SHARE = 0.25
AIM_LATENCY = 1000.0
AIM_RECOVERY = 20.0
LOAD = 100
"""Records a second while latency is measured."""


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int
    records: int
    """Of a round, in the cases with large batches."""
    singles: int
    seconds: float
    """Of the steady load under which latency is measured."""


SIZES = {
    "full": Size(rounds=3, records=65_536, singles=600, seconds=30),
    "small": Size(rounds=1, records=32_768, singles=200, seconds=10),
    "tiny": Size(rounds=1, records=64, singles=8, seconds=1),
}
BATCHES = (1, 64, 1024, 4096)
STEPS = len(BATCHES) + 4


def measure(size: Size, folder: Path, progress: Progress) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    town = Town(folder / "founding", used=_most(size))
    town.engine.close()
    kinds = (_ledger(town), LEAVES, KVSTORE)
    with contextlib.ExitStack() as running:
        networks = []
        for kind in kinds:
            progress.step(f"{kind.name} starts")
            networks.append(running.enter_context(Four(folder / kind.name, kind, town.ledger_id)))
        best = 0.0
        for batch in BATCHES:
            progress.step(f"records/s final, batches of {batch:,}")
            found, rate = _rates(town, networks, batch, size, progress)
            figures |= found
            best = max(best, rate)
        figures["records/s final, best"] = Figure(
            best, "records/s", AIM_RECORDS, f">= {AIM_RECORDS:,} records/s", best >= AIM_RECORDS, "peer: the aim"
        )
        ours = networks[0]
        figures |= _bytes(ours)
        for network in networks[1:]:
            network.close()
        figures |= _latency(town, ours, size.seconds)
        figures |= _recovery(town, ours, size.seconds)
    progress.step("quorum receipts")
    return figures | quorum.measure(folder / "quorum", rate=LOAD, seconds=size.seconds)


def _most(size: Size) -> int:
    """Uses of a round: so many grants are there from the start, so that none is used before it is final."""
    return max(_count(size, batch) for batch in BATCHES) // 2 * size.rounds


def _count(size: Size, batch: int) -> int:
    """Records of a round: whole turns of issue, grant, use, use."""
    wanted = size.singles if batch == 1 else max(size.records // (4 if batch == 64 else 1), 4 * batch)
    return max(1, wanted // (4 * batch)) * 4 * batch


# Rates.


def _ledger(town: Town) -> Kind:
    def prepare(data: Path) -> None:
        shutil.copytree(town.directory, data / "ledger")
        keys = data / "keys" / "ledger"
        keys.mkdir(parents=True)
        (keys / "checkpoint.key").write_bytes(checkpoint_key())

    return Kind("ledger", "gov_chain.ledger.abci", prepare, _entries)


def _entries(node: Node) -> int:
    with contextlib.closing(store.open_reading(node.data / "ledger" / store.FILE)) as connection:
        return store.Rows(connection).size()


def _kvstore_size(node: Node) -> int:
    told: Any = node.call("abci_info")["result"]
    return int(json.loads(told["response"]["data"])["size"])


LEAVES = Kind("leaves", "bench.peers.leaves", lambda data: None, lambda node: leaves.size(node.data / leaves.FILE))
KVSTORE = Kind("kvstore", "", lambda data: None, _kvstore_size)


def _rates(
    town: Town, networks: Sequence[Four], batch: int, size: Size, progress: Progress
) -> tuple[dict[str, Figure], float]:
    ledger, opaque, kvstore = networks
    rates: dict[str, list[float]] = {network.kind.name: [] for network in networks}
    spent: list[tuple[float, float]] = []
    transactions = _count(size, batch) // batch
    for turn in range(size.rounds):
        batches = town.batches(_count(size, batch), batch)
        records = sum(len(each.records) for each in batches)
        before = ledger.cpu()
        took = ledger.commit(_lanes([each.body for each in batches]), records + len(batches))
        after = ledger.cpu()
        spent.append(tuple((b - a) / records * 1e6 for a, b in zip(before, after, strict=True)))  # type: ignore[arg-type]
        rates["ledger"].append(records / took)
        flat = [leaves.transaction([secrets.token_bytes(32) for _ in range(batch)]) for _ in batches]
        rates["leaves"].append(records / opaque.commit(_lanes(flat), records))
        same = [_assignment(len(each.body)) for each in batches]
        rates["kvstore"].append(records / kvstore.commit(_lanes(same), len(same)))
        progress.part((turn + 1) / size.rounds)
    ours, bare, kv = (median(rates[network.kind.name]) for network in networks)
    name = f"records/s final, batches of {batch:,}"
    found = {
        name: Figure(
            ours,
            "records/s",
            bare,
            f">= {AIM_SHARE:.2f} of opaque leaves" if batch > 1 else "",
            ours >= AIM_SHARE * bare if batch > 1 else None,
            f"peer: opaque leaves; {transactions} signed transactions a round",
        ),
        f"{name} (kvstore)": Figure(ours, "records/s", kv, note="peer: CometBFT's kvstore, transactions as large"),
        f"signed transactions/s final, batches of {batch:,}": Figure(ours / batch, "transactions/s"),
        f"CPU a record, batches of {batch:,}": Figure(
            median(app for app, _ in spent) / COUNT, "µs/record", note="one application, of four"
        ),
        f"CPU a record in CometBFT, batches of {batch:,}": Figure(
            median(engine for _, engine in spent) / COUNT, "µs/record", note="one node, of four"
        ),
    }
    return found, ours


def _lanes(transactions: Sequence[bytes]) -> list[list[bytes]]:
    """The first agency's through the first node, and so on: each agency's keep their order."""
    return [list(transactions[at::COUNT]) for at in range(COUNT)]


def _assignment(length: int) -> bytes:
    key = secrets.token_hex(16)
    return f"{key}={secrets.token_hex(length // 2)}".encode()[: max(length, 40)]


def _bytes(network: Four) -> dict[str, Figure]:
    node = network.nodes[0]
    entries = node.size
    database = sum(path.stat().st_size for path in (node.data / "ledger").iterdir())
    engine = sum(path.stat().st_size for path in (node.home / "data").rglob("*") if path.is_file())
    return {
        "bytes a record, ledger": Figure(database / entries, "bytes", note=f"{entries:,} entries, one node"),
        "bytes a record, CometBFT": Figure(
            engine / entries, "bytes", note="blocks and its own log; pruned by --retain, the ledger is kept"
        ),
    }


# Latency, and what happens when a node dies.


@contextlib.contextmanager
def _engines(network: Four) -> Iterator[list[Comet]]:
    opened = [Comet(node.data / "ledger", url=node.url) for node in network.nodes]
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


@dataclass
class _Steady:
    """Single records at a steady rate, through each node in turn; milliseconds from when each was due."""

    town: Town
    engines: Sequence[Comet]
    seconds: float

    def run(self, at: Callable[[float], None] = lambda _: None) -> list[tuple[float, float]]:
        """(seconds after the start, milliseconds until final) of each; `at` is told the time, ten times a second."""
        batches = self.town.batches(max(4, int(LOAD * self.seconds) // 4 * 4), 1)
        done: list[tuple[float, float]] = []
        left = threading.Semaphore(0)
        start = time.perf_counter()

        def finished(due: float, batch: Batch, engine: Comet) -> Callable[[Future[Committed]], None]:
            def note(future: Future[Committed]) -> None:
                if isinstance(future.exception(), LedgerError):
                    # As the relay does: the same bytes, a little later.
                    again = threading.Timer(quorum.AGAIN, lambda: engine.submit(batch.body).add_done_callback(note))
                    again.daemon = True
                    again.start()
                    return
                done.append((due, (time.perf_counter() - start - due) * 1000))
                left.release()

            return note

        for number, batch in enumerate(batches):
            due = number / LOAD
            while (early := due - (time.perf_counter() - start)) > 0:
                time.sleep(early)
            if number % (LOAD // 10) == 0:
                at(due)
            engine = self.engines[number % len(self.engines)]
            engine.submit(batch.body).add_done_callback(finished(due, batch, engine))
        for _ in batches:
            left.acquire()
        return done


def _latency(town: Town, network: Four, seconds: float) -> dict[str, Figure]:
    with _engines(network) as opened:
        took = sorted(each for _, each in _Steady(town, opened, seconds).run())
    p95 = quantile(took, 0.95)
    return {
        f"submit to final p50, {LOAD} records/s": Figure(quantile(took, 0.5), "ms"),
        f"submit to final p95, {LOAD} records/s": Figure(
            p95, "ms", aim=f"< {AIM_LATENCY:.0f} ms", ok=p95 < AIM_LATENCY, note="each record a transaction"
        ),
        f"submit to final p99, {LOAD} records/s": Figure(quantile(took, 0.99), "ms"),
    }


def _recovery(town: Town, network: Four, seconds: float) -> dict[str, Figure]:
    """The fourth node is killed a third into a steady load at the others, and started again two thirds into it."""
    victim = network.nodes[-1]
    events: dict[str, float] = {}

    def trouble(now: float) -> None:
        if "killed" not in events and now >= seconds / 3:
            victim.kill()
            events["killed"] = now
        if "started" not in events and now >= seconds * 2 / 3:
            events["started"] = time.perf_counter()
            victim.start()

    with _engines(network) as opened:
        took = _Steady(town, opened[:-1], seconds).run(trouble)
        while victim.size < network.nodes[0].size:
            time.sleep(0.01)
        recovered = time.perf_counter() - events["started"]
    without = sorted(each for due, each in took if events["killed"] <= due < seconds * 2 / 3)
    return {
        "recovery of a killed node": Figure(
            recovered, "s", aim=f"< {AIM_RECOVERY:.0f} s", ok=recovered < AIM_RECOVERY, note="from start to level"
        ),
        "submit to final p95, one of four dead": Figure(quantile(without, 0.95), "ms"),
        "submit to final, worst, one of four dead": Figure(without[-1], "ms"),
    }
