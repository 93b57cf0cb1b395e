"""A consortium on one machine, as written down in `<root>/consortium.json`: its nodes, their addresses and folders.

    <root>/consortium.json            this plan; nothing secret in it
    <root>/supervisor.pid, control    the process that keeps the nodes running, and where it listens
    <root>/founding/                  the ledger's first state and genesis.json, for nodes that join later; public
    <root>/<node>/data/               GOVCHAIN_DATA: keys, ledger, database
    <root>/<node>/data/node.env       its settings; every `govchain … --data` reads them (for the owner's eyes only)
    <root>/<node>/engine/             CometBFT's home
    <root>/<node>/run/ logs/          pid files; one log a process

In production every node is on a machine of its own, with the same folders and without the plan: `deploy/` shows how.
"""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from gov_chain.consortium.cometbft import Peer, Ports
from gov_chain.consortium.errors import ConsortiumError

FILE = "consortium.json"
FORMAT = 1
HOST = "localhost"
"""Of base URLs: a passkey cannot be bound to an address."""
LOOPBACK = "127.0.0.1"
MAX_SOCKET_PATH = 100
"""Linux allows 107 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node: an agency's, or an observer's, which hosts no agency and does not vote."""

    name: str
    """The agency's short name, or the observer's own."""
    agency: int
    """The agency's number; 0 for an observer."""
    signs_as: int
    """Its number in its checkpoint key's name, `<origin>/<number>`: the agency's, or beyond those for an observer."""
    validator: bool
    node_id: str
    """How other nodes' engines know it."""
    web: int
    rpc: int
    p2p: int
    metrics: int
    cosigner: int
    state_sync: bool = False
    """Its first start takes a snapshot from the others, instead of every block since the first."""

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.web}"

    @property
    def ports(self) -> Ports:
        return Ports(rpc=self.rpc, p2p=self.p2p, metrics=self.metrics)

    @property
    def peer(self) -> Peer:
        return Peer(self.node_id, LOOPBACK, self.p2p)

    @property
    def cosigner_url(self) -> str:
        return f"http://{LOOPBACK}:{self.cosigner}"

    @property
    def rpc_url(self) -> str:
        return f"http://{LOOPBACK}:{self.rpc}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    root: Path
    origin: str
    """The ledger's name in its checkpoints."""
    ledger_id: str
    """Hexadecimal."""
    nodes: tuple[Node, ...]
    retain: int = 0
    """Blocks each engine keeps; 0: all. The ledger itself is never pruned."""
    snapshots: int = 1000
    """Every how many blocks a snapshot is offered to nodes that join."""

    def node(self, name: str) -> Node:
        """Raises `ConsortiumError("node-unknown")`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise ConsortiumError("node-unknown", name=name, known=", ".join(each.name for each in self.nodes))

    def home(self, node: Node) -> Path:
        return self.root / node.name

    def data(self, node: Node) -> Path:
        return self.home(node) / "data"

    def engine(self, node: Node) -> Path:
        return self.home(node) / "engine"

    def environment(self, node: Node) -> Path:
        return self.data(node) / "node.env"

    def log(self, node: Node, process: str) -> Path:
        return self.home(node) / "logs" / f"{process}.log"

    def pid_file(self, node: Node, process: str) -> Path:
        return self.home(node) / "run" / f"{process}.pid"

    def socket(self, node: Node) -> Path:
        """The application's."""
        return short_path(self.home(node) / "run" / "app.sock")

    @property
    def founding(self) -> Path:
        """The ledger's first state and the engine's genesis.json: what a node that joins later starts from."""
        return self.root / "founding"

    @property
    def control(self) -> Path:
        """The supervisor's socket."""
        return short_path(self.root / "control")

    @property
    def supervisor_pid(self) -> Path:
        return self.root / "supervisor.pid"

    def with_node(self, node: Node) -> Plan:
        if any(each.name == node.name for each in self.nodes):
            raise ConsortiumError("node-name-taken", name=node.name)
        return replace(self, nodes=(*self.nodes, node))


def short_path(path: Path) -> Path:
    """`path` if a unix socket can be there, else a place for it under the temporary directory, always the same one."""
    if len(str(path).encode()) <= MAX_SOCKET_PATH:
        return path
    folder = Path(tempfile.gettempdir()) / f"govchain-{sha256(str(path.parent).encode()).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / path.name


def write(plan: Plan) -> None:
    """Replaced whole: a reader sees the old plan or the new one."""
    value = {
        "format": FORMAT,
        "origin": plan.origin,
        "ledger_id": plan.ledger_id,
        "retain": plan.retain,
        "snapshots": plan.snapshots,
        "nodes": [asdict(node) for node in plan.nodes],
    }
    draft = plan.root / f"{FILE}.new"
    draft.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    draft.replace(plan.root / FILE)


def exists(root: Path) -> bool:
    return (root / FILE).exists()


def read(root: Path) -> Plan:
    """Raises `ConsortiumError`: consortium-missing, consortium-unreadable."""
    root = root.absolute()
    try:
        value: dict[str, Any] = json.loads((root / FILE).read_text())
        if value["format"] != FORMAT:
            raise ValueError(f"format {value['format']}")
        nodes = tuple(Node(**row) for row in value["nodes"])
        settings = {name: value[name] for name in ("origin", "ledger_id", "retain", "snapshots")}
        return Plan(root=root, nodes=nodes, **settings)
    except FileNotFoundError as error:
        raise ConsortiumError("consortium-missing", place=str(root)) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConsortiumError("consortium-unreadable", place=str(root), log=str(error)) from error


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on at this moment, all different."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind((LOOPBACK, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports
