"""`python -m bench NAME [--json]`: run one bench, print a table or one JSON object."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys

from tqdm import tqdm

import bench
from bench import Figure


def main() -> int:
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    args = parser.parse_args()
    module = importlib.import_module(f"bench.{args.name}")
    with tqdm(total=module.STEPS, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:

        def step(name: str) -> None:
            bar.set_description(name)
            bar.update()

        figures: dict[str, Figure] = module.measure(step)
    if args.json:
        sys.stdout.write(json.dumps({name: as_json(figure) for name, figure in figures.items()}) + "\n")
    else:
        sys.stdout.write(table(figures))
    return 0


def as_json(figure: Figure) -> dict[str, float | str | bool | None]:
    return {
        "value": round(figure.value, 4),
        "unit": figure.unit,
        "peer": None if figure.peer is None else round(figure.peer, 4),
        "ratio": None if figure.ratio is None else round(figure.ratio, 4),
        "aim": figure.aim,
        "ok": figure.ok,
    }


def table(figures: dict[str, Figure]) -> str:
    head = f"{'figure':<34}{'value':>14} {'unit':<12}{'peer':>14}{'ratio':>8}  aim"
    lines = [head, "-" * len(head)]
    for name, figure in figures.items():
        peer = "" if figure.peer is None else f"{figure.peer:,.1f}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        verdict = {None: "", True: "met", False: "MISSED"}[figure.ok]
        lines.append(
            f"{name:<34}{figure.value:>14,.1f} {figure.unit:<12}{peer:>14}{ratio:>8}  {figure.aim} {verdict}".rstrip()
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
