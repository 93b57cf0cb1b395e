"""`govchain doctor`: is this node healthy? Each check has a name, a result, a reason and what to do.

Reads only; safe beside a running node. A later check may need an earlier one (no tables, no backlog):
then it says so instead of guessing.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.db import DatabaseError, connection

from gov_chain import keys
from gov_chain.core.errors import GovChainError

if TYPE_CHECKING:
    from gov_chain.ledger.condition import Stuck

OK: Literal["ok"] = "ok"
WARN: Literal["warn"] = "warn"
FAIL: Literal["fail"] = "fail"

DISK_FAIL, DISK_WARN = 200 * 2**20, 2 * 2**30


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    result: Literal["ok", "warn", "fail"]
    zh: str
    en: str
    next_zh: str = ""
    next_en: str = ""


Check = Callable[[], Result]


def doctor(*, as_json: bool) -> int:
    """Run every check; 1 if one failed."""
    results = [_run(name, check) for name, check in CHECKS]
    failed = any(each.result == FAIL for each in results)
    if as_json:
        told = {"ok": not failed, "checks": [asdict(each) for each in results]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        for each in results:
            sys.stdout.write(f"{_WORDS[each.result]} {each.name:<12} {each.zh} {each.en}\n")
            if each.next_zh:
                sys.stdout.write(f"{'':<22}→ {each.next_zh} {each.next_en}\n")
    return 1 if failed else 0


_WORDS = {OK: "正常 ok  ", WARN: "注意 warn", FAIL: "故障 FAIL"}


def _run(name: str, check: Check) -> Result:
    """A check that cannot be made is a failed check, with its reason."""
    try:
        return check()
    except GovChainError as error:
        return Result(name, FAIL, error.zh, f"{error.en} [{error.code}]", error.fix_zh, error.fix_en)
    except (DatabaseError, OSError) as error:
        return Result(name, FAIL, "无法检查。", f"Cannot be checked: {error}", *UP)


UP = ("请运行 govchain up。", "Run `govchain up` on this data.")


def environment() -> Result:
    env = settings.GOVCHAIN
    where = f"{env.name}, {env.base_url}, {env.data}"
    if env.keys == "local":
        return Result(
            "environment", WARN, f"{where}。密钥是本机文件。", "Keys are files here.",
            "仅供开发。", "For development only; production refuses it.",
        )  # fmt: skip
    return Result("environment", OK, where, "")


def database() -> Result:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Result("database", FAIL, f"有 {len(waiting)} 个迁移未执行。", f"{len(waiting)} migrations wait.", *UP)
    return Result("database", OK, "结构与代码一致。", "Tables match the code.")


def key_store() -> Result:
    from gov_chain.ledger import node
    from identity import agencies
    from identity.models import Agency

    wanted = [node.checkpoint_key()]
    hosted = list(Agency.objects.filter(hosted=True))
    for agency in hosted:
        wanted += [
            agencies.key_uri(agency.slug, purpose, agencies.key_no(agency))
            for purpose in ("ledger", "issue", "request")
        ]
    if not hosted:
        return Result("keys", FAIL, "没有本节点托管的机构。", "This node hosts no agency.", *UP)
    for uri in wanted:
        # Opening it is the test: a store refuses a missing key, and a file others can read.
        keys.signer(uri).public_key  # noqa: B018
    for agency in hosted:
        agencies.sealer(agency).seal(b"", b"govchain/doctor")
    count = len(wanted) + len(hosted)
    told = _vault() if settings.GOVCHAIN.keys == "vault" else ""
    return Result("keys", OK, f"{count} 把密钥可用。", f"{count} keys usable.{told}")


def _vault() -> str:
    from gov_chain.keys import vault

    said = vault.vault().condition()
    return f" Vault {said.version}; log-in for {said.seconds_left} s more; {', '.join(said.policies)}."


def ledger() -> Result:
    from gov_chain.ledger import newest, node
    from gov_chain.ledger.core import checkpoint, note, receipt
    from gov_chain.ledger.core.errors import LedgerError

    reader = node.ledger()
    known = newest.read(node.directory(), note.parse_vkey(reader.vkey))
    head = checkpoint.verify(reader.checkpoint(), note.parse_vkey(reader.vkey))
    if known is not None and known.size > head.size:
        raise LedgerError("ledger-behind")
    # The last entry under the signed root: a torn or altered end shows here. All of it is fsck's to check.
    receipt.verify(reader.receipt(head.size - 1), reader.vkey)
    for founded in reader.agencies():
        _compare_key(founded.number, founded.ledger_key)
    return Result(
        "ledger", OK, f"{head.size} 条，检查点签名有效。", f"{head.size} entries, checkpoint signed.",
        "全部重算：govchain ledger fsck。", "Rebuild all of it: govchain ledger fsck.",
    )  # fmt: skip


def _compare_key(number: int, ledger_key: bytes) -> None:
    from gov_chain.keys import KeyStoreError
    from identity import agencies
    from identity.models import Agency

    agency = Agency.objects.filter(number=number, hosted=True).first()
    if agency is not None and agencies.signer(agency, "ledger").public_key != ledger_key:
        raise KeyStoreError("key-missing", log=f"agency {number}: not the key on the ledger")


def witnesses() -> Result:
    """Who cosigns this ledger's checkpoints, how far, and whether one of them contradicts it."""
    from gov_chain.ledger import node
    from gov_chain.ledger.witness import asking, kept

    asked = node.witnesses()
    if not asked:
        return Result(
            "witnesses", OK, "没有配置见证者。", "None is asked.",
            "独立的见证者能发现分叉：GOVCHAIN_WITNESSES。", "An outsider would notice a fork: GOVCHAIN_WITNESSES.",
        )  # fmt: skip
    size = node.ledger().size
    heard = {}
    if (node.directory() / kept.FILE).exists():
        heard = {each.vkey: each for each in kept.Kept(node.directory()).answers()}
    told: list[str] = []
    states: set[str] = set()
    for each in asked:
        answer = heard.get(each.cosigner.vkey)
        states.add(answer.state if answer else "unreachable")
        state = f"{answer.state} {answer.cosigned}/{size} {answer.detail}".rstrip() if answer else "not asked yet"
        told.append(f"{each.cosigner.name}: {state}")
    text = "; ".join(told)
    if states & asking.ALARMS:
        return Result(
            "witnesses", FAIL, "见证者与本账本矛盾。", text,
            "停止写入，保存账本和检查点，通知审计人员。", "Stop; keep ledger and checkpoints; tell the auditors.",
        )  # fmt: skip
    if states != {"cosigned"}:
        return Result("witnesses", WARN, "有见证者没有联署。", text, "核对地址与公钥。", "Check address and keys.")
    return Result("witnesses", OK, "见证者均已联署。", text)


