"""`govchain cosigner`: the process beside a validator's application. No database; settings only for the key store."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

SEALER = "ledger/cosigner"


def add_arguments(subparsers: Any) -> None:
    """Add `cosigner` and its commands."""
    cosigner = subparsers.add_parser("cosigner", help="联署进程:为账本签共识证书 a validator's quorum certificates")
    commands = cosigner.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    key_ = commands.add_parser("key", help="生成 BLS 密钥,输出公钥与持有证明 make the key; print it with its proof")
    key_.set_defaults(handler=key, django=False)

    run_ = commands.add_parser("run", help="联署并收集其他节点的签名 sign, gather, certify until Ctrl-C")
    run_.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (default 127.0.0.1)")
    run_.add_argument("--port", type=int, default=0, help="监听端口,0 为任选 port, 0 for any (default 0)")
    run_.add_argument("--peer", action="append", default=[], metavar="URL", help="其他节点的联署进程 another cosigner")
    run_.add_argument("--observe", action="store_true", help="只收集,不签名 gather only, without a key")
    run_.set_defaults(handler=run, django=False)

    evidence_ = commands.add_parser("evidence", help="已发现的两面签名的证明 proof of equivocation it has found")
    evidence_.set_defaults(handler=evidence, django=False)

    for each in (key_, run_, evidence_):
        each.add_argument("--keys", metavar="DIR", help="密钥与记忆的目录 key and memory (default: DATA/cosigner)")
        each.add_argument("--sealer", metavar="URI", help="密封密钥 key that seals (default: STORE:ledger/cosigner)")


def key(args: argparse.Namespace) -> int:
    """Make the key, sealed by the node's key store."""
    from gov_chain import keys
    from gov_chain.ledger.cosigner import keyfile

    uri = _sealer_uri(args)
    keys.create(uri, "A256GCM")
    made = keyfile.make(_keys(args), keys.sealer(uri))
    if args.json:
        _print_json({"ok": True, "bls_key": made.bls_key.hex(), "possession": made.possession.hex()})
    else:
        sys.stdout.write(f"BLS 公钥 key: {made.bls_key.hex()}\n持有证明 possession: {made.possession.hex()}\n")
    return 0


def run(args: argparse.Namespace) -> int:
    from gov_chain import keys
    from gov_chain.ledger.cosigner import running

    uri = _sealer_uri(args)
    sealer = None if args.observe else keys.sealer(uri)
    cosigner = running.opened(_data(args) / "ledger", None if args.observe else _keys(args), sealer)

    def ready(url: str) -> None:
        own = "" if cosigner.bls_key is None else cosigner.bls_key.hex()
        if args.json:
            _print_json({"ready": True, "url": url, "bls_key": own})
        else:
            sys.stdout.write(f"联署 cosigner: {url}\n")
        sys.stdout.flush()

    return running.run(cosigner, peers=args.peer, host=args.host, port=args.port, ready=ready)


def evidence(args: argparse.Namespace) -> int:
    """Records to lodge: each proves by itself that a key signed two checkpoints of one size."""
    from gov_chain.ledger.cosigner import keyfile
    from gov_chain.ledger.cosigner.log import Log
    from gov_chain.ledger.cosigner.memory import Memory
    from gov_chain.ledger.cosigner.proof import record

    ledger = Log(_data(args) / "ledger")
    memory = Memory(_keys(args), ledger_id=ledger.ledger_id, bls_key=keyfile.public(_keys(args)).bls_key)
    found = [record(*pair).hex() for pair in memory.evidence()]
    if args.json:
        _print_json({"ok": True, "records": found})
    else:
        sys.stdout.write("".join(f"{each}\n" for each in found) or "没有 none\n")
    return 0


def _data(args: argparse.Namespace) -> Path:
    """The node's data; the key store's settings follow it."""
    if args.data:
        os.environ["GOVCHAIN_DATA"] = args.data
    os.environ.setdefault("GOVCHAIN_DATA", "var")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gov_chain.settings")
    return Path(os.environ["GOVCHAIN_DATA"])


def _keys(args: argparse.Namespace) -> Path:
    return Path(args.keys) if args.keys else _data(args) / "cosigner"


def _sealer_uri(args: argparse.Namespace) -> str:
    _data(args)
    if args.sealer:
        return str(args.sealer)
    from django.conf import settings

    return f"{settings.GOVCHAIN.keys}:{SEALER}"


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()
