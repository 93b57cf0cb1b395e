"""`govchain demo`: the whole main job, once, by a script that only talks HTTP."""

from __future__ import annotations

import argparse
from typing import Any


def add_arguments(subparsers: Any) -> None:
    demo = subparsers.add_parser(
        "demo", help="在全新的临时节点上跑完整流程并逐步核对 run and check the whole job on a fresh node"
    )
    demo.add_argument("--keep", metavar="DIR", help="把节点数据留在 DIR leave the node's data in DIR")
    demo.set_defaults(handler=_demo, django=False)


def _demo(args: argparse.Namespace) -> int:
    from demo import journey

    return journey.run(keep=args.keep, as_json=args.json)
