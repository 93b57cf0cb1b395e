"""Keeping a consortium's nodes running: a thread a node, which starts its processes in order and restarts what died.

    app        the ledger's rules and store       ready when its socket takes a connection
    engine     CometBFT, the app's client         ready when its RPC answers; ends when the app does
    cosigner   signs what was committed           ready when it says so
    web        pages, protocols, relay            ready when it says so, which needs a quorum of the nodes

A node is left alone by the others' troubles. A process that keeps dying is restarted ever less often. Commands come
over a unix socket, one line of JSON each: {"do": "stop" | "start" | "add", "node": …, "kill": true} or {"do": "end"}.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import httpx

from gov_chain import engines
from gov_chain.consortium import health, layout, plan, processes
from gov_chain.consortium.errors import ConsortiumError
from gov_chain.consortium.plan import Node, Plan
from gov_chain.consortium.processes import Process
from gov_chain.core.errors import GovChainError

log = logging.getLogger(__name__)

FIRST_PAUSE, LAST_PAUSE = 0.5, 30.0
MAX_COMMAND = 4096
PRIVATE = ("GOVCHAIN_",)
"""Environment that is a node's own: what the supervisor itself was started with is not handed on."""


def inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}


def node_processes(of: Plan, node: Node) -> list[Process]:
    """A node's processes, in the order in which they start."""
    environment = inherited()

    def process(name: str, command: list[str], ready: Callable[[Process], bool], *, listens: bool = False) -> Process:
        return Process(
            node=node.name,
            name=name,
            command=command,
            environment=environment,
            log=of.log(node, name),
            pid_file=of.pid_file(node, name),
            ready=ready,
            listens=listens,
        )

    data, address = str(of.data(node)), str(of.socket(node))
    app = [sys.executable, "-m", "gov_chain.ledger.abci", "--data", data, "--socket", address]
    app += ["--agency", str(node.signs_as), "--retain", str(of.retain), "--snapshots", str(of.snapshots)]
    engine = [str(engines.binary("cometbft")), "node", "--home", str(of.engine(node))]
    govchain = [sys.executable, "-m", "gov_chain.cli"]
    cosigner = [*govchain, "cosigner", "run", "--port", str(node.cosigner), "--data", data]
    for other in of.nodes:
        if other.name != node.name:
            cosigner += ["--peer", other.cosigner_url]
    if node.agency:
        web = [*govchain, "up", "--port", str(node.web), "--data", data, "--json"]
    else:
        cosigner.append("--observe")
        web = [*govchain, "ledger", "serve", "--port", str(node.web), "--data", data, "--json"]
        web += ["--vkey", layout.vkey(of, node)]
    return [
        process("app", app, lambda _: _takes_connections(address)),
        process("engine", engine, lambda _: _answers(f"{node.rpc_url}/health") and _has_begun(node)),
        process("cosigner", [*cosigner, "--json"], lambda started: started.heard(), listens=True),
        process("web", web, lambda started: started.heard(), listens=True),
    ]


class NodeRunner:
    """One node's thread."""

    def __init__(self, of: Plan, node: Node) -> None:
        self.node = node
        self.processes = node_processes(of, node)
        self.failure: GovChainError | None = None
        """Why the last start did not succeed."""
        self.ready = threading.Event()
        """All processes do their work."""
        self.settled = threading.Event()
        """What was last wanted has been done, or has failed."""
        self._plan = of
        self._wanted = True
        self._kill = False
        self._ended = False
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"node-{node.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def want(self, running: bool, *, kill: bool = False) -> None:
        """Have the node started or stopped; `settled` tells when that is done."""
        self.settled.clear()
        self._wanted, self._kill = running, kill
        self._wake.send(b"!")

    def end(self) -> None:
        """Stop the node for good, and wait."""
        self._ended = True
        self.want(False)
        self._thread.join()

    @property
    def greeting(self) -> dict[str, Any]:
        """What the web said when it was ready."""
        said: dict[str, Any] = json.loads(self.processes[-1].greeting or b"{}")
        return said

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._ended:
            if not self._wanted:
                self._take_down()
                self.settled.set()
                self._wait(None)
                continue
            try:
                self._bring_up()
                pause = FIRST_PAUSE
                self.settled.set()
                self._wait(None)
            except GovChainError as error:
                self.failure = error
                self.settled.set()
                log.error("%s", error)
                self._wait(pause)
                pause = min(pause * 2, LAST_PAUSE)
            except OSError as error:
                log.error("%s: %s", self.node.name, error)
                self._wait(pause)
            self.ready.clear()
        self._take_down()

    def _bring_up(self) -> None:
        """Start what does not run, in order; raises `ConsortiumError("process-failed")`."""
        layout.configure(self._plan, self.node)
        for position, process in enumerate(self.processes):
            if process.alive:
                continue
            if process.name == "app":
                # An engine whose application has gone ends too, and must not be met half-way.
                for later in self.processes[position + 1 :]:
                    if later.name == "engine":
                        later.stop()
            process.start()
            log.info("%s: %s runs", self.node.name, process.name)
            if not self._wanted:
                return
        self.failure = None
        self.ready.set()

    def _take_down(self) -> None:
        self.ready.clear()
        for process in reversed(self.processes):
            process.stop(kill=self._kill)

    def _wait(self, seconds: float | None) -> None:
        """Until a process dies, something is wanted, or the time is over."""
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as held:
            selector.register(self._woken, selectors.EVENT_READ)
            for process in self.processes:
                if process.alive:
                    with contextlib.suppress(ProcessLookupError):
                        selector.register(held.enter_context(process.death()), selectors.EVENT_READ)
            running = [process for process in self.processes if process.alive]
            if self._wanted and seconds is None and len(running) < len(self.processes):
                return  # one died before it could be watched
            selector.select(seconds)
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(64)


