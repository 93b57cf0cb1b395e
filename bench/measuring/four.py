"""Four validators and their four applications on this machine, under the ledger or under one of its peers.

A `Kind` says what the application is and how many records it has committed. Transactions are handed to each node's RPC
as fast as it takes them; they count when every one of the four has committed them all.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gov_chain import engines
from gov_chain.consortium import cometbft, plan
from gov_chain.consortium.cometbft import Peer, Ports

COUNT = 4
UP = 60.0
LOOK = 0.01
"""Seconds between looks at whether all is committed."""
TICK = os.sysconf("SC_CLK_TCK")


class Stuck(Exception):  # noqa: N818 - it reads as the finding it is
    """The four do not come to what was sent: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    module: str
    """Of the application; empty: CometBFT's own kvstore, inside its process."""
    prepare: Callable[[Path], None]
    """Makes a node's data directory."""
    size: Callable[[Node], int]
    """What grows by one a record, or by one a transaction."""


class Node:
    def __init__(self, four: Four, number: int, ports: Ports) -> None:
        self.data = four.folder / f"node{number}"
        self.home = self.data / "engine"
        self.socket = four.sockets / str(number)
        self.ports = ports
        self.number = number
        self._kind = four.kind
        self.processes: list[subprocess.Popen[bytes]] = []
        self._rpc = http.client.HTTPConnection("127.0.0.1", ports.rpc, timeout=30)
        self.data.mkdir(parents=True)
        self._kind.prepare(self.data)

    def start(self) -> None:
        if self._kind.module:
            command = [sys.executable, "-m", self._kind.module, "--data", str(self.data), "--socket", str(self.socket)]
            self._run("application", command)
            _wait(self.socket.exists)
        self._run("engine", [str(engines.binary("cometbft")), "start", "--home", str(self.home)])

    def _run(self, name: str, command: list[str]) -> None:
        with (self.data / f"{name}.log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603 - our own

    def kill(self) -> None:
        for each in self.processes:
            each.kill()
            each.wait()
        self.processes.clear()
        self.socket.unlink(missing_ok=True)

    def call(self, method: str, **parameters: str) -> dict[str, object]:
        """The answer's whole object; raises `OSError`."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        try:
            self._rpc.request("POST", "/", body, {"Content-Type": "application/json"})
            told: dict[str, object] = json.loads(self._rpc.getresponse().read())
        except http.client.HTTPException as error:
            self._rpc.close()
            raise OSError(str(error)) from error
        except OSError:
            self._rpc.close()
            raise
        return told

    @property
    def size(self) -> int:
        return self._kind.size(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.rpc}"

    def cpu(self) -> tuple[float, float]:
        """Seconds of processor time: of the application, and of CometBFT."""
        spent = [_cpu(each.pid) for each in self.processes]
        return (spent[0], spent[1]) if len(spent) == 2 else (0.0, spent[0])


class Four:
    """Started; closed by leaving the `with` block."""

    def __init__(self, folder: Path, kind: Kind, ledger_id: bytes = bytes(32)) -> None:
        self.folder = folder
        self.kind = kind
        self.sockets = Path(tempfile.mkdtemp(prefix="gc-"))
        ports = plan.free_ports(2 * COUNT)
        self.nodes = [Node(self, at, Ports(rpc=ports[2 * at], p2p=ports[2 * at + 1])) for at in range(COUNT)]
        keys = [[_key(f"{purpose} {at}") for at in range(COUNT)] for purpose in ("validator", "node")]
        publics = [[key.public_key().public_bytes_raw() for key in row] for row in keys]
        genesis = cometbft.genesis(ledger_id, time=int(time.time()), validators=[(key, 1) for key in publics[0]])
        peers = [
            Peer(cometbft.node_id(key), "127.0.0.1", node.ports.p2p)
            for key, node in zip(publics[1], self.nodes, strict=True)
        ]
        for node, validator, own in zip(self.nodes, *keys, strict=True):
            cometbft.make_home(node.home, genesis_json=genesis, node_key=own, validator_key=validator)
            others = [peer for peer in peers if peer.port != node.ports.p2p]
            cometbft.configure(node.home, name=f"node{node.number}", socket=node.socket, ports=node.ports, peers=others)
            if not kind.module:
                config = node.home / "config" / "config.toml"
                config.write_text(config.read_text().replace(f"unix://{node.socket}", "kvstore"))

    def __enter__(self) -> Four:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            _wait(lambda node=node: _peers(node) == COUNT - 1)  # type: ignore[misc]
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Also twice."""
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def commit(self, lanes: Sequence[Sequence[bytes]], grown: int) -> float:
        """Seconds until every node has grown by so much; lane i is handed to node i, in order. Raises `Stuck`."""
        wanted = [node.size + grown for node in self.nodes]
        threads = [
            threading.Thread(target=_hand_over, args=(node, lane)) for node, lane in zip(self.nodes, lanes, strict=True)
        ]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _wait(lambda: all(node.size >= size for node, size in zip(self.nodes, wanted, strict=True)), 300)
        return time.perf_counter() - start

    def cpu(self) -> tuple[float, float]:
        spent = [node.cpu() for node in self.nodes]
        return sum(app for app, _ in spent), sum(engine for _, engine in spent)


def _hand_over(node: Node, lane: Sequence[bytes]) -> None:
    for tx in lane:
        encoded = b64encode(tx).decode()
        while "error" in node.call("broadcast_tx_async", tx=encoded):
            time.sleep(LOOK)  # its mempool is full


def _peers(node: Node) -> int:
    try:
        result = node.call("net_info")["result"]
    except OSError:
        return 0
    assert isinstance(result, dict)
    return int(result["n_peers"])


def _wait(until: Callable[[], bool], timeout: float = UP) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        if time.monotonic() > deadline:
            raise Stuck(f"not within {timeout:.0f} s")
        time.sleep(LOOK)


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"bench {name}".encode()).digest())


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK
