"""A doorbell between processes: whoever commits rings, whoever waits for commits wakes up. It carries nothing.

Each listener has a named pipe `<name>.bell` in the ledger's directory. A ring nobody hears is lost, and that does no
harm: a listener looks at the store when it starts, after every ring, and now and then by itself.
"""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path
from typing import Self

SUFFIX = ".bell"


def ring(directory: Path) -> None:
    """Wake every listener; never waits, never fails."""
    with contextlib.suppress(OSError), os.scandir(directory) as found:
        for each in found:
            if each.name.endswith(SUFFIX):
                _ring(each.path)


def _ring(path: str) -> None:
    # ENXIO: nobody listens. EAGAIN: the pipe is full of rings.
    with contextlib.suppress(OSError):
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(pipe, b"\0")
        finally:
            os.close(pipe)


class Bell:
    """One listener, by its name."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / f"{name}{SUFFIX}"
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._path, 0o600)
        # Open for writing as well: without a writer the pipe would read as ended.
        self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def wait(self, seconds: float) -> bool:
        """Until it rings, at most so long; whether it did."""
        rang, _, _ = select.select([self._pipe], [], [], seconds)
        if rang:
            with contextlib.suppress(BlockingIOError):
                os.read(self._pipe, 4096)
        return bool(rang)

    def ring(self) -> None:
        """Wake this listener from another thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._pipe, b"\0")

    def close(self) -> None:
        os.close(self._pipe)
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
