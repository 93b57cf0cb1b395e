"""`govchain register import`, `govchain demo-data`, `govchain credential offer`.

Importing a register checks the whole file first, always, and writes it whole or not at all. On a terminal it
shows what would change and asks before it writes, so nobody loads the wrong file by pressing return.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from certificates.actions.import_register import Mode, Report
    from certificates.register_file import Progress

SHOWN = 50


def add_arguments(subparsers: Any) -> None:
    _register(subparsers.add_parser("register", help="登记册 source registers"))
    demo = subparsers.add_parser(
        "demo-data", help="生成虚构人员登记册 CSV（可重现） make a register of invented people, reproducible"
    )
    demo.add_argument("--people", type=_count, default=1000, metavar="N", help="人数 how many (default 1000)")
    demo.add_argument("--seed", type=int, default=7, metavar="N", help="种子 same seed, same people (default 7)")
    demo.add_argument("--out", type=Path, metavar="FILE", help="写入文件 write here instead of standard output")
    demo.add_argument("--encoding", choices=["utf-8", "gb18030"], default="utf-8", help="编码 (default utf-8)")
    demo.set_defaults(handler=_demo_data, django=False)

    credential = subparsers.add_parser("credential", help="证照 certificates")
    group = credential.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    offer = group.add_parser(
        "offer", help="发出领取邀请，任何标准钱包可用 print an offer any standard wallet can follow"
    )
    offer.add_argument("--type", required=True, metavar="T", help="证照类型 certificate type, e.g. resident-id")
    offer.add_argument("--subject", metavar="ID", help="身份号码 identity number (default: the first in the register)")
    offer.set_defaults(handler=_offer)


def _register(register: argparse.ArgumentParser) -> None:
    group = register.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    load = group.add_parser(
        "import",
        help="导入登记册 CSV：先检查，无误才写入 check a CSV, write only a clean one",
        description=(
            "先检查整个文件并报告；有错误则一行也不写入，无误才写入（在终端会先询问，--apply 不询问）。"
            " Checks the whole file and reports; writes all of a clean file and nothing of another. On a terminal it"
            " asks first, unless --apply. Exit status 0: clean; 1: errors found, nothing written."
        ),
    )
    load.add_argument("type", metavar="TYPE", help="证照类型 certificate type, e.g. resident-id")
    load.add_argument("file", type=Path, metavar="FILE.csv", help="UTF-8 或 GB18030 编码 UTF-8 or GB18030")
    how = load.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="只检查，不写入 check only, write nothing")
    how.add_argument("--apply", action="store_true", help="检查无误即写入，不询问 do not ask")
    load.add_argument(
        "--report", type=Path, metavar="FILE", help="错误清单另存为 CSV write the errors to a CSV file too"
    )
    load.set_defaults(handler=_import)


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("1 … 1000000")
    return value


def _import(args: argparse.Namespace) -> int:
    import datetime as dt

    from certificates import queries
    from certificates.actions.import_register import import_register
    from certificates.core.errors import CertificateError
    from gov_chain import clock

    kind = queries.known_type(args.type)
    today = dt.datetime.fromtimestamp(clock.now(), dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=8))).date()
    asking = not (args.apply or args.dry_run or args.json) and sys.stdin.isatty() and sys.stdout.isatty()
    mode: Mode = "check" if args.dry_run or asking else "apply"
    try:
        with _progress(args.file, passes=2 if mode == "apply" else 1) as progress:
            report = import_register(type=kind, path=args.file, today=today, mode=mode, progress=progress)
        if args.report is not None:
            _write_report(args.report, report)
        _tell(report, as_json=args.json)
        if asking and report.clean and report.insert + report.update and _agreed():
            with _progress(args.file, passes=2) as progress:
                report = import_register(type=kind, path=args.file, today=today, mode="apply", progress=progress)
            _tell(report, as_json=False)
    except OSError as error:
        reason = error.strerror or "OSError"
        raise CertificateError("file-unreadable", reason=reason) from error
    return 0 if report.clean else 1


@contextmanager
def _progress(path: Path, *, passes: int) -> Iterator[Progress | None]:
    """A bar on a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty() or not path.is_file():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=path.stat().st_size * passes, unit="B", unit_scale=True, desc=path.name, leave=False) as bar:
        yield bar.update


def _agreed() -> bool:
    sys.stdout.write("写入登记册？ Write to the register? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        _print(json.dumps(_as_dict(report), ensure_ascii=False))
        return
    for item in report.problems[:SHOWN]:
        place = f"第 {item.line} 行 line {item.line}" if item.line else "文件 file"
        _print(f"{place}{' · ' + item.field if item.field else ''}: {item.zh}；{item.en} [{item.code}]")
    if report.problem_count > SHOWN:
        _print(f"…… 另有 {report.problem_count - SHOWN} 处 more; --report FILE, --json")
    if report.ignored_columns:
        names = ", ".join(report.ignored_columns)
        _print(f"未使用的列（不会保存） columns not used and not kept: {names}")
    if not report.clean:
        _print(f"发现 {report.problem_count} 处错误，没有写入。 {report.problem_count} errors; nothing written.")
        return
    done = "已写入 written" if report.applied else "检查无误，尚未写入 clean, not written yet"
    _print(
        f"{done}: 新增 new {report.insert} · 更新 changed {report.update} · 不变 unchanged {report.unchanged}"
        f" ({report.encoding})"
    )


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "ok": report.clean,
        "applied": report.applied,
        "encoding": report.encoding,
        "rows": report.rows,
        "insert": report.insert,
        "update": report.update,
        "unchanged": report.unchanged,
        "ignored_columns": list(report.ignored_columns),
        "problem_count": report.problem_count,
        "problems": [
            {"line": item.line, "field": item.field, "code": item.code, "zh": item.zh, "en": item.en}
            for item in report.problems
        ],
    }


def _write_report(path: Path, report: Report) -> None:
    import csv

    from certificates.core.register_rules import spreadsheet_safe

    # With a mark, so that spreadsheets read it as UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "field", "code", "原因", "reason"])
        for item in report.problems:
            writer.writerow([item.line, *map(spreadsheet_safe, (item.field, item.code, item.zh, item.en))])


def _demo_data(args: argparse.Namespace) -> int:
    from certificates import demo_data

    if args.out is not None:
        with args.out.open("w", encoding=args.encoding, newline="") as file:
            demo_data.write(file, count=args.people, seed=args.seed)
        if args.json:
            _print(json.dumps({"ok": True, "people": args.people, "file": str(args.out)}, ensure_ascii=False))
        return 0
    with open(sys.stdout.fileno(), "w", encoding=args.encoding, newline="", closefd=False) as out:
        demo_data.write(out, count=args.people, seed=args.seed)
    return 0


def _offer(args: argparse.Namespace) -> int:
    from certificates import queries
    from certificates.actions.make_offer import LIFETIME, make_offer

    kind = queries.type_in_force(args.type)
    row = queries.register_row(kind, args.subject) if args.subject else queries.any_register_row(kind)
    made = make_offer(type=kind, row=row, made_by=None)
    if args.json:
        told = {
            "ok": True,
            "uri": made.uri,
            "wallet_url": made.wallet_url,
            "tx_code": made.tx_code,
            "expires_in": LIFETIME,
            "type": kind.slug,
        }
        _print(json.dumps(told, ensure_ascii=False))
    else:
        _print(made.uri)
        _print(f"我们的钱包 our wallet: {made.wallet_url}")
        _print(f"交付码 transaction code: {made.tx_code}")
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
