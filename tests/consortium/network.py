"""Real consortia on this machine: CometBFT's nodes and their applications, each a process, under a town's rules.

    with Network(directory, 4) as network:       four agencies' nodes, each a validator
        network.submit(0, PSB, type_record())    through node 0, until it is final there
        network.nodes[1].kill()

Agency n + 1 runs node n. Keys and records are `tests.ledger.town`'s. Nodes reach each other through `Wire`s, which a
test may cut. Needs the CometBFT binary: skipped without it, and failed where CI=true.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from gov_chain import engines
from gov_chain.consortium import cometbft
from gov_chain.consortium.cometbft import Peer, Ports, StateSync
from gov_chain.ledger import founding, store
from gov_chain.ledger.core import genesis, transaction
from gov_chain.ledger.core.genesis import FoundingAgency, Genesis
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.engines.comet import Comet
from gov_chain.ledger.reader import Reader
from tests.ledger.town import (
    DIGEST,
    HOME,
    ORIGIN,
    POINT,
    PSB,
    STREET,
    VERIFIER,
    approval,
    founding_validator,
    grant_record,
    matter_record,
    public_key,
    secret_key,
    type_record,
)

PATIENT = 60.0
Found = TypeVar("Found")


def cometbft_binary() -> Path:
    try:
        return engines.binary("cometbft")
    except engines.EnginesError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{error.en} {error.fix_en}")


def until(found: Callable[[], Found], timeout: float = PATIENT, *, what: str = "") -> Found:
    """Ask until the answer is true; an error of the network counts as no. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if answer := found():
                return answer
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.05)


def free_port() -> int:
    """Below those the kernel gives to whoever asks for any: between this look and a node's start nobody is given it."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def consortium(agencies: int, validators: int, created: int) -> Genesis:
    """A town's three agencies and more; the first few are validators."""
    return Genesis(
        agencies=tuple(
            FoundingAgency(
                number=number,
                ledger_key=public_key(number),
                issue_key=POINT,
                request_key=POINT,
                profile_digest=DIGEST,
            )
            for number in range(1, max(agencies, STREET) + 1)
        ),
        accreditations=((PSB, 1), (HOME, 0)),
        checkpoint_key=public_key(0),
        created=created,
        validators=tuple(founding_validator(number) for number in range(1, validators + 1)),
    )