class Supervisor:
    """`with Supervisor(plan) as supervisor:` starts every node; leaving it ends them."""

    def __init__(self, of: Plan) -> None:
        self.plan = of
        self.runners = {node.name: NodeRunner(of, node) for node in of.nodes}
        self.ending = threading.Event()
        self._control: socket.socket | None = None

    def __enter__(self) -> Supervisor:
        """Raises `ConsortiumError`: consortium-running; process-failed when a node does not come up."""
        for pid_file in [self.plan.supervisor_pid, *self._pid_files()]:
            if found := processes.find(pid_file):
                raise ConsortiumError("consortium-running", pid=found.pid)
        processes.note(self.plan.supervisor_pid, os.getpid())
        self._listen()
        try:
            for runner in self.runners.values():
                runner.start()
            for runner in self.runners.values():
                while not (runner.ready.is_set() or runner.failure or self.ending.is_set()):
                    runner.settled.wait(0.2)
                if runner.failure and not runner.ready.is_set():
                    raise runner.failure
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self.ending.set()
        if self._control is not None:
            self._control.close()
            self.plan.control.unlink(missing_ok=True)
        ends = [threading.Thread(target=runner.end) for runner in self.runners.values() if runner._thread.is_alive()]
        for thread in ends:
            thread.start()
        for thread in ends:
            thread.join()
        self.plan.supervisor_pid.unlink(missing_ok=True)

    def run(self) -> None:
        """Until SIGINT, SIGTERM or the command to end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.ending.set())
        self.ending.wait()

    def _pid_files(self) -> list[Any]:
        return [
            self.plan.pid_file(runner.node, each.name) for runner in self.runners.values() for each in runner.processes
        ]

    # Commands.

    def _listen(self) -> None:
        self.plan.control.unlink(missing_ok=True)
        self._control = socket.socket(socket.AF_UNIX)
        self._control.bind(str(self.plan.control))
        self.plan.control.chmod(0o600)
        self._control.listen(8)
        threading.Thread(target=self._serve, args=(self._control,), name="control", daemon=True).start()

    def _serve(self, control: socket.socket) -> None:
        while True:
            try:
                connection, _ = control.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._answer, args=(connection,), name="command", daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                self._obey(json.loads(connection.recv(MAX_COMMAND)))
                told: dict[str, Any] = {"ok": True}
            except GovChainError as error:
                told = {"ok": False, "code": error.code, "values": error.values}
            except (ValueError, KeyError, TypeError):
                told = {"ok": False, "code": "consortium-stopped", "values": {}}
            connection.sendall(json.dumps(told).encode() + b"\n")

    def _obey(self, command: dict[str, Any]) -> None:
        if command["do"] == "end":
            self.ending.set()
            return
        if command["do"] == "add":
            self.plan = plan.read(self.plan.root)
            added = self.runners[command["node"]] = NodeRunner(self.plan, self.plan.node(command["node"]))
            added.start()
            added.settled.wait(processes.READY_SECONDS)
            return
        self.plan = plan.read(self.plan.root)
        node = self.plan.node(command["node"])
        runner = self.runners[node.name]
        if node != runner.node:
            # Restored in another form: its processes are started anew, with what the plan says now.
            runner.end()
            runner = self.runners[node.name] = NodeRunner(self.plan, node)
            runner.want(False)
            runner.start()
            runner.settled.wait(processes.STOP_SECONDS)
        runner.failure = None
        runner.want(command["do"] == "start", kill=bool(command.get("kill")))
        runner.settled.wait(processes.READY_SECONDS)
        if runner.failure:
            raise runner.failure


def command(of: Plan, **words: Any) -> None:
    """Tell the running supervisor something, and wait until it is done; raises `ConsortiumError`."""
    try:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(processes.READY_SECONDS + 10)
            control.connect(str(of.control))
            control.sendall(json.dumps(words).encode())
            answer = json.loads(control.makefile("rb").readline() or b"{}")
    except (OSError, ValueError) as error:
        raise ConsortiumError("consortium-stopped", log=str(error)) from error
    if not answer.get("ok"):
        raise ConsortiumError(answer.get("code", "consortium-stopped"), **answer.get("values", {}))


def _takes_connections(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def _has_begun(node: Node) -> bool:
    """Whether a snapshot has been restored, if the node starts from one: it replaces the store under its readers."""
    if not node.state_sync:
        return True
    found = health.last_block(node.rpc_url)
    return found is not None and found[0] > 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


__all__ = ["NodeRunner", "Supervisor", "command", "node_processes", "plan"]
