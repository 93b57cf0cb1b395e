"""The node's own commands: `up` and `doctor`."""

from __future__ import annotations

import argparse
from typing import Any


def add_arguments(subparsers: Any) -> None:
    up = subparsers.add_parser(
        "up", help="启动本机节点（首次运行自动建库、建账、导入演示数据） start a node here, seeded on first use"
    )
    up.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (default 127.0.0.1)")
    up.add_argument("--port", type=int, default=8000, help="监听端口，0 为任选 port, 0 for any free one (default 8000)")
    up.add_argument("--tls", action="store_true", help="本地证书，供同一网络中的手机使用 local CA, for a phone nearby")
    up.set_defaults(handler=_up, django=False)

    doctor = subparsers.add_parser("doctor", help="逐项检查节点是否健康 check this node, item by item")
    doctor.set_defaults(handler=_doctor)


def _up(args: argparse.Namespace) -> int:
    from gov_chain import up

    return up.up(host=args.host, port=args.port, data=args.data, tls=args.tls, as_json=args.json)


def _doctor(args: argparse.Namespace) -> int:
    from gov_chain import doctor

    return doctor.doctor(as_json=args.json)
