"""`govchain presentation request` and `govchain audit tail`."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import threading
from typing import Any

POLL_SECONDS = 0.5


def add_arguments(subparsers: Any) -> None:
    presentation = subparsers.add_parser("presentation", help="出示请求 presentation requests")
    requests = presentation.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    request = requests.add_parser(
        "request", help="生成新的出示请求，任何标准钱包均可使用 a fresh request any standard wallet can follow"
    )
    request.add_argument("--matter", required=True, metavar="M", help="事项标识 the matter's id, e.g. residence-permit")
    request.set_defaults(handler=_request)

    audit = subparsers.add_parser("audit", help="审计 auditing")
    audits = audit.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    tail = audits.add_parser("tail", help="最新的账本记录 the ledger's newest records, one a line")
    tail.add_argument("--lines", "-n", type=int, default=20, metavar="N", help="条数 how many (default 20)")
    tail.add_argument("--follow", "-f", action="store_true", help="持续输出新记录 go on with new ones until Ctrl-C")
    tail.set_defaults(handler=_tail)


def _request(args: argparse.Namespace) -> int:
    from consent import matters
    from consent.actions.create_request import create_request
    from consent.core.errors import ConsentError

    matter = matters.latest(args.matter)
    if matter is None:
        raise ConsentError("matter-unknown")
    created = create_request(matter=matter)
    if args.json:
        answer = {
            "request_id": str(created.request.id),
            "matter": matter.slug,
            "uri": created.standard_uri,
            "wallet_url": created.wallet_url,
            "expires": created.request.expires_at,
        }
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{created.standard_uri}\n{created.wallet_url}\n")
    return 0


def _tail(args: argparse.Namespace) -> int:
    from consent import audit

    shown = audit.page(audit.Filter())
    newest = max(0, min(args.lines, audit.PAGE))
    for row in reversed(shown.rows[:newest]):
        _write(row, as_json=args.json)
    size = shown.size
    while args.follow:
        threading.Event().wait(POLL_SECONDS)
        size = _new(size, as_json=args.json)
    return 0


def _new(size: int, *, as_json: bool) -> int:
    """Write what was added since the ledger had `size` entries; its size now."""
    from consent import audit
    from gov_chain.ledger import node

    now = node.ledger().size
    for index in range(size, now):
        row = audit.row(index)
        if row.kind != "transaction":
            _write(row, as_json=as_json)
    return now


def _write(row: Any, *, as_json: bool) -> None:
    if as_json:
        line = json.dumps(
            {
                "index": row.index,
                "time": row.time,
                "agency": row.agency,
                "kind": row.kind,
                "sentence": row.sentence,
                "handle": row.handle or None,
            },
            ensure_ascii=False,
        )
    else:
        at = dt.datetime.fromtimestamp(row.time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        line = f"{row.index:>8}  {at}  {row.sentence['zh']}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
