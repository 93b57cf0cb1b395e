"""Nodes of its own for the demo, as a subprocess on free ports, until closed: one node, or a consortium of four."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

START_LIMIT = 120.0
STOP_LIMIT = 20.0
COMMAND_LIMIT = 180.0


class NodeFailedError(Exception):
    """The node did not start or did not stop as it should; the message ends with what it last said."""


class Node:
    """`with Node(folder) as node:` gives `base_url` and, in `greeting`, the ledger's key and who may log in."""

    COMMAND = ("up", "--port", "0")

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data / "node.log"
        self.base_url = ""
        self.greeting: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Node:
        self.data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "gov_chain.cli", *self.COMMAND, "--data", str(self.data), "--json"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=_clean())  # noqa: S603
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(STOP_LIMIT)
            raise NodeFailedError(f"exit {self._process.returncode}: {self._last_words()}")
        self.greeting = json.loads(line)
        if not self.greeting.get("ready"):
            self._process.wait(STOP_LIMIT)
            raise NodeFailedError(line.decode())
        self._greeted()
        return self

    def _greeted(self) -> None:
        self.base_url = self.greeting["base_url"]

    @property
    def vkey(self) -> str:
        """The key that the citizens' node signs checkpoints with."""
        return str(self.greeting["vkey"])

    def vkey_of(self, agency: str) -> str:
        """The same for the node of an agency."""
        return self.vkey

    def desk(self, username: str) -> str:
        """Where an officer works."""
        return self.base_url

    def data_of(self, agency: str) -> Path:
        """The data directory of the node that hosts an agency."""
        return self.data

    @property
    def agencies(self) -> list[str]:
        """One for each node."""
        return ["psb"]

    def stop(self) -> int:
        """Ask politely; answers the exit status. Stopping twice is stopping once."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.returncode

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def command(self, *arguments: str, at: str = "psb") -> tuple[int, Any]:
        """Run another `govchain` command on the data of the node that hosts agency `at`: (exit status, its JSON)."""
        return self._command(*arguments, data=self.data_of(at))

    def _command(self, *arguments: str, data: Path) -> tuple[int, Any]:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "gov_chain.cli", *arguments, "--data", str(data), "--json"],
            capture_output=True,
            env=_clean(),
            check=False,
            timeout=COMMAND_LIMIT,
        )
        try:
            return done.returncode, json.loads(done.stdout or b"null")
        except json.JSONDecodeError:
            return done.returncode, {"output": done.stdout.decode()[-500:], "error": done.stderr.decode()[-500:]}

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace").strip()[-600:]


class VaultNode(Node):
    """A node that signs with a Vault of its own, started with it."""

    COMMAND = ("up", "--port", "0", "--vault")


class Consortium(Node):
    """Four agencies' nodes under one ledger. The citizens' node is that of the home agency."""

    COMMAND = ("consortium", "up")
    HOME = "data"

    def _greeted(self) -> None:
        self._nodes = {node["name"]: node for node in self.greeting["nodes"]}
        self._desks = {officer["username"]: officer["base_url"] for officer in self.greeting["officers"]}
        self.base_url = self._nodes[self.HOME]["base_url"]

    @property
    def vkey(self) -> str:
        return self.vkey_of(self.HOME)

    def vkey_of(self, agency: str) -> str:
        return str(self._nodes[agency]["vkey"])

    @property
    def quorum(self) -> str:
        """The founding validators, as a verifier key."""
        return str(self._nodes[self.HOME]["quorum"])

    def desk(self, username: str) -> str:
        return str(self._desks[username])

    def data_of(self, agency: str) -> Path:
        return self.data / agency / "data"

    @property
    def agencies(self) -> list[str]:
        return list(self._nodes)

    def node_url(self, agency: str) -> str:
        return str(self._nodes[agency]["base_url"])

    def consortium(self, *arguments: str) -> tuple[int, Any]:
        """`govchain consortium …` on this one: (exit status, its JSON)."""
        return self._command("consortium", *arguments, data=self.data)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GOVCHAIN_")}