class Wire:
    """A port of our own before another one: what goes through it can be cut, and joined again."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._cut = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        self._cut = False

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with contextlib.suppress(OSError):
                    if self._cut:
                        near.close()
                        continue
                    far = socket.create_connection(("127.0.0.1", self._target))
                    with self._lock:
                        self._open |= {near, far}
                    for ends in ((near, far), (far, near)):
                        threading.Thread(target=self._pump, args=ends, daemon=True).start()
                    continue
                near.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, sink}


class Node:
    """One agency's node: an application and a CometBFT."""

    def __init__(self, network: Network, number: int, *, key: int | None = None) -> None:
        """`key`: the number of another agency, whose validator's key this one was given by mistake."""
        self.network = network
        self.number = number
        self.agency = number + 1
        self.data = network.directory / f"node{number}"
        self.home = self.data / "cometbft"
        self.socket = network.sockets / f"{number}"
        self.ports = Ports(rpc=free_port(), p2p=free_port())
        self.node_key = secret_key(200 + self.agency)
        self.node_id = cometbft.node_id(public_key(200 + self.agency))
        self.environment: dict[str, str] = {}
        self.module = "gov_chain.ledger.abci"
        """What its application runs: the software, or a later version of it."""
        self.app: subprocess.Popen[bytes] | None = None
        self.comet: subprocess.Popen[bytes] | None = None
        self._engine: Comet | None = None
        self._rpc = httpx.Client(base_url=self.url, timeout=5)
        founding.found(self.data / "ledger", network.genesis, origin=ORIGIN, sign=secret_key(0).sign)
        keys = self.data / "keys" / "ledger"
        keys.mkdir(parents=True)
        (keys / "checkpoint.key").write_bytes(
            secret_key(0).private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        cometbft.make_home(
            self.home,
            genesis_json=network.genesis_json,
            node_key=self.node_key,
            validator_key=secret_key(100 + (self.agency if key is None else key)),
        )

    def configure(self, state_sync: StateSync | None = None) -> None:
        peers = [
            Peer(each.node_id, "127.0.0.1", self.network.wire(self, each).port)
            for each in self.network.nodes
            if each is not self
        ]
        cometbft.configure(
            self.home,
            name=f"node{self.number}",
            socket=self.socket,
            ports=self.ports,
            peers=peers,
            state_sync=state_sync,
        )

    def start(self) -> None:
        self.start_application()
        # CometBFT would try again by itself, three seconds later.
        until(self.socket.exists, what=f"application {self.number}")
        self.start_comet()

    def start_application(self, *prefix: str) -> None:
        """`prefix`: a command to run it under."""
        command = [*prefix, sys.executable, "-m", self.module, "--snapshots", "20"]
        self.app = self._run("application", [*command, "--data", str(self.data), "--socket", str(self.socket)])

    def start_comet(self, **environment: str) -> None:
        command = [str(self.network.binary), "start", "--home", str(self.home)]
        self.comet = self._run("cometbft", command, **environment)

    def _run(self, name: str, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        env = os.environ | self.environment | environment
        with (self.data / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env)

    @property
    def processes(self) -> list[subprocess.Popen[bytes]]:
        """CometBFT before its application."""
        return [each for each in (self.comet, self.app) if each is not None]

    def signal(self, number: int) -> None:
        for each in self.processes:
            each.send_signal(number)

    def kill(self) -> None:
        """As a power cut does: both processes, at once."""
        self.signal(signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """In order, and CometBFT first: one that loses its application while it is stopping may never end."""
        for each in self.processes:
            each.send_signal(signal.SIGCONT)
            each.send_signal(signal.SIGTERM)
            try:
                each.wait(20)
            except subprocess.TimeoutExpired:
                each.kill()
        self._gone()

    def _gone(self) -> None:
        for each in self.processes:
            each.wait()
        self.app = self.comet = None

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._rpc.close()
        self.stop()

    # What it says.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.rpc}"

    def ask(self, method: str, **parameters: str) -> Any:
        return self._rpc.get(f"/{method}", params=parameters).json().get("result")

    @property
    def height(self) -> int:
        """The last block its store has."""
        with contextlib.closing(store.open_reading(self.data / "ledger" / store.FILE)) as connection:
            return int(store.Rows(connection).one("SELECT height FROM engine") or 0)

    @property
    def reader(self) -> Reader:
        return Reader(self.data / "ledger", VERIFIER)

    @property
    def engine(self) -> Comet:
        if self._engine is None:
            self._engine = Comet(self.data / "ledger", url=self.url)
        return self._engine

    def log(self, name: str = "application") -> str:
        return (self.data / f"{name}.log").read_text(errors="replace")


class Network:
    """So many validators, fully connected, all started; closed by leaving the `with` block."""

    def __init__(
        self,
        directory: Path,
        count: int,
        *,
        agencies: int = 0,
        created: int | None = None,
        start: bool = True,
        environments: Sequence[dict[str, str]] = (),
    ) -> None:
        """`environments`: variables of each node's application."""
        self.binary = cometbft_binary()
        self.directory = directory
        # A socket's path has 107 bytes at most, and pytest's directories are long.
        self.sockets = Path(tempfile.mkdtemp(prefix="gc-"))
        self.created = int(time.time()) if created is None else created
        self.genesis = consortium(agencies or count, count, self.created)
        self.ledger_id = genesis.ledger_id(genesis.build(self.genesis))
        self.genesis_json = cometbft.genesis(
            self.ledger_id,
            time=int(time.time()),
            validators=[(each.consensus_key, each.power) for each in self.genesis.validators],
        )
        self.sequences: dict[int, int] = {}
        self._lock = threading.Lock()
        self.compared = 0
        """The block up to which all nodes' app hashes were found to be the same."""
        self._wires: dict[tuple[int, int], Wire] = {}
        self.nodes: list[Node] = []
        for number in range(count):
            self.nodes.append(Node(self, number))
            self.nodes[-1].environment |= environments[number] if environments else {}
        for node in self.nodes:
            node.configure()
        if start:
            self.start()

    def start(self) -> None:
        for node in self.nodes:
            node.start_application()
        for node in self.nodes:
            until(node.socket.exists, what=f"application {node.number}")
            node.start_comet()

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        for wire in self._wires.values():
            wire.close()
        shutil.rmtree(self.sockets)

    def wire(self, source: Node, target: Node) -> Wire:
        pair = source.number, target.number
        if pair not in self._wires:
            self._wires[pair] = Wire(target.ports.p2p)
        return self._wires[pair]

    def cut_off(self, node: Node) -> None:
        for pair, wire in self._wires.items():
            if node.number in pair:
                wire.cut()

    def join(self, node: Node) -> None:
        for pair, wire in self._wires.items():
            if node.number in pair:
                wire.join()

    # Work for it.

    def now(self) -> int:
        return max(self.created, int(time.time()))

    def add(self, *, key: int | None = None) -> Node:
        """One node more, not started; the others do not dial it, it dials them."""
        node = Node(self, len(self.nodes), key=key)
        self.nodes.append(node)
        return node

    def signed(self, agency: int, *batch: bytes, **changes: int) -> bytes:
        with self._lock:
            sequence = self.sequences[agency] = self.sequences.get(agency, 0) + 1
        values = {
            "agency": agency,
            "key_no": 1,
            "sequence": sequence,
            "valid_until": self.now() + 600,
        } | changes
        return transaction.build(ledger_id=self.ledger_id, records=batch, sign=secret_key(agency).sign, **values)

    def send(self, node: int, agency: int, *batch: bytes) -> Future[Committed]:
        return self.nodes[node].engine.submit(self.signed(agency, *batch))

    def submit(self, node: int, agency: int, *batch: bytes) -> Committed:
        return self.send(node, agency, *batch).result(PATIENT)

    def register(self, node: int = 0) -> None:
        """Type 1 and matter 1, in force."""
        self.ready()
        self.submit(node, PSB, type_record())
        self.submit(node, STREET, matter_record())
        self.submit(node, PSB, approval())

    def grant(self, node: int = 0) -> bytes:
        """The secret of a new live grant."""
        secret = secrets.token_bytes(32)
        assert not self.submit(node, HOME, grant_record(secret, time=self.now())).refused
        return secret

    def ready(self) -> None:
        """Every running node answers, and enough of them know each other for blocks to be made."""
        running = [node for node in self.nodes if node.comet is not None]
        for node in running:
            until(lambda node=node: node.ask("status"), what=f"node {node.number} up")  # type: ignore[misc]
        for node in running:
            until(lambda node=node: int(node.ask("net_info")["n_peers"]) >= len(running) - 1, what="peers")  # type: ignore[misc]

    def same_height(self, nodes: list[Node] | None = None) -> int:
        """Wait until these nodes stand at one block, and no more is made; that block."""
        nodes = self.nodes if nodes is None else nodes

        def level() -> int:
            heights = {node.height for node in nodes}
            return heights.pop() if len(heights) == 1 else 0

        return until(level, what="the nodes come to one height")
