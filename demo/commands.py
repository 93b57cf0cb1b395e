"""`govchain demo`: the whole main job, once, by a script that only talks HTTP."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_arguments(subparsers: Any) -> None:
    demo = subparsers.add_parser(
        "demo", help="在全新的临时节点上跑完整流程并逐步核对 run and check the whole job on a fresh node"
    )
    demo.add_argument("--keep", metavar="DIR", help="把节点数据留在 DIR leave the node's data in DIR")
    demo.add_argument(
        "--consortium", action="store_true", help="在四个新节点组成的联盟上 on a consortium of four fresh nodes"
    )
    demo.add_argument(
        "--kill-one", action="store_true", help="中途杀死一个验证节点 and kill a validator in the middle (--consortium)"
    )
    demo.add_argument("--vault", action="store_true", help="密钥在 Vault 中 keys in a Vault (make engines)")
    demo.add_argument(
        "--kill-vault", action="store_true", help="中途杀死 Vault 再启动 and kill Vault in the middle (--vault)"
    )
    demo.set_defaults(handler=_demo, django=False)


def _demo(args: argparse.Namespace) -> int:
    from demo import journey

    if args.kill_one and not args.consortium:
        sys.stderr.write("--kill-one 需要 --consortium。 --kill-one needs --consortium.\n")
        return 2
    if args.kill_vault and not args.vault:
        sys.stderr.write("--kill-vault 需要 --vault。 --kill-vault needs --vault.\n")
        return 2
    if args.vault and args.consortium:
        sys.stderr.write("--vault 与 --consortium 不能同用。 --vault and --consortium exclude each other.\n")
        return 2
    wanted = {
        "consortium": args.consortium,
        "kill-one": args.kill_one,
        "vault": args.vault,
        "kill-vault": args.kill_vault,
    }
    return journey.run(keep=args.keep, as_json=args.json, kind=frozenset(name for name in wanted if wanted[name]))
