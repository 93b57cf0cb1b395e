"""`govchain consortium …`: several agencies' nodes on this machine, one ledger."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gov_chain.consortium.health import NodeHealth
    from gov_chain.consortium.supervisor import Supervisor

DEFAULT_DATA = "var/consortium"
ORIGIN = "ledger.yunzhou.example"


def add_arguments(subparsers: Any) -> None:
    group = subparsers.add_parser(
        "consortium", help="多机关联盟（本机四个节点，CometBFT 共识） several nodes, one ledger"
    )
    commands = group.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    up = commands.add_parser("up", help="启动各节点并守护，直至 Ctrl-C start the nodes and keep them running")
    up.add_argument("--validators", type=int, default=4, metavar="N", help="验证节点数 how many vote (default 4)")
    up.add_argument("--port", type=int, metavar="P", help="第一个网页端口 the first web port (default: free ones)")
    up.add_argument("--agencies", type=int, default=4, metavar="N", help="机关数 how many agencies (default 4, most 7)")
    up.add_argument("--retain", type=int, default=0, metavar="N", help="引擎保留的区块数 blocks the engines keep (all)")
    up.add_argument("--snapshots", type=int, default=1000, metavar="N", help="快照间隔 blocks between snapshots (1000)")
    up.set_defaults(handler=_up, django=False)

    observer = commands.add_parser("observer", help="加入一个不投票的节点 add a node that follows and does not vote")
    observer.add_argument("name", metavar="NAME", help="节点名 its name")
    observer.add_argument("--state-sync", action="store_true", help="由快照开始 start from a snapshot of the others")
    observer.set_defaults(handler=_observer, django=False)

    adopt = commands.add_parser("adopt", help="以单机账本为联盟的初始状态 go on with the ledger of a node on its own")
    adopt.add_argument("source", metavar="DIR", type=Path, help="该节点的数据目录 that node's data")
    adopt.set_defaults(handler=_adopt, django=False)

    status = commands.add_parser("status", help="各节点的进程、高度、落后与连接 processes, height, lag, peers")
    status.set_defaults(handler=_status, django=False)

    logs = commands.add_parser("logs", help="各进程日志的末尾 the ends of the processes' logs")
    logs.add_argument("node", nargs="?", metavar="NODE", help="只看一个节点 one node only")
    logs.add_argument("--lines", "-n", type=int, default=20, metavar="N", help="行数 how many lines (default 20)")
    logs.set_defaults(handler=_logs, django=False)

    backup = commands.add_parser("backup", help="备份一个节点的数据库与密钥 a node's database and keys, while it runs")
    backup.add_argument("node", metavar="NODE")
    backup.add_argument("--out", type=Path, required=True, metavar="FILE", help="写入文件 where to write it")
    backup.set_defaults(handler=_backup, django=False)

    restore = commands.add_parser(
        "restore", help="由备份重建一个节点（不再投票） a node from its backup; it votes no more"
    )
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(handler=_restore, django=False)

    stop = commands.add_parser("stop", help="停下一个节点，其余继续 stop one node; the others go on")
    stop.add_argument("node", metavar="NODE")
    stop.add_argument("--kill", action="store_true", help="像断电一样 as a power cut would")
    stop.set_defaults(handler=_stop, django=False)

    start = commands.add_parser("start", help="重新启动一个节点 start a stopped node again")
    start.add_argument("node", metavar="NODE")
    start.set_defaults(handler=_start, django=False)

    down = commands.add_parser("down", help="停止全部节点 stop all nodes")
    down.set_defaults(handler=_down, django=False)


def _root(args: argparse.Namespace) -> Path:
    return Path(args.data or os.environ.get("GOVCHAIN_DATA") or DEFAULT_DATA).absolute()


def _up(args: argparse.Namespace) -> int:
    from gov_chain import clock
    from gov_chain.consortium import layout, plan
    from gov_chain.consortium.supervisor import Supervisor
    from identity.core.demo_agencies import ACCREDITATIONS, AGENCIES, MORE_AGENCIES

    _log()
    root = _root(args)
    if plan.exists(root):
        made = plan.read(root)
    else:
        made = layout.make(
            root,
            members=[
                layout.Member(number=number, slug=slug, name_zh=zh, name_en=en)
                for number, slug, zh, en, _ in (*AGENCIES, *MORE_AGENCIES)[: args.agencies]
            ],
            accreditations=ACCREDITATIONS,
            validators=args.validators,
            origin=ORIGIN,
            created=clock.now(),
            first_port=args.port,
            retain=args.retain,
            snapshots=args.snapshots,
        )
    with Supervisor(made) as supervisor:
        _say(supervisor, as_json=args.json)
        supervisor.run()
    return 0


def _say(supervisor: Supervisor, *, as_json: bool) -> None:
    greetings = {name: runner.greeting for name, runner in supervisor.runners.items()}
    plan = supervisor.plan
    nodes = [
        {
            "name": node.name,
            "agency": node.agency,
            "base_url": node.base_url,
            "rpc_url": node.rpc_url,
            "vkey": greetings[node.name].get("vkey", ""),
            "quorum": greetings[node.name].get("quorum", ""),
        }
        for node in plan.nodes
    ]
    officers = [
        officer | {"base_url": greeting["base_url"]}
        for greeting in greetings.values()
        for officer in greeting.get("officers", [])
    ]
    citizens = [citizen for greeting in greetings.values() for citizen in greeting.get("citizens", [])]
    password = next((greeting["password"] for greeting in greetings.values() if "password" in greeting), "")
    if as_json:
        told = {
            "ready": True,
            "ledger_id": plan.ledger_id,
            "nodes": nodes,
            "password": password,
            "officers": officers,
            "citizens": citizens,
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        lines = [f"    {node['name']:<9}{node['base_url']}" for node in nodes]
        desks = [
            f"    {each['username']:<11}{each['base_url']}{each['page']:<15}{each['name']}  {each['agency_zh']}"
            for each in officers
        ]
        links = [f"    {each['name']}  {each['activation_url']}" for each in citizens]
        sys.stdout.write(
            _TEXT.format(
                program=Path(sys.executable).with_name("govchain"),
                count=len(nodes),
                nodes="\n".join(lines),
                desks="\n".join(desks),
                password=password,
                links="\n".join(links),
                data=plan.root,
            )
        )
    sys.stdout.flush()


_TEXT = """
  联盟已就绪：{count} 个节点，一本账 The consortium is ready: {count} nodes, one ledger
{nodes}

  工作人员登录（各自的节点） Officers log in at their own nodes (密码 password: {password})
  !! 仅供演示：密码公开，且没有第二因素。生产环境会拒绝这些账号，并强制第二因素。
  !! Demonstration only: the password is public and there is no second factor. Production refuses both.
{desks}

  市民激活链接 Citizens' activation links （自选六位 PIN; choose a six-digit PIN）
{links}

  停掉一个节点看看 Stop one and see: {program} consortium stop psb --kill --data {data}
  演示数据均为虚构。按 Ctrl-C 停止。 All people here are invented. Ctrl-C stops the nodes.
