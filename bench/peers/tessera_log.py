"""Tessera's POSIX log: a Go program (`tessera/`) built once and kept under the digest of its sources, outside the tree.

Where there is no Go, or its modules cannot be had, there is no such peer: `build` says why.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

SOURCES = Path(__file__).parent / "tessera"
TIMEOUT = 600


class Absent(Exception):  # noqa: N818 - it reads as the finding it is
    """There is no Tessera here; the reason."""


@dataclass(frozen=True, slots=True)
class Tessera:
    program: Path

    def append_all(self, directory: Path, entries: Sequence[bytes], *, submitters: int, batch: int) -> float:
        """Seconds until all entries are durable and under a checkpoint of a new log in `directory`."""
        done = subprocess.run(  # noqa: S603 - what was built from these sources
            [self.program, "-dir", directory, "-submitters", str(submitters), "-batch", str(batch)],
            input=b"".join(struct.pack(">I", len(entry)) + entry for entry in entries),
            capture_output=True,
            check=True,
            timeout=TIMEOUT,
        )
        return float(done.stdout)


def build() -> Tessera:
    """The built program; raises `Absent`."""
    go = shutil.which("go")
    if go is None:
        raise Absent("Go is not installed")
    digest = sha256(b"".join(file.read_bytes() for file in sorted(SOURCES.iterdir()))).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "govchain"
    built = cache / f"tessera-{digest}"
    if not built.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as draft:
            made = Path(draft, "tessera")
            _go(go, "mod", "download")
            _go(go, "build", "-trimpath", "-buildvcs=false", "-o", str(made), ".")
            made.replace(built)
    return Tessera(built)


def _go(go: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - Go, on these sources
        [go, *arguments],
        cwd=SOURCES,
        env=os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise Absent(f"go {arguments[0]}: {said[-1][:120]}")
