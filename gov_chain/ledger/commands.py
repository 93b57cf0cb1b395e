"""`govchain ledger …`: reading, proving, checking, copying a ledger. None of them needs the node to run.

Handlers take parsed arguments and return an exit status. Those with `django=False` need neither settings nor database.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VALID, INVALID, UNDETERMINED = 0, 1, 2


def add_arguments(subparsers: Any) -> None:
    """Add `ledger` and its commands."""
    ledger = subparsers.add_parser("ledger", help="账本:取证、验证、检查 the ledger: prove, verify, check")
    commands = ledger.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    prove_ = commands.add_parser("prove", help="输出一条记录的回执 print an entry's receipt")
    which = prove_.add_mutually_exclusive_group(required=True)
    which.add_argument("index", nargs="?", type=int, help="记录序号 index of the entry")
    which.add_argument("--handle", help="授权编号(十六进制),可只给前几位 all entries of a grant, by its handle in hex")
    which.add_argument(
        "--state", metavar="KEY", help="状态键的值或不存在 a state key's value or absence, e.g. g:<handle in hex>"
    )
    prove_.add_argument(
        "--at", metavar="SIZE", type=int, help="在该检查点之下 under the checkpoint of SIZE (with --state)"
    )
    prove_.set_defaults(handler=prove)

    verify_ = commands.add_parser("verify", help="离线验证回执;0 有效,1 无效,2 无法判断 verify a receipt offline")
    verify_.add_argument("receipt", help="回执文件,- 为标准输入 file, or - for standard input")
    verify_.add_argument(
        "--vkey",
        required=True,
        action="append",
        help="账本公钥,或首批验证节点的公钥,可都给 the ledger's verifier key, or its first validators', or both",
    )
    verify_.add_argument(
        "--validators", metavar="FILE", help="验证节点名册 the validator sets (GET /ledger/validators)"
    )
    verify_.set_defaults(handler=verify, django=False)

    fsck_ = commands.add_parser("fsck", help="逐字节核对整个账本 check every entry, tile, index and state row")
    fsck_.add_argument("--vkey", default="", help="要求检查点由此公钥签名 checkpoints must be signed by this key")
    fsck_.set_defaults(handler=fsck, django=False)

    vkey_ = commands.add_parser("vkey", help="输出账本公钥 print the ledger's verifier key")
    vkey_.set_defaults(handler=vkey)

    tail_ = commands.add_parser("tail", help="最近的记录 the newest entries")
    tail_.add_argument("-n", type=int, default=20, help="条数 how many (default 20)")
    tail_.add_argument("--kind", help="只看一种 one kind only, e.g. usage")
    tail_.set_defaults(handler=tail)

    rules_ = commands.add_parser("rules", help="账本的全部规则(Markdown) every kind of record and refusal, as Markdown")
    rules_.set_defaults(handler=rules, django=False)

    stats_ = commands.add_parser("stats", help="各类记录数与检查点 entries by kind, and the checkpoint")
    stats_.set_defaults(handler=stats)

    serve_ = commands.add_parser("serve", help="只读提供一份账本副本 serve a copy of a ledger, read-only")
    serve_.add_argument("--host", default="127.0.0.1", help="监听地址 address to listen on (default 127.0.0.1)")
    serve_.add_argument("--port", type=int, default=8001, help="监听端口,0 为任选 port, 0 for any (default 8001)")
    serve_.add_argument("--vkey", default="", help="要求检查点由此公钥签名 refuse a copy signed by another key")
    serve_.set_defaults(handler=serve, django=False)

    export_ = commands.add_parser("export", help="导出全部记录与检查点 write entries and checkpoints to a file")
    export_.add_argument("--out", required=True, metavar="FILE", help="新文件 a new file")
    export_.set_defaults(handler=export, django=False)

    import_ = commands.add_parser("import", help="在新机器上由导出文件重建账本 make the ledger anew from an export")
    import_.add_argument("file", metavar="FILE", help="导出文件 the exported file")
    import_.add_argument("--vkey", default="", help="要求检查点由此公钥签名 checkpoints must be signed by this key")
    import_.set_defaults(handler=import_file, django=False)


def prove(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node
    from gov_chain.ledger.core.errors import LedgerError

    reader = node.ledger()
    if args.state is not None:
        return _prove_state(args, reader)
    if args.handle is None:
        receipts = {args.index: reader.receipt(args.index)}
    else:
        try:
            prefix = bytes.fromhex(args.handle)
        except ValueError as error:
            raise LedgerError("query-invalid", log="handle is not hex") from error
        receipts = {index: reader.receipt(index) for index in reader.handle_entries(prefix)}
        if not receipts:
            raise LedgerError("grant-unknown")
    if args.json:
        rows = [{"index": index, "receipt": text} for index, text in receipts.items()]
        _print_json({"ok": True, "vkey": reader.vkey, "receipts": rows})
    else:
        sys.stdout.write("\n".join(receipts.values()))
    return 0


def _prove_state(args: argparse.Namespace, reader: Any) -> int:
    """From the state map; under a checkpoint it has let go of, by making the state again from the entries."""
    from gov_chain.ledger import past_state
    from gov_chain.ledger.core.errors import LedgerError

    letter, colon, ids = args.state.partition(":")
    try:
        key = letter.encode() + bytes.fromhex(ids) if colon else bytes.fromhex(args.state)
    except ValueError as error:
        raise LedgerError("query-invalid", log="state key is not hex") from error
    try:
        text = reader.state_proof(key, args.at)
    except LedgerError as error:
        if error.code != "checkpoint-not-retained" or args.at is None:
            raise
        text = past_state.prove(reader.directory, key, args.at)
    if args.json:
        _print_json({"ok": True, "vkey": reader.vkey, "proof": text})
    else:
        sys.stdout.write(text)
    return 0


def verify(args: argparse.Namespace) -> int:
    """0 the receipt proves its record under the key; 1 it does not; 2 it cannot be judged (unreadable, unknown)."""
    from gov_chain.ledger import presentation
    from gov_chain.ledger.core import receipt, state_proof
    from gov_chain.ledger.core.errors import LedgerError

    try:
        text = sys.stdin.read() if args.receipt == "-" else Path(args.receipt).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return _verdict(args, INVALID, code="receipt-malformed", detail=str(error))
    except OSError as error:
        return _verdict(args, UNDETERMINED, code="unreadable", detail=str(error))
    try:
        vkey_, quorum = _pins(args)
        if text.startswith(state_proof.NAME):
            known = state_proof.verify(text, vkey_, quorum=quorum)
            return _verdict(
                args,
                VALID,
                proven={
                    "key": known.key.hex(),
                    "size": known.size,
                    "standing": _standing(known.certified),
                    "value": presentation.plain(known.value),
                },
            )
        found = receipt.verify(text, vkey_, quorum=quorum)
    except LedgerError as error:
        undetermined = error.code in _UNDETERMINED
        return _verdict(
            args, UNDETERMINED if undetermined else INVALID, code=error.code, detail=f"{error.zh} {error.en}"
        )
    proven = {
        "index": found.index,
        "kind": found.kind,
        "agency": found.agency,
        "time": found.time,
        "size": found.size,
        "standing": _standing(found.certified),
        "values": presentation.plain(found.entry.values),
    }
    return _verdict(args, VALID, proven=proven)


_UNDETERMINED = frozenset(
    {
        "vkey-malformed",
        "receipt-version-unknown",
        "state-proof-version-unknown",
        "quorum-missing",
        "validators-needed",
        "validators-malformed",
        "validators-foreign",
    }
)


def _standing(certified: bool) -> str:
    """`final` is the word of the checkpoint's one signer; `quorum` that of more than two thirds of the validators."""
    return "quorum" if certified else "final"