"""


def _status(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from gov_chain.consortium import health, plan, processes

    made = plan.read(_root(args))
    found = [health.node(made, node) for node in made.nodes]
    running = processes.find(made.supervisor_pid)
    highest = max((each.engine.height for each in found if each.engine), default=0)
    if args.json:
        told = {
            "running": running is not None,
            "ledger_id": made.ledger_id,
            "nodes": [
                asdict(each) | {"well": each.well, "behind": highest - each.engine.height if each.engine else None}
                for each in found
            ],
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(f"{_line(each, highest)}\n" for each in found))
    return 0 if running and all(each.well for each in found) else 1


def _line(of: NodeHealth, highest: int) -> str:
    mark = "正常 ok  " if of.well else "故障 FAIL"
    running = " ".join(of.pids) or "未运行 nothing runs"
    engine = "引擎无应答 engine silent"
    if of.engine is not None:
        behind = highest - of.engine.height
        lag = f"落后 behind {behind}" if behind or of.engine.catching_up else "同步 in step"
        engine = f"高度 height {of.engine.height} ({lag}), 对端 peers {of.engine.peers}"
    size = "网页无应答 web silent" if of.size is None else f"{of.size} 条 entries"
    return f"{mark} {of.name:<9} {of.base_url}  {engine}, {size}  [{running}]"


def _logs(args: argparse.Namespace) -> int:
    from gov_chain.consortium import plan

    made = plan.read(_root(args))
    nodes = [made.node(args.node)] if args.node else list(made.nodes)
    told: dict[str, list[str]] = {}
    for node in nodes:
        for path in sorted((made.home(node) / "logs").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            told[f"{node.name}/{path.stem}"] = lines[-args.lines :] if args.lines > 0 else []
    if args.json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        for name, lines in told.items():
            sys.stdout.write(f"== {name}\n" + "".join(f"{line}\n" for line in lines))
    return 0


def _adopt(args: argparse.Namespace) -> int:
    from gov_chain.consortium import adopting, plan
    from gov_chain.consortium.errors import ConsortiumError

    root = _root(args)
    if plan.exists(root):
        raise ConsortiumError("consortium-exists", place=str(root))
    made = adopting.adopt(args.source.absolute(), root)
    if args.json:
        told = {"ok": True, "ledger_id": made.ledger_id, "nodes": [node.name for node in made.nodes]}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write(
            f"{root}: {', '.join(node.name for node in made.nodes)}\ngovchain consortium up --data {root}\n"
        )
    return 0


def _backup(args: argparse.Namespace) -> int:
    from gov_chain.consortium import backup, plan
    from gov_chain.consortium.errors import ConsortiumError

    made = plan.read(_root(args))
    try:
        backup.make(made, made.node(args.node), args.out)
    except FileExistsError as error:
        raise ConsortiumError("backup-exists", file=str(args.out)) from error
    _done(args)
    return 0


def _restore(args: argparse.Namespace) -> int:
    from gov_chain.consortium import backup, plan

    node = backup.restore(plan.read(_root(args)), args.file)
    if args.json:
        sys.stdout.write(json.dumps({"ok": True, "node": node.name}) + "\n")
    else:
        sys.stdout.write(
            f"{node.name}: 完成；新的验证密钥须经表决。 Done; its new validator keys have to be accepted:\n"
            f"govchain consortium start {node.name}; govchain validator rotate --data {node.name}/data\n"
        )
    return 0


def _observer(args: argparse.Namespace) -> int:
    from gov_chain.consortium import layout, plan, processes, supervisor

    made = layout.add_observer(plan.read(_root(args)), args.name, state_sync=args.state_sync)
    node = made.node(args.name)
    if processes.find(made.supervisor_pid) is not None:
        supervisor.command(made, do="add", node=node.name)
    if args.json:
        told = {"ok": True, "name": node.name, "base_url": node.base_url, "vkey": layout.vkey(made, node)}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{node.name}  {node.base_url}/ledger/\n账本公钥 verifier key: {layout.vkey(made, node)}\n")
    return 0


def _stop(args: argparse.Namespace) -> int:
    return _tell(args, do="stop", node=args.node, kill=args.kill)


def _start(args: argparse.Namespace) -> int:
    return _tell(args, do="start", node=args.node)


def _tell(args: argparse.Namespace, **words: Any) -> int:
    from gov_chain.consortium import plan, supervisor

    made = plan.read(_root(args))
    made.node(args.node)
    supervisor.command(made, **words)
    _done(args)
    return 0


def _down(args: argparse.Namespace) -> int:
    """The supervisor ends its nodes; what outlived a killed supervisor is ended here, by its pid files."""
    from gov_chain.consortium import health, plan, processes

    made = plan.read(_root(args))
    found = processes.find(made.supervisor_pid)
    if found is not None:
        processes.end(found, seconds=4 * processes.STOP_SECONDS)
    left = [
        process
        for name in reversed(health.PROCESSES)
        for node in made.nodes
        if (process := processes.find(made.pid_file(node, name)))
    ]
    for process in left:
        processes.end(process)
    if found is None and not left:
        from gov_chain.consortium.errors import ConsortiumError

        raise ConsortiumError("consortium-stopped")
    _done(args)
    return 0


def _done(args: argparse.Namespace) -> None:
    sys.stdout.write('{"ok": true}\n' if args.json else "完成 done\n")


def _log() -> None:
    logging.basicConfig(format="{asctime} {levelname:<7} {name}: {message}", style="{", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
