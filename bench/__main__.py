"""`python -m bench NAME [--small] [--json]`: run one bench, print a table or one JSON object."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

import bench
from bench import Figure


@dataclass(slots=True)
class Bar:
    """Progress on a terminal."""

    bar: Any
    begun: int = 0

    def step(self, name: str) -> None:
        self.bar.set_description(name, refresh=False)
        self.begun += 1
        self.part(0)

    def part(self, done: float) -> None:
        self.bar.n = round(self.begun - 1 + done, 2)
        self.bar.refresh()


def main() -> int:
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.ispkg and not module.name.startswith("_")
    )
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--size", choices=("full", "small", "tiny"), default="full")
    parser.add_argument("--small", dest="size", action="store_const", const="small", help="a quick sample")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--dir", type=Path, default=Path("var"), help="scratch files go here: a disk whose fsync counts (default: var)"
    )
    args = parser.parse_args()
    module = importlib.import_module(f"bench.{args.name}")
    args.dir.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=args.dir) as scratch,
        tqdm(
            total=module.STEPS,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
            leave=False,
            bar_format="{l_bar}{bar}| {n:.1f}/{total} [{elapsed}]",
        ) as bar,
    ):
        figures: dict[str, Figure] = module.measure(module.SIZES[args.size], Path(scratch), Bar(bar))
    if args.json:
        sys.stdout.write(json.dumps({name: as_json(figure) for name, figure in figures.items()}) + "\n")
    else:
        sys.stdout.write(f"{machine()}; size {args.size}\n\n{table(figures)}")
    return 0


def machine() -> str:
    load = os.getloadavg()[1]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, load over the last five minutes {load:.1f}"
    )


def as_json(figure: Figure) -> dict[str, float | str | bool | None]:
    return {
        "value": round(figure.value, 4),
        "unit": figure.unit,
        "peer": None if figure.peer is None else round(figure.peer, 4),
        "ratio": None if figure.ratio is None else round(figure.ratio, 4),
        "aim": figure.aim,
        "ok": figure.ok,
        "note": figure.note,
    }


def table(figures: dict[str, Figure]) -> str:
    wide = max(map(len, figures))
    head = f"{'figure':<{wide}} {'value':>12} {'unit':<14}{'peer':>12} {'ratio':>8}  aim and notes"
    lines = [head, "-" * (len(head) + 20)]
    for name, figure in figures.items():
        peer = "" if figure.peer is None else _number(figure.peer)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.3g}"
        verdict = {None: "", True: "met", False: "MISSED"}[figure.ok]
        said = "; ".join(each for each in (f"{figure.aim} {verdict}".strip(), figure.note) if each)
        lines.append(
            f"{name:<{wide}} {_number(figure.value):>12} {figure.unit:<14}{peer:>12} {ratio:>8}  {said}".rstrip()
        )
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
