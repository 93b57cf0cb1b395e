"""The node's own commands: `up`, `doctor` and `vault`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any


def add_arguments(subparsers: Any) -> None:
    up = subparsers.add_parser(
        "up", help="启动本机节点（首次运行自动建库、建账、导入演示数据） start a node here, seeded on first use"
    )
    up.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (default 127.0.0.1)")
    up.add_argument("--port", type=int, default=8000, help="监听端口，0 为任选 port, 0 for any free one (default 8000)")
    up.add_argument("--tls", action="store_true", help="本地证书，供同一网络中的手机使用 local CA, for a phone nearby")
    up.add_argument(
        "--vault",
        action="store_true",
        help="以本机启动的 Vault 签名（开发用） sign with a Vault started here, for development",
    )
    up.set_defaults(handler=_up, django=False)

    doctor = subparsers.add_parser("doctor", help="逐项检查节点是否健康 check this node, item by item")
    doctor.set_defaults(handler=_doctor)

    vault = subparsers.add_parser("vault", help="密钥库：本机的开发用 Vault，或为节点配置贵方的 Vault a node's Vault")
    vaults = vault.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    start = vaults.add_parser("start", help="启动并解封本机的 Vault（开发用） start and unseal the one on this machine")
    start.set_defaults(handler=_vault_start, django=False)
    stop = vaults.add_parser("stop", help="停止本机的 Vault stop the one on this machine")
    stop.add_argument("--kill", action="store_true", help="不打招呼 without a word, as a fault would")
    stop.set_defaults(handler=_vault_stop, django=False)
    provision = vaults.add_parser(
        "provision", help="在贵方的 Vault 中为节点建立挂载点、策略与 AppRole set your Vault up for a node (VAULT_TOKEN)"
    )
    provision.add_argument("--url", required=True, help="https://…")
    provision.add_argument("--ca", default="", metavar="FILE", help="其证书的 CA its certificate's CA")
    provision.add_argument("--node", default="node", help="节点名 the node's name (default node)")
    provision.add_argument("--agency", action="append", required=True, help="节点托管的机构 an agency that it hosts")
    provision.add_argument("--authority", action="store_true", help="本节点保管证书机构密钥 it keeps the CA's key")
    provision.add_argument("--secret-id-file", required=True, metavar="FILE", help="写入新的 secret id where it goes")
    provision.set_defaults(handler=_vault_provision, django=False)


def _up(args: argparse.Namespace) -> int:
    from gov_chain import up

    return up.up(host=args.host, port=args.port, data=args.data, tls=args.tls, vault=args.vault, as_json=args.json)


def _doctor(args: argparse.Namespace) -> int:
    from gov_chain import doctor

    return doctor.doctor(as_json=args.json)


def _vault_start(args: argparse.Namespace) -> int:
    from gov_chain import up

    access = up.start_vault(up.folder_of(args.data))
    _tell(args, f"Vault: {access.url}", {"ok": True, "url": access.url})
    return 0


def _vault_stop(args: argparse.Namespace) -> int:
    from gov_chain import up, vault_server

    vault_server.stop(up.folder_of(args.data) / "vault", kill=args.kill)
    _tell(args, "Vault 已停止 stopped", {"ok": True})
    return 0


def _vault_provision(args: argparse.Namespace) -> int:
    from gov_chain.environment import UnsafeSettings
    from gov_chain.keys import provisioning

    token = os.environ.get("VAULT_TOKEN", "")
    if not token:
        raise UnsafeSettings("VAULT_TOKEN must hold an operator's token, for this command alone")
    groups = [*args.agency, "ledger", *(["consortium"] if args.authority else [])]
    with provisioning.Operator(args.url.rstrip("/"), args.ca, token) as operator:
        role = operator.provision(role=args.node, groups=groups)
    provisioning.write_secret_id(Path(args.secret_id_file), role.secret_id)
    lines = {
        "GOVCHAIN_KEYS": "vault",
        "GOVCHAIN_VAULT_URL": args.url.rstrip("/"),
        "GOVCHAIN_VAULT_CA": args.ca,
        "GOVCHAIN_VAULT_ROLE_ID": role.role_id,
        "GOVCHAIN_VAULT_SECRET_ID_FILE": str(Path(args.secret_id_file).absolute()),
    }
    _tell(args, "\n".join(f"{name}={value}" for name, value in lines.items()), {"ok": True, "settings": lines})
    return 0


def _tell(args: argparse.Namespace, text: str, told: dict[str, Any]) -> None:
    sys.stdout.write((json.dumps(told, ensure_ascii=False) if args.json else text) + "\n")
