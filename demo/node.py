"""A node of its own for the demo: `govchain up` as a subprocess on a free port, until closed."""

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


class NodeFailedError(Exception):
    """The node did not start or did not stop as it should; the message ends with what it last said."""


class Node:
    """`with Node(folder) as node:` gives `base_url`, `vkey`, and who may log in."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data / "node.log"
        self.base_url = ""
        self.greeting: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Node:
        self.data.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GOVCHAIN_")}
        command = [sys.executable, "-m", "gov_chain.cli", "up", "--port", "0", "--data", str(self.data), "--json"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=kept)  # noqa: S603
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(STOP_LIMIT)
            raise NodeFailedError(f"exit {self._process.returncode}: {self._last_words()}")
        self.greeting = json.loads(line)
        if not self.greeting.get("ready"):
            self._process.wait(STOP_LIMIT)
            raise NodeFailedError(line.decode())
        self.base_url = self.greeting["base_url"]
        return self

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

    def command(self, *arguments: str) -> tuple[int, Any]:
        """Run another `govchain` command on this node's data: (exit status, its JSON)."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GOVCHAIN_")}
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "gov_chain.cli", *arguments, "--data", str(self.data), "--json"],
            capture_output=True,
            env=kept,
            check=False,
            timeout=STOP_LIMIT * 3,
        )
        try:
            return done.returncode, json.loads(done.stdout or b"null")
        except json.JSONDecodeError:
            return done.returncode, {"output": done.stdout.decode()[-500:], "error": done.stderr.decode()[-500:]}

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace").strip()[-600:]
