"""Other makers' engines, built from pinned source and kept outside the tree.

`deploy/engines/<name>/` is a Go module (go.mod, go.sum) that requires the engine as a tool. `build` compiles it into
`${XDG_CACHE_HOME:-~/.cache}/govchain/engines/<name>-<digest>/<name>`; the digest covers go.mod, go.sum, the flags and
the platform, so a change of any of them builds anew and nothing else does. `binary` only looks there.

    python -m gov_chain.engines cometbft        build it unless it is there; prints the path (`make engines`)

Go is the machine's, when it is new enough for the module; otherwise the wheel pinned in `deploy/engines/go.txt` is
put into the same cache. What is downloaded is held to go.sum and to that file's hashes.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gov_chain.core.errors import GovChainError, Message

SOURCES = Path(__file__).resolve().parent.parent / "deploy" / "engines"


@dataclass(frozen=True, slots=True)
class Module:
    """What to build in `SOURCES/<name>`: a Go package, and the flags beside the common ones."""

    package: str
    flags: tuple[str, ...] = ()


MODULES = {
    "cometbft": Module("github.com/cometbft/cometbft/cmd/cometbft"),
    # `minimal` leaves out the plugins for clouds and databases, which nothing here asks.
    "vault": Module("github.com/hashicorp/vault", ("-tags=minimal",)),
}
COMMON = ("-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags=-s -w")


class EnginesError(GovChainError):
    messages = {
        "engine-not-built": Message(
            503,
            "本机还没有构建 {name} 引擎。",
            "The {name} engine has not been built on this machine.",
            "请运行 `make engines ENGINES={name}`。",
            "Run `make engines ENGINES={name}`.",
        ),
        "engine-unknown": Message(404, "没有名为 {name} 的引擎。", "There is no engine named {name}."),
        "engine-build-failed": Message(
            503,
            "{name} 引擎构建失败。",
            "Building the {name} engine failed.",
            "请检查网络与磁盘空间，然后重试；上方是编译器的输出。",
            "Check network and disk space, then try again; the compiler's own words are above.",
        ),
    }


def binary(name: str) -> Path:
    """The built engine's path; raises `EnginesError`: engine-unknown, engine-not-built."""
    path = _place(name)
    if not path.exists():
        raise EnginesError("engine-not-built", name=name)
    return path


def build(name: str) -> Path:
    """Build the engine unless it is there; raises `EnginesError`: engine-unknown, engine-build-failed."""
    path = _place(name)
    if path.exists():
        return path
    module = MODULES[name]
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    # One build at a time; whoever waited finds the other's. The name appears when the file is whole.
    with (path.parent.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path
        with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=path.parent.parent) as scratch:
            made = Path(scratch) / name
            _run(name, [_go(name), "build", *COMMON, *module.flags, "-o", str(made), module.package])
            path.parent.mkdir(exist_ok=True)
            made.rename(path)
    return path


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "govchain" / "engines"


def _place(name: str) -> Path:
    module = MODULES.get(name)
    if module is None:
        raise EnginesError("engine-unknown", name=name)
    source = SOURCES / name
    parts = [
        (source / "go.mod").read_bytes(),
        (source / "go.sum").read_bytes(),
        "\n".join([module.package, *COMMON, *module.flags]).encode(),
        f"{sys.platform}-{platform.machine()}".encode(),
    ]
    digest = sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()[:16]
    return cache() / f"{name}-{digest}" / name


def _go(name: str) -> str:
    """A Go that is new enough for the module."""
    wanted = re.search(r"^go (\S+)", (SOURCES / name / "go.mod").read_text(), re.MULTILINE)
    assert wanted is not None
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and Path(candidate).exists() and _version(candidate) >= _numbers(wanted[1]):
            return candidate
    lock = SOURCES / "go.txt"
    root = cache() / f"go-{sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not root.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
        with tempfile.TemporaryDirectory(prefix="go.", dir=cache()) as scratch:
            _run(name, [*pip, "--no-deps", "--target", f"{scratch}/go", "-r", str(lock)])
            Path(scratch, "go").rename(root)
    return str(root / "go" / "bin" / "go")


def _version(go: str) -> tuple[int, ...]:
    told = subprocess.run([go, "version"], capture_output=True, text=True, check=False)  # noqa: S603 - a path we found
    found = re.search(r"go version go(\S+)", told.stdout)
    return _numbers(found[1]) if found else (0,)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _run(name: str, command: list[str]) -> None:
    # Static, and by this Go alone: neither a C compiler nor another toolchain is looked for.
    env = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    try:
        subprocess.run(command, cwd=SOURCES / name, env=env, stdout=sys.stderr, check=True)  # noqa: S603 - fixed
    except (OSError, subprocess.CalledProcessError) as error:
        raise EnginesError("engine-build-failed", name=name, log=str(error)) from error


def main(names: list[str]) -> int:
    for name in list(MODULES) if names in ([], ["all"]) else names:
        try:
            sys.stdout.write(f"{build(name)}\n")
        except EnginesError as error:
            sys.stderr.write(f"{error.zh} {error.en}\n{error.fix_zh} {error.fix_en}\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