def consortium() -> Result:
    """This node's engine, how far it is behind, and whether a quorum certifies what it committed."""
    from gov_chain.consortium import health
    from gov_chain.ledger import node

    if settings.GOVCHAIN.ledger == "embedded":
        return Result("consortium", OK, "账本在本机排序。", "The ledger is ordered here, on its own.")
    found = health.engine(settings.GOVCHAIN.ledger.removeprefix("comet:"))
    if found is None:
        return Result(
            "consortium", FAIL, "CometBFT 无应答。", "CometBFT does not answer.",
            "见 docs/runbooks/validator-down.md。", "See docs/runbooks/validator-down.md.",
        )  # fmt: skip
    certified, size = node.ledger().certified(), node.ledger().size
    at = certified[1].size if certified else 0
    text = f"height {found.height}, {found.peers} peers, power {found.voting_power}, certified {at}/{size}"
    if found.catching_up or not found.peers:
        return Result(
            "consortium", WARN, "本节点落后或没有连接其他节点。", f"Behind, or alone: {text}",
            "见 docs/runbooks/validator-down.md。", "See docs/runbooks/validator-down.md.",
        )  # fmt: skip
    if at < size:
        return Result(
            "consortium", WARN, "最新检查点尚无共识证书。", f"The latest checkpoint is not certified: {text}",
            "稍候；若一直如此，见 docs/runbooks/validator-down.md。",
            "Wait a moment; if it stays so, see docs/runbooks/validator-down.md.",
        )  # fmt: skip
    return Result("consortium", OK, "引擎同步，检查点有共识证书。", f"In step, and certified: {text}")


