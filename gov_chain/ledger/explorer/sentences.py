"""Every log entry as one plain sentence, in Chinese and English. No entry names a citizen."""

from __future__ import annotations

from collections.abc import Callable

from gov_chain.ledger.core import entries, proposals, records
from gov_chain.ledger.explorer.names import Names, Pair

Sentence = Callable[[entries.Entry, Names], tuple[str, str]]


def _genesis(entry: entries.Entry, names: Names) -> tuple[str, str]:
    count = len(entry.values["agencies"])
    return f"账本创立，共 {count} 个机构。", f"The ledger was founded by {count} agencies."


def _transaction(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, refused = names.agency(entry.agency), len(entry.values["refused"])
    return (
        f"{who['zh']}提交了一批记录" + (f"，其中 {refused} 条被拒绝。" if refused else "。"),
        f"{who['en']} submitted a batch of records" + (f"; {refused} refused." if refused else "."),
    )


def _type(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.type(entry.values["type"], entry.values["version"])
    version = entry.values["version"]
    return f"{who['zh']}登记了证照类型“{what['zh']}”第 {version} 版。", (
        f"{who['en']} registered the certificate type “{what['en']}”, version {version}."
    )


def _matter(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.matter(entry.values["matter"], entry.values["version"])
    version = entry.values["version"]
    return f"{who['zh']}登记了事项“{what['zh']}”第 {version} 版。", (
        f"{who['en']} registered the matter “{what['en']}”, version {version}."
    )


def _approve(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.matter(entry.values["matter"], entry.values["version"])
    kind = names.type(entry.values["type"])
    return f"{who['zh']}同意事项“{what['zh']}”使用{kind['zh']}。", (
        f"{who['en']} approved the use of “{kind['en']}” for “{what['en']}”."
    )


def _issue(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, what = names.agency(entry.agency), names.type(entry.values["type"], entry.values["type_version"])
    return f"{who['zh']}签发了一张{what['zh']}。", f"{who['en']} issued one “{what['en']}”."


def _grant(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what = names.matter(values["matter"], values["version"])
    shown = names.fields(values["matter"], values["version"], values["masks"])
    uses = "one use" if values["uses"] == 1 else f"up to {values['uses']} uses"
    return f"{who['zh']}记录了一位市民的同意：“{what['zh']}”可用 {values['uses']} 次，字段：{shown['zh']}。", (
        f"{who['en']} recorded a citizen's consent: “{what['en']}”, {uses} of {shown['en']}."
    )


def _withdraw(entry: entries.Entry, names: Names) -> tuple[str, str]:
    return "一位市民撤回了同意。", "A citizen withdrew a consent."


def _usage(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what = names.matter(values["matter"], values["version"])
    shown = names.fields(values["matter"], values["version"], values["masks"])
    return f"{who['zh']}为“{what['zh']}”使用了证照，字段：{shown['zh']}。", (
        f"{who['en']} used a certificate for “{what['en']}”: {shown['en']}."
    )


def _status(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what = names.type(values["type"])
    return f"{who['zh']}更新了{what['zh']}的第 {values['list']} 张状态表，第 {values['version']} 版。", (
        f"{who['en']} updated status list {values['list']} of “{what['en']}”, version {values['version']}."
    )


def _propose(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, number = names.agency(entry.agency), entry.values["proposal"]
    zh, en = proposals.sentence(
        entry.values["action"],
        agency=lambda each: (names.agency(each)["zh"], names.agency(each)["en"]),
        type_=lambda each: (names.type(each)["zh"], names.type(each)["en"]),
    )
    return f"{who['zh']}提出第 {number} 号提案：{zh}。", f"{who['en']} made proposal {number}: {en}."


def _vote(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, number, yes = names.agency(entry.agency), entry.values["proposal"], entry.values["yes"]
    return f"{who['zh']}对第 {number} 号提案投了{'赞成' if yes else '反对'}票。", (
        f"{who['en']} voted {'for' if yes else 'against'} proposal {number}."
    )


def _statutory(entry: entries.Entry, names: Names) -> tuple[str, str]:
    values, who = entry.values, names.agency(entry.agency)
    what, count = names.type(values["type"]), values["mask"].bit_count()
    concealed = values["concealed_until"] != 0
    return (
        f"{who['zh']}依第 {values['power']} 项法定职权查询了一张{what['zh']}的 {count} 个字段"
        + ("，限期保密。" if concealed else "。"),
        f"{who['en']} looked at {count} fields of a “{what['en']}” under statutory power {values['power']}"
        + (", concealed for a time." if concealed else "."),
    )


def _reveal(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, index = names.agency(entry.agency), entry.values["index"]
    return (
        f"{who['zh']}公开了第 {index} 条记录的保密查询。",
        f"{who['en']} revealed the concealed use of entry {index}.",
    )


def _evidence(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, (zh, en) = names.agency(entry.agency), records.EVIDENCE_KINDS[entry.values["evidence"]]
    return f"{who['zh']}存证了一份材料：{zh}。", f"{who['en']} lodged evidence: {en}."


def _equivocation(entry: entries.Entry, names: Names) -> tuple[str, str]:
    who, size = names.agency(entry.agency), entry.values["size"]
    return (
        f"{who['zh']}证明：一个验证节点为大小 {size} 的账本签了两个不同的检查点。",
        f"{who['en']} proved that a validator signed two different checkpoints of size {size}.",
    )


SENTENCES: dict[str, Sentence] = {
    "genesis": _genesis,
    "transaction": _transaction,
    "type": _type,
    "matter": _matter,
    "matter-approve": _approve,
    "issue": _issue,
    "grant": _grant,
    "withdraw": _withdraw,
    "usage": _usage,
    "status": _status,
    "propose": _propose,
    "vote": _vote,
    "statutory": _statutory,
    "reveal": _reveal,
    "evidence": _evidence,
    "equivocation": _equivocation,
}


def sentence(entry: entries.Entry, names: Names) -> Pair:
    """What the entry says."""
    zh, en = SENTENCES[entry.name](entry, names)
    return {"zh": zh, "en": en}
