"""One process of a node: started, known again by its pid file, and ended by whoever started it.

A pid file holds the process's number and the moment the kernel started it: a number alone may by now belong to
somebody else's process, which nobody here would ever signal.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gov_chain.consortium.errors import ConsortiumError

READY_SECONDS = 180.0
STOP_SECONDS = 20.0
LOOK = 0.05
"""Seconds between looks at whether a process is ready; its death is an event and ends the waiting at once."""
LAST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A process by its pid file."""

    pid: int
    started: int
    """Clock ticks after the machine's start (proc(5), stat field 22)."""

    def alive(self) -> bool:
        return started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def started(pid: int) -> int | None:
    """When the process was started; None if there is none, or it is only waiting for its parent to notice its end."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the command's name in parentheses and may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def find(pid_file: Path) -> Found | None:
    """The living process that a pid file names."""
    try:
        pid, ticks = map(int, pid_file.read_text().split())
    except (FileNotFoundError, ValueError):
        return None
    found = Found(pid, ticks)
    return found if found.alive() else None


def note(pid_file: Path, pid: int) -> None:
    """Write a process's pid file."""
    draft = pid_file.with_suffix(".new")
    draft.write_text(f"{pid} {started(pid) or 0}\n")
    draft.replace(pid_file)


def end(found: Found, *, seconds: float = STOP_SECONDS) -> None:
    """Ask a process to end, and wait; kill it if it does not. It need not be this process's child."""
    found.signal(signal.SIGTERM)
    if not _gone(found, seconds):
        found.signal(signal.SIGKILL)
        _gone(found, seconds)


def wait(until: Callable[[], bool], found: Found, *, seconds: float) -> bool:
    """Ask `until` again and again, while a process lives that need not be this one's child; whether it came true."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline or _gone(found, LOOK):
            return False
    return True


def _gone(found: Found, seconds: float) -> bool:
    try:
        descriptor = os.pidfd_open(found.pid)
    except ProcessLookupError:
        return True
    try:
        return not found.alive() or bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class Process:
    """A process of a node, as its supervisor starts and restarts it."""

    node: str
    name: str
    """app, engine, cosigner or web."""
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    pid_file: Path
    ready: Callable[[Process], bool]
    """Whether it does its work already; asked again and again until it says so."""
    restarts: int = -1
    greeting: bytes = b""
    """The first line it wrote, when its output is listened to."""
    listens: bool = False
    popen: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def start(self) -> None:
        """Start it and wait until it is ready; raises `ConsortiumError("process-failed")`."""
        self.restarts += 1
        self.greeting = b""
        self.close()
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(  # noqa: S603 - commands of our own
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self.listens else log,
                stderr=log,
                # Ctrl-C is for the supervisor, which ends its processes in their order.
                start_new_session=True,
            )
        note(self.pid_file, self.popen.pid)
        deadline = time.monotonic() + READY_SECONDS
        with self.death() as descriptor:
            while not self.ready(self):
                if select.select([descriptor], [], [], LOOK)[0]:
                    self.popen.wait()
                    raise self._failed(f"exit {self.popen.returncode}: {self._last_words()}")
                if time.monotonic() > deadline:
                    raise self._failed(f"not ready after {READY_SECONDS:.0f} s: {self._last_words()}")

    @contextlib.contextmanager
    def death(self):  # type: ignore[no-untyped-def]
        """A file descriptor that becomes readable when the process ends."""
        assert self.popen is not None
        descriptor = os.pidfd_open(self.popen.pid)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def heard(self) -> bool:
        """Whether its first line of output is complete; takes what there is of it."""
        assert self.popen is not None
        assert self.popen.stdout is not None
        while not self.greeting.endswith(b"\n") and select.select([self.popen.stdout], [], [], 0)[0]:
            more = os.read(self.popen.stdout.fileno(), 65536)
            if not more:
                return False
            self.greeting += more
        return self.greeting.endswith(b"\n")

    def stop(self, *, kill: bool = False) -> None:
        """End it, if it runs, and wait for its end."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                self.popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.close()
        self.pid_file.unlink(missing_ok=True)

    def close(self) -> None:
        if self.popen is not None and self.popen.stdout is not None:
            self.popen.stdout.close()

    def _failed(self, reason: str) -> ConsortiumError:
        return ConsortiumError("process-failed", node=self.node, process=self.name, reason=reason)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return " ".join(self.log.read_text(errors="replace").split())[-LAST_WORDS:]
        return ""
