"""Faults at system calls: strace counts the calls that reach a ledger's files, and makes the k-th fail or kill.

strace keeps one counter for each thread and each call, so a point is (call, k) and not a place in one long list.
Only calls on the ledger's own files count: `-P` names them.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from gov_chain.ledger import newest, store
from tests.ledger.faults import appender
from tests.ledger.faults.appender import Told

STRACE = shutil.which("strace")
CALLS = (
    "write",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "ftruncate",
    "unlink",
    "fallocate",
)
"""Every call that could change what a disk keeps. Some the append path never makes: the count says so."""
LIMIT = 60.0

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([appender.__name__])


@dataclass(slots=True)
class Run:
    """What a traced child told before it ended."""

    acknowledged: list[Told] = field(default_factory=list)
    ended: str | None = None
    """The error's code it ended with, "" if all went well, None if it was killed."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(thread, call) → how often."""
    injected: int = 0

    def most(self, call: str) -> int:
        """How often the busiest thread made a call: the points there are."""
        return max((count for (_, name), count in self.calls.items() if name == call), default=0)


def run(directory: Path, bodies: list[bytes], *, inject: str = "", shown: int = 8) -> Run:
    """Let a child append `bodies` to the ledger in `directory`, with a fault such as "fsync:error=EIO:when=3".

    `shown` is how many bytes of each write strace notes, in hex.
    """
    ours, theirs = FORKS.Pipe()
    child = FORKS.Process(target=appender.append, args=(directory, bodies, theirs))
    child.start()
    theirs.close()
    log = directory.parent / f"{directory.name}.strace"
    with _traced(ours.recv(), directory, log, inject, shown):
        ours.send("go")
        found = _listen(ours)
        child.join(LIMIT)
        assert child.exitcode is not None, "the child hangs"
    _count(log.read_text(), found)
    assert inject == "" or found.injected > 0, f"{inject} hit nothing"
    return found


@contextmanager
def _traced(pid: int, directory: Path, log: Path, inject: str, shown: int) -> Iterator[None]:
    """strace attached to a process until it ends."""
    assert STRACE is not None
    files = [directory, directory / newest.FILE]
    files += [directory / f"{store.FILE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")]
    command = [
        STRACE,
        "-f",
        "-o",
        str(log),
        "-y",
        "-xx",
        "-s",
        str(shown),
        "-e",
        f"trace={','.join(CALLS)}",
        "-p",
        str(pid),
    ]
    for file in files:
        command += ["-P", str(file)]
    if inject:
        command += ["-e", f"inject={inject}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = ""
        for line in tracer.stderr:
            said += line
            if "attached" in line:
                break
        else:
            raise AssertionError(f"strace cannot attach: {said}")
        # What else it says (a thread that begins) must not fill the pipe.
        rest = threading.Thread(target=tracer.stderr.read)
        rest.start()
        yield
        rest.join(LIMIT)


def _listen(telling: Connection) -> Run:
    found = Run()
    try:
        while telling.poll(LIMIT):
            said = telling.recv()
            if isinstance(said, str):
                found.ended = said
            else:
                found.acknowledged.append(said)
    except (EOFError, ConnectionResetError):
        return found
    raise AssertionError("the child neither speaks nor ends")


_CALL = re.compile(r"^(\d+) +(\w+)\(")


def _count(log: str, found: Run) -> None:
    for line in log.splitlines():
        match = _CALL.match(line)
        if match:
            found.calls[match[1], match[2]] += 1
        if "(INJECTED)" in line or "killed by SIGKILL" in line:
            found.injected += 1