def outbox() -> Result:
    from gov_chain.ledger import condition

    if aside := condition.set_aside():
        told = _reasons(aside)
        return Result(
            "outbox", FAIL, f"无法上链、已搁置的记录：{told}。", f"Records set aside: {told}.",
            aside[0].to_do[0], aside[0].to_do[1],
        )  # fmt: skip
    if stuck := condition.undelivered():
        told = _reasons(stuck)
        return Result(
            "outbox", WARN, f"结果多次送达失败：{told}。", f"Outcomes fail to be delivered: {told}.",
            stuck[0].to_do[0], stuck[0].to_do[1],
        )  # fmt: skip
    if held := condition.held_back():
        told = _reasons(held)
        return Result(
            "outbox", WARN, f"等待上链的记录：{told}。{held[0].why[0]}", f"Records wait: {told}. {held[0].why[1]}",
            held[0].to_do[0], held[0].to_do[1],
        )  # fmt: skip
    backlog = condition.backlog()
    if backlog.oldest > condition.OVERDUE:
        return Result("outbox", WARN, f"积压 {backlog.waiting} 条。", f"{backlog.waiting} records wait.", *UP)
    return Result("outbox", OK, "没有积压。", "Nothing waits.")


def _reasons(found: Sequence[Stuck]) -> str:
    """How many rows there are for each reason, and the first they are about: "3 × signature-wrong (matter:1)"."""
    return ", ".join(f"{each.count} × {each.reason} ({each.subject})" for each in found)


def disk() -> Result:
    free = shutil.disk_usage(settings.GOVCHAIN.data).free
    text = (f"剩余 {free / 2**30:.1f} GB。", f"{free / 2**30:.1f} GB free.")
    room = ("请清理磁盘；写满时账本会停止。", "Make room: the ledger stops when the disk is full.")
    if free < DISK_WARN:
        return Result("disk", FAIL if free < DISK_FAIL else WARN, *text, *room)
    return Result("disk", OK, *text)


def block_clock() -> Result:
    from gov_chain.ledger import condition

    ahead = condition.head().ahead
    if ahead > condition.CLOCK_SKEW:
        return Result(
            "clock", FAIL, f"本机时钟比最后一个区块慢 {ahead} 秒。", f"This clock is {ahead} s behind the last block.",
            "请校准时间。", "Set the clock.",
        )  # fmt: skip
    return Result("clock", OK, "时钟不早于最后一个区块。", "Not behind the last block.")


def wallet_bundle() -> Result:
    folder = Path(settings.ROOT) / "wallet" / "dist"
    if not (folder / "app.js").exists() and not list(folder.glob("*.js")):
        return Result("wallet", FAIL, "钱包页面尚未构建。", "The wallet is not built.", "make setup", "")
    return Result("wallet", OK, "钱包已构建。", "The wallet is built.")


def officers_log() -> Result:
    from identity import append_only
    from identity import officers_log as log
    from identity.models import Agency

    gone = append_only.missing(connection)
    if gone:
        return Result(
            "officers-log", FAIL, "日志的触发器缺失。", f"Triggers are gone: {', '.join(gone)}.",
            "请查明是谁移除的；重新运行 govchain up 会补上。", "Find out who did; `govchain up` puts them back.",
        )  # fmt: skip
    broken = [agency.slug for agency in Agency.objects.filter(hosted=True) if not log.check(agency).holds]
    if broken:
        return Result(
            "officers-log", FAIL, "工作人员日志不成立。", f"The log does not hold: {', '.join(broken)}.",
            "请运行 govchain officers-log verify 并保全数据。", "Run `govchain officers-log verify`; keep the data.",
        )  # fmt: skip
    return Result("officers-log", OK, "日志完整。", "The officers' logs are whole.")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("environment", environment),
    ("database", database),
    ("keys", key_store),
    ("ledger", ledger),
    ("witnesses", witnesses),
    ("consortium", consortium),
    ("outbox", outbox),
    ("officers-log", officers_log),
    ("disk", disk),
    ("clock", block_clock),
    ("wallet", wallet_bundle),
)
