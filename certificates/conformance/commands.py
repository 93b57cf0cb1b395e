"""`govchain conformance serve`: the tenant the public conformance suites are pointed at."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from pathlib import Path
from typing import Any

_BASE = re.compile(r"(/[A-Za-z0-9._-]+)+")


def add_arguments(subparsers: Any) -> None:
    conformance = subparsers.add_parser("conformance", help="一致性测试 for the public conformance suites")
    group = conformance.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    serve = group.add_parser(
        "serve",
        help="以临时密钥提供 VC-API VC-API under keys that end with it",
        description=(
            "仅供一致性测试：密钥启动时生成，结束即失效，与任何机关无关。"
            " For conformance suites only: keys are made at the start, end with it, and belong to no agency."
        ),
    )
    serve.add_argument("--base", type=_path, default="/vc-api", metavar="PATH", help="(default /vc-api)")
    serve.add_argument("--port", type=int, default=0, metavar="N", help="端口 (default: any free one)")
    serve.add_argument("--tls", action="store_true", help="使用本机测试证书 https under this machine's test CA")
    serve.set_defaults(handler=_serve, django=False)


def _path(text: str) -> str:
    if not _BASE.fullmatch(text):
        raise argparse.ArgumentTypeError("must look like /vc-api")
    return text


def _serve(args: argparse.Namespace) -> int:
    import socket

    import uvicorn

    from certificates.conformance.app import application
    from certificates.conformance.tenant import Tenant
    from gov_chain import tls

    with socket.create_server(("127.0.0.1", args.port)) as listener:
        port = listener.getsockname()[1]
        certificate: dict[str, Any] = {}
        if args.tls:
            files = tls.ensure(Path(args.data or "var") / "tls", "127.0.0.1", dt.datetime.now(dt.UTC))
            certificate = {"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)}
        address = f"{'https' if args.tls else 'http'}://127.0.0.1:{port}{args.base}"
        app = application(Tenant(address), args.base)
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, **certificate)
        sys.stdout.write(f"{address}/config\n")
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listener])
    return 0
