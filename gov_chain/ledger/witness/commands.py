"""`govchain witness`: a witness that an auditor runs, apart from the node. Needs neither settings nor database."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEFAULT_DATA = "witness"


def add_arguments(subparsers: Any) -> None:
    """Add `witness`."""
    witness_ = subparsers.add_parser(
        "witness", help="运行见证者:为账本检查点联署 cosign a ledger's checkpoints, as an outsider"
    )
    witness_.add_argument("--log", action="append", default=[], metavar="VKEY", help="账本公钥,可多次 a log's key")
    witness_.add_argument("--name", default="witness.example", help="见证者名称 its name in cosignatures")
    witness_.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (default 127.0.0.1)")
    witness_.add_argument("--port", type=int, help="接受检查点的端口,0 为任选 port for submissions, 0 for any free one")
    witness_.add_argument("--watch", metavar="URL", help="主动查看账本(如 …/ledger/) also look at this log by itself")
    witness_.add_argument("--every", type=float, default=30.0, help="查看间隔秒数 seconds between looks (default 30)")
    witness_.add_argument("--once", action="store_true", help="只看一次:0 正常,1 不一致或倒退,2 读不到 look once")
    witness_.add_argument("--data", metavar="DIR", help="见证者的密钥与记忆 its key and memory (default: witness)")
    witness_.set_defaults(handler=witness, django=False)


def witness(args: argparse.Namespace) -> int:
    """Print the vkey; then serve, watch, or both, until Ctrl-C. With --once the exit status is the finding."""
    from gov_chain.clock import now
    from gov_chain.ledger.core import note
    from gov_chain.ledger.core.witnessing import WitnessError
    from gov_chain.ledger.witness.memory import Memory
    from gov_chain.ledger.witness.witness import Witness, key

    directory = Path(args.data or DEFAULT_DATA)
    logs = [note.parse_vkey(text) for text in args.log]
    if (args.watch or args.port is not None) and not logs:
        raise WitnessError("witness-log-missing")
    ours = Witness(Memory(directory), name=args.name, key=key(directory), logs=logs, clock=now)
    say = _speaker(as_json=args.json)
    say(f"见证者公钥 verifier key: {ours.cosigner.vkey}", vkey=ours.cosigner.vkey)
    if args.watch and args.once:
        return _look(args, ours, logs[0], say)
    if args.watch:
        threading.Thread(target=_watch, args=(args, ours, logs[0], say), daemon=True).start()
    if args.port is not None:
        return _serve(args, ours, say)
    if args.watch:
        threading.Event().wait()
    return 0


Say = Callable[..., None]


def _speaker(*, as_json: bool) -> Say:
    def say(text: str, **facts: object) -> None:
        sys.stdout.write((json.dumps(facts, ensure_ascii=False) if as_json else text) + "\n")
        sys.stdout.flush()

    return say


def _look(args: argparse.Namespace, ours: Any, verifier: Any, say: Say) -> int:
    import httpx

    from gov_chain.ledger.witness import watching

    with httpx.Client() as http:
        seen = watching.look(http, args.watch, ours, verifier)
    words = {"grown": "已延长", "unchanged": "未变", "behind": "倒退", "inconsistent": "不一致", "unreadable": "读不到"}
    alarm = seen.sight in watching.ALARMS
    say(
        f"{'!!! 警报 ALARM: ' if alarm else ''}{words[seen.sight]} {seen.sight}: "
        f"{seen.size} entries, {seen.remembered} before. {seen.detail}".rstrip(),
        sight=seen.sight,
        size=seen.size,
        remembered=seen.remembered,
        detail=seen.detail,
    )
    return 1 if alarm else 2 if seen.sight == "unreadable" else 0


def _watch(args: argparse.Namespace, ours: Any, verifier: Any, say: Say) -> None:
    pause = threading.Event()
    while True:
        _look(args, ours, verifier, say)
        pause.wait(max(args.every, 1.0))


def _serve(args: argparse.Namespace, ours: Any, say: Say) -> int:
    from gov_chain.ledger.serving import serve
    from gov_chain.ledger.witness.server import Door

    def ready(url: str) -> None:
        say(f"在此接受检查点 submissions at {url}", ready=True, url=url)

    return serve(Door(ours), host=args.host, port=args.port, ready=ready)
