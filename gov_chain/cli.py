"""`govchain`: the one command people use.

Each part brings its own commands in `<part>/commands.py`: a function `add_arguments(subparsers)`
whose leaf parsers carry `set_defaults(handler=…)`. A handler takes the parsed arguments and answers
an exit status (None is 0). Those modules import lightly and do the rest inside their handlers, so
that `--help` is quick and `ledger verify` works on a machine with neither settings nor database
(`set_defaults(django=False)`).

Every leaf takes `--json` and `--data`. Exit status: 0 done, 1 refused or failed, 2 wrong usage
(`ledger verify` adds its own meaning of 2: undetermined).
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gov_chain.core.errors import GovChainError

PARTS = (
    "gov_chain.commands",
    "gov_chain.consortium.commands",
    "identity.validator_commands",
    "gov_chain.ledger.commands",
    "gov_chain.ledger.witness.commands",
    "identity.commands",
    "identity.device_commands",
    "gov_chain.ledger.cosigner.commands",
    "certificates.commands",
    "certificates.conformance.commands",
    "consent.commands",
    "demo.commands",
)
DEFAULT_DATA = "var"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the process's exit status."""
    args = parser().parse_args(argv)
    try:
        if args.django:
            _settle_environment(args.data)
            import django

            django.setup()
            if argv is None:
                # `up` says loudly that keys are files; a command that answers a question need not repeat it.
                logging.getLogger("gov_chain.keys").setLevel(logging.ERROR)
        return args.handler(args) or 0
    except GovChainError as error:
        _refuse(error, as_json=args.json)
        return 1
    except BrokenPipeError:
        # The reader (head, a closed pager) has seen enough; Python must not flush into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """The whole command line, as a test compares it with the README."""
    root = argparse.ArgumentParser(
        prog="govchain",
        description="电子证照：市民持有，每次使用可证。 Certificates citizens hold, and every use of them provable.",
    )
    root.set_defaults(django=True)
    commands = root.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    for part in PARTS:
        importlib.import_module(part).add_arguments(commands)
    for leaf in leaves(root):
        taken = leaf._option_string_actions
        if "--json" not in taken:
            leaf.add_argument("--json", action="store_true", help="以 JSON 输出 answer in JSON")
        if "--data" not in taken:
            leaf.add_argument("--data", metavar="DIR", help="节点数据目录 the node's data (GOVCHAIN_DATA, else var)")
    return root


def leaves(root: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every parser that runs something."""
    groups = [action for action in root._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield root
    for group in groups:
        for child in dict.fromkeys(group.choices.values()):
            yield from leaves(child)


def _settle_environment(data: str | None) -> None:
    """Point the settings at the node's data, at what is set there, and at the address a running node wrote there."""
    if data:
        os.environ["GOVCHAIN_DATA"] = data
    os.environ.setdefault("GOVCHAIN_DATA", DEFAULT_DATA)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gov_chain.settings")
    read_settings(Path(os.environ["GOVCHAIN_DATA"]))
    note = Path(os.environ["GOVCHAIN_DATA"]) / "node.json"
    if "GOVCHAIN_BASE_URL" not in os.environ and note.exists():
        os.environ["GOVCHAIN_BASE_URL"] = json.loads(note.read_text())["base_url"]


def read_settings(data: Path) -> None:
    """`<data>/node.env`, one NAME=value a line, for what the environment does not say: a consortium's nodes have it."""
    path = data / "node.env"
    if path.exists():
        for name, _, value in (line.partition("=") for line in path.read_text().splitlines()):
            os.environ.setdefault(name, value)


def write_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Put these into `<data>/node.env`, beside what is there."""
    path = data / "node.env"
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition("=")[0] not in settings]
    draft = path.with_suffix(".new")
    draft.write_text("".join(f"{line}\n" for line in [*kept, *(f"{k}={v}" for k, v in settings.items())]))
    draft.replace(path)


def _refuse(error: GovChainError, *, as_json: bool) -> None:
    if as_json:
        told = {"code": error.code, "zh": error.zh, "en": error.en, "fix_zh": error.fix_zh, "fix_en": error.fix_en}
        sys.stdout.write(json.dumps({"ok": False, "error": told}, ensure_ascii=False) + "\n")
        return
    line = " ".join(filter(None, (error.zh, error.fix_zh, error.en, error.fix_en)))
    sys.stderr.write(f"{line} [{error.code}]\n")


if __name__ == "__main__":
    sys.exit(main())