def _pins(args: argparse.Namespace) -> tuple[str, Any]:
    """(the ledger's vkey, or empty; what the quorum vkey and the sets' file make, or None)."""
    from gov_chain.ledger.core import checkpoint, note
    from gov_chain.ledger.core.errors import LedgerError

    plain = [each for each in args.vkey if not checkpoint.is_quorum(each)]
    pins = [each for each in args.vkey if checkpoint.is_quorum(each)]
    for each in plain:
        note.parse_vkey(each)
    if len(plain) > 1 or len(pins) > 1:
        raise LedgerError("vkey-malformed", log="one of a kind")
    if not pins:
        return plain[0], None
    # Here: who verifies a plain receipt needs no BLS library.
    from gov_chain.ledger.core import quorum

    if not args.validators:
        raise LedgerError("validators-needed")
    try:
        told = json.loads(Path(args.validators).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError("validators-malformed", log=str(error)) from error
    return plain[0] if plain else "", quorum.Followed.pinned(pins[0], *quorum.links_from_json(told))


_SAID = {"final": "", "quorum": " (quorum 多数验证节点)"}


def _verdict(
    args: argparse.Namespace, status: int, *, code: str = "", detail: str = "", proven: dict[str, Any] | None = None
) -> int:
    word = {VALID: "valid", INVALID: "invalid", UNDETERMINED: "undetermined"}[status]
    if args.json:
        _print_json({"ok": status == VALID, "result": word, "code": code, "detail": detail, "proven": proven})
    elif proven is not None:
        said = _SAID[proven["standing"]]
        if "key" in proven:
            value = "absent 不存在" if proven["value"] is None else proven["value"]
            what = f"state key {proven['key']} is {value}"
        else:
            what = f"entry {proven['index']} ({proven['kind']}), agency {proven['agency']}, {_when(proven['time'])}"
        sys.stdout.write(f"有效 valid{said}: {what}, in a log of {proven['size']}\n")
    else:
        zh = {INVALID: "无效", UNDETERMINED: "无法判断"}[status]
        sys.stdout.write(f"{zh} {word} [{code}]: {detail}\n")
    return status


def fsck(args: argparse.Namespace) -> int:
    from gov_chain.ledger import copies
    from gov_chain.ledger import fsck as checker

    directory = copies.directory(args.data)
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(unit=" entries", file=sys.stderr, leave=False) as bar:

            def advance(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            report = checker.check(directory, vkey=args.vkey, progress=advance)
    else:
        report = checker.check(directory, vkey=args.vkey)
    if args.json:
        counts = {name: getattr(report, name) for name in _COUNTS}
        findings = [{"kind": each.kind, "where": each.where, "detail": each.detail} for each in report.findings]
        _print_json({"ok": report.ok, **counts, "root": report.root, "findings": findings})
    else:
        verdict = "完好 sound" if report.ok else f"发现 {len(report.findings)} 处问题 findings"
        sys.stdout.write(f"{checker.describe(report)}\n{verdict}\n")
    return 0 if report.ok else 1


_COUNTS = ("entries", "transactions", "checkpoints", "tiles", "index_rows", "state_rows", "map_rows")


def _reader(args: argparse.Namespace) -> Any:
    """(the node's ledger, True), or (the copy that `--data` names, False)."""
    from gov_chain.ledger import copies, node
    from gov_chain.ledger.reader import Reader

    if not args.data or copies.is_node(Path(args.data)):
        return node.ledger(), True
    directory = copies.directory(args.data)
    return Reader(directory, copies.verifier(directory)), False


def vkey(args: argparse.Namespace) -> int:
    reader, _ = _reader(args)
    if args.json:
        _print_json({"ok": True, "vkey": reader.vkey, "quorum": reader.quorum_vkey})
    else:
        sys.stdout.write(reader.vkey + "\n")
        if reader.quorum_vkey:
            sys.stdout.write(reader.quorum_vkey + "\n")
    return 0


def serve(args: argparse.Namespace) -> int:
    from gov_chain.ledger import copies, mirror, serving

    directory = copies.directory(args.data)
    key = copies.verifier(directory, vkey=args.vkey)

    def ready(url: str) -> None:
        if args.json:
            _print_json({"ready": True, "url": f"{url}ledger/", "vkey": key.vkey})
        else:
            sys.stdout.write(f"{url}ledger/\n账本公钥 verifier key: {key.vkey}\n")
        sys.stdout.flush()

    return serving.serve(mirror.application(directory, key), host=args.host, port=args.port, ready=ready)


def export(args: argparse.Namespace) -> int:
    from gov_chain.ledger import copies, transfer

    directory = copies.directory(args.data)
    key = copies.verifier(directory).vkey
    size = transfer.export(directory, Path(args.out))
    return _moved(args, size, key)


def import_file(args: argparse.Namespace) -> int:
    from gov_chain.ledger import copies, transfer

    data = Path(args.data or os.environ.get("GOVCHAIN_DATA", copies.DEFAULT_DATA))
    size = transfer.import_(Path(args.file), data / "ledger", vkey=args.vkey)
    return _moved(args, size, copies.verifier(data / "ledger", vkey=args.vkey).vkey)


def _moved(args: argparse.Namespace, size: int, key: str) -> int:
    if args.json:
        _print_json({"ok": True, "size": size, "vkey": key})
    else:
        sys.stdout.write(f"{size} 条记录 entries\n账本公钥 verifier key: {key}\n")
    return 0


def tail(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node, presentation
    from gov_chain.ledger.core import records
    from gov_chain.ledger.core.errors import LedgerError

    numbers = {name: number for number, name in records.LOG_KINDS.items()}
    if args.kind is not None and args.kind not in numbers:
        raise LedgerError("kind-unknown", log=args.kind)
    rows = node.ledger().latest(max(args.n, 0), kind=numbers.get(args.kind))[::-1]
    if args.json:
        _print_json({"ok": True, "rows": [presentation.row(row.index, row.entry) for row in rows]})
        return 0
    for row in rows:
        entry = row.entry
        zh, en = presentation.sentence(entry)
        sys.stdout.write(f"{row.index:>8}  {_when(entry.time)}  agency {entry.agency:<3} {entry.name}: {zh} {en}\n")
    return 0


def rules(args: argparse.Namespace) -> int:
    """Print what `docs/ledger.md` holds."""
    from gov_chain.ledger import rulebook

    if args.json:
        _print_json({"ok": True, "markdown": rulebook.markdown()})
    else:
        sys.stdout.write(rulebook.markdown())
    return 0


def stats(args: argparse.Namespace) -> int:
    from gov_chain.ledger import store
    from gov_chain.ledger.core import records

    reader, is_node = _reader(args)
    kinds = {records.LOG_KINDS[kind]: count for kind, count in reader.counts().items()}
    file_bytes = (reader.directory / store.FILE).stat().st_size
    outbox = _outbox() if is_node else {}
    if args.json:
        _print_json(
            {
                "ok": True,
                "size": reader.size,
                "kinds": kinds,
                "bytes": file_bytes,
                **({"outbox": outbox} if is_node else {}),
                "checkpoint": reader.checkpoint(),
                "vkey": reader.vkey,
            }
        )
        return 0
    lines = [f"{name:<16}{count:>10}" for name, count in kinds.items()]
    lines += [f"{'bytes on disk':<16}{file_bytes:>10}"]
    lines += [f"{f'outbox {name}':<16}{count:>10}" for name, count in outbox.items()]
    lines += ["", reader.checkpoint().rstrip()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _outbox() -> dict[str, int]:
    from gov_chain.ledger.models import OutboxRow

    waiting = OutboxRow.objects.filter(state__in=["pending", "signed"]).count()
    return {"waiting": waiting, "aside": OutboxRow.objects.filter(state="aside").count()}


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
