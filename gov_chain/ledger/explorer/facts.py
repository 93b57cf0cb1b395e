"""A log entry's fields for people: what each is called, what it is for, and its value in words.

`MEANINGS` has a row for every field of every kind of record; a test holds it to the table of records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gov_chain.ledger.core import entries, proposals, records, transaction
from gov_chain.ledger.explorer.names import Names, Pair


@dataclass(frozen=True, slots=True)
class Meaning:
    zh: str
    en: str
    why_zh: str
    why_en: str


_TYPE = Meaning("证照类型", "Certificate type", "哪一种证照。", "Which kind of certificate.")
_MATTER = Meaning("办理事项", "Matter", "为哪件事。", "What it is for.")
_VERSION = Meaning(
    "版本", "Version", "每次修改都另立一版，旧版留存。", "Every change makes a new version; old ones stay."
)
_HANDLE = Meaning(
    "授权编号",
    "Handle",
    "市民手机里一个秘密数的指纹；两次授权的编号互不相关。",
    "Fingerprint of a secret on the citizen's phone; no two consents can be linked by it.",
)
_MASKS = Meaning("字段", "Fields", "按位表示证照的哪几项。", "Bits that say which items of the certificate.")
_PROPOSAL = Meaning("提案号", "Proposal", "提案按顺序编号。", "Proposals are numbered in order.")
_CONTEXT = Meaning(
    "用途指纹",
    "Context digest",
    "业务情况加盐后的指纹，原文只在机构手里。",
    "Salted fingerprint of the case; the case itself stays with the agency.",
)
_TAG = Meaning(
    "查询标记",
    "Tag",
    "本人的手机据此找到对自己的依法查询。",
    "By it the person's phone finds statutory uses about them.",
)

_SET = Meaning("名册指纹", "Set's digest", "签名时的验证节点名册。", "The validator set it was signed for.")
_BODY = Meaning("检查点指纹", "Checkpoint's digest", "所签检查点正文的 SHA-256。", "SHA-256 of the signed text.")
_SHARE = Meaning("签名", "Signature", "用该公钥可核对。", "Verifies under that key.")

MEANINGS: dict[str, Meaning] = {
    "genesis.format": Meaning("格式", "Format", "账本格式的版本。", "Version of the ledger's format."),
    "genesis.agencies": Meaning(
        "创始机构", "Founders", "创立账本的机构及其公钥。", "Founding agencies and their keys."
    ),
    "genesis.accreditations": Meaning(
        "准许", "Accreditations", "创立时谁可以签发哪种证照。", "Who may issue which type from the start."
    ),
    "genesis.checkpoint_key": Meaning(
        "检查点公钥", "Checkpoint key", "签署检查点的 Ed25519 公钥。", "The Ed25519 key that signs checkpoints."
    ),
    "genesis.created": Meaning("创立时间", "Founded", "账本从此开始。", "When the ledger began."),
    "genesis.validators": Meaning(
        "首批验证节点",
        "First validators",
        "哪些机构的节点为账本签共识证书。",
        "Whose nodes sign the ledger's quorum certificates.",
    ),
    "genesis.parameters": Meaning("参数", "Parameters", "创立时另定的参数。", "Parameters set at the founding."),
    "transaction.header": Meaning(
        "批次头",
        "Header",
        "机构签名的内容，其中有全部记录的根值。",
        "What the agency signed; it holds the records' root.",
    ),
    "transaction.signature": Meaning(
        "机构签名", "Signature", "机构用账本密钥对批次头的 Ed25519 签名。", "Ed25519, by the agency's ledger key."
    ),
    "transaction.refused": Meaning(
        "被拒绝的记录",
        "Refused records",
        "违反规则、未入账的记录的位置与指纹。",
        "Place and fingerprint of what broke a rule.",
    ),
    "type.type": _TYPE,
    "type.version": _VERSION,
    "type.digest": Meaning(
        "定义指纹", "Definition", "证照类型定义文件的 SHA-256。", "SHA-256 of the type's definition."
    ),
    "type.grades": Meaning(
        "字段分级",
        "Field grades",
        "每个字段的数据级别，1 为一般，4 为敏感。",
        "Each field's grade, 1 general to 4 sensitive.",
    ),
    "matter.matter": _MATTER,
    "matter.version": _VERSION,
    "matter.digest": Meaning(
        "定义指纹",
        "Definition",
        "事项定义文件（用途、法律依据）的 SHA-256。",
        "SHA-256 of its purpose and legal basis.",
    ),
    "matter.types": Meaning(
        "所需证照", "Asks for", "每种证照的必需和可选字段。", "Required and optional fields of each type."
    ),
    "matter.max_life": Meaning("授权最长期限", "Longest consent", "一次授权至多多久。", "How long a consent may last."),
    "matter.max_uses": Meaning("最多次数", "Most uses", "一次授权至多用几次。", "How often one consent may be used."),
    "matter.retention_days": Meaning("保存天数", "Kept for", "办结后资料保存多久。", "How long the data is kept."),
    "matter-approve.matter": _MATTER,
    "matter-approve.version": _VERSION,
    "matter-approve.type": _TYPE,
    "issue.type": _TYPE,
    "issue.type_version": _VERSION,
    "issue.commitment": Meaning(
        "证照指纹",
        "Commitment",
        "证照加盐后的指纹，无法反推内容或持证人。",
        "Salted fingerprint of the certificate; reveals neither content nor holder.",
    ),
    "status.type": _TYPE,
    "status.list": Meaning("状态表", "Status list", "第几张状态表。", "Which list."),
    "status.version": _VERSION,
    "status.digest": Meaning("状态表指纹", "Digest", "公布的状态表的 SHA-256。", "SHA-256 of the list as published."),
    "grant.handle": _HANDLE,
    "grant.matter": _MATTER,
    "grant.version": _VERSION,
    "grant.masks": _MASKS,
    "grant.not_after": Meaning("有效期至", "Valid until", "过后不能再用。", "It cannot be used afterwards."),
    "grant.uses": Meaning("可用次数", "Uses", "市民同意用几次。", "How many uses the citizen agreed to."),
    "grant.consent_digest": Meaning(
        "同意书指纹",
        "Consent digest",
        "同意书加盐后的指纹，原文在市民和归属机构手里。",
        "Salted fingerprint of the signed consent, which the citizen and the home agency hold.",
    ),
    "withdraw.secret": Meaning(
        "撤回凭证",
        "Secret",
        "公开它就等于撤回：它的 SHA-256 是授权编号。",
        "Showing it withdraws the consent: its SHA-256 is the handle.",
    ),
    "usage.handle": _HANDLE,
    "usage.matter": _MATTER,
    "usage.version": _VERSION,
    "usage.masks": _MASKS,
    "usage.context_digest": _CONTEXT,
    "propose.proposal": _PROPOSAL,
    "propose.action": Meaning("内容", "Action", "通过后发生什么。", "What happens once it passes."),
    "propose.expires": Meaning("截止", "Expires", "过后不能再表决。", "No votes afterwards."),
    "vote.proposal": _PROPOSAL,
    "vote.yes": Meaning("表决", "Vote", "赞成或反对。", "For or against."),
    "statutory.power": Meaning("法定职权", "Statutory power", "依据哪一项职权。", "Under which power."),
    "statutory.type": _TYPE,
    "statutory.mask": _MASKS,
    "statutory.tag": _TAG,
    "statutory.context_digest": _CONTEXT,
    "statutory.concealed_until": Meaning(
        "保密至",
        "Concealed until",
        "到期必须公开，逾期则停用该职权。",
        "To be revealed by then, or the power is suspended.",
    ),
    "reveal.index": Meaning("所公开的记录", "Reveals", "此前保密的那条记录。", "The entry that was concealed."),
    "reveal.tag": _TAG,
    "reveal.salt": Meaning("盐", "Salt", "用它核对此前的保密标记。", "With it the concealed tag can be checked."),
    "evidence.evidence": Meaning("材料种类", "Kind", "存证的是什么材料。", "What was lodged."),
    "evidence.digest": Meaning(
        "材料指纹", "Digest", "材料的 SHA-256，原件不在账本上。", "Its SHA-256; it is not here itself."
    ),
    "equivocation.bls_key": Meaning("BLS 公钥", "BLS key", "哪个验证节点的。", "The validator's."),
    "equivocation.size": Meaning("大小", "Size", "两个检查点共同的大小。", "Of both checkpoints."),
    "equivocation.set_one": _SET,
    "equivocation.body_one": _BODY,
    "equivocation.signature_one": _SHARE,
    "equivocation.set_two": _SET,
    "equivocation.body_two": _BODY,
    "equivocation.signature_two": _SHARE,
    "header.key_no": Meaning(
        "密钥编号", "Key number", "机构用第几号密钥签名。", "Which of its keys the agency signed with."
    ),
    "header.sequence": Meaning("序号", "Sequence", "只用一次，防止重放。", "Used once, so nothing can be replayed."),
    "header.valid_until": Meaning(
        "提交期限", "Valid until", "过后账本不再接受这一批。", "The ledger takes it until then."
    ),
    "header.count": Meaning(
        "记录数", "Records", "这一批共有几条，含被拒绝的。", "In this batch, refused ones included."
    ),
    "header.root": Meaning(
        "批次根值", "Batch root", "这一批全部记录的 Merkle 根。", "Merkle root over the batch's records."
    ),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One field. Of `text`, `hex` and `time` one is set; `link` leads to more about it."""

    meaning: Meaning
    text: Pair | None = None
    hex: str = ""
    time: int | None = None
    link: str = ""


Fields = dict[str, Any]
Words = Callable[[Fields, Names], Pair]


def _same(text: object) -> Pair:
    return {"zh": str(text), "en": str(text)}


def _numbered(name: Pair, number: int) -> Pair:
    return {"zh": f"{name['zh']}（{number} 号）", "en": f"{name['en']} (no. {number})"}


def _asked(values: Fields, names: Names) -> Pair:
    rows = []
    for number, version, required, optional in values["types"]:
        kind = names.type(number, version)
        must, may = names.type_fields(number, version, required), names.type_fields(number, version, optional)
        rows.append(
            (
                f"{kind['zh']}：必需 {must['zh']}；可选 {may['zh']}",
                f"{kind['en']}: required {must['en']}; optional {may['en']}",
            )
        )
    return {"zh": "；".join(zh for zh, _ in rows), "en": "; ".join(en for _, en in rows)}


def duration(seconds: int) -> Pair:
    if seconds % 86400 == 0:
        days = seconds // 86400
        return {"zh": f"{days} 天", "en": f"{days} day{'s' * (days != 1)}"}
    return {"zh": f"{seconds} 秒", "en": f"{seconds} s"}


def action(values: Fields, names: Names) -> Pair:
    """What a proposal would do."""
    zh, en = proposals.sentence(
        values["action"],
        agency=lambda each: (names.agency(each)["zh"], names.agency(each)["en"]),
        type_=lambda each: (names.type(each)["zh"], names.type(each)["en"]),
    )
    return {"zh": zh, "en": en}


def _founders(values: Fields, names: Names) -> Pair:
    known = [names.agency(row[0]) for row in values["agencies"]]
    return {"zh": "、".join(each["zh"] for each in known), "en": "; ".join(each["en"] for each in known)}


def _validators(values: Fields, names: Names) -> Pair:
    known = [(names.agency(row[0]), row[4]) for row in values["validators"]]
    return {
        "zh": "、".join(f"{who['zh']}（权重 {power}）" for who, power in known),
        "en": "; ".join(f"{who['en']} (power {power})" for who, power in known),
    }


def _accredited(values: Fields, names: Names) -> Pair:
    rows = []
    for agency, number in values["accreditations"]:
        who = names.agency(agency)
        home = {"zh": "登记市民授权", "en": "recording citizens' consents"}
        what = home if number == proposals.HOME else names.type(number)
        rows.append((f"{who['zh']}：{what['zh']}", f"{who['en']}: {what['en']}"))
    return {"zh": "；".join(zh for zh, _ in rows) or "无", "en": "; ".join(en for _, en in rows) or "none"}


def _evidence(values: Fields, names: Names) -> Pair:
    zh, en = records.EVIDENCE_KINDS[values["evidence"]]
    return {"zh": zh, "en": en}


_WORDS: dict[str, Words] = {
    "type": lambda v, n: _numbered(n.type(v["type"], v.get("version") if "grades" in v else None), v["type"]),
    "matter": lambda v, n: _numbered(n.matter(v["matter"], v["version"]), v["matter"]),
    "masks": lambda v, n: n.fields(v["matter"], v["version"], v["masks"]),
    "mask": lambda v, n: n.type_fields(v["type"], None, v["mask"]),
    "types": _asked,
    "max_life": lambda v, n: duration(v["max_life"]),
    "retention_days": lambda v, n: duration(v["retention_days"] * 86400),
    "grades": lambda v, n: _same(" ".join(map(str, v["grades"]))),
    "action": action,
    "yes": lambda v, n: {"zh": "赞成" if v["yes"] else "反对", "en": "For" if v["yes"] else "Against"},
    "evidence": _evidence,
    "agencies": _founders,
    "validators": _validators,
    "accreditations": _accredited,
    "parameters": lambda v, n: {"zh": "无", "en": "none"} if not v["parameters"] else _same(v["parameters"]),
    "refused": lambda v, n: _same(len(v["refused"])),
}
_TIMES = frozenset({"created", "not_after", "expires", "concealed_until", "valid_until"})
_NEVER = {"concealed_until": {"zh": "不保密", "en": "not concealed"}}


def facts(entry: entries.Entry, names: Names) -> list[Fact]:
    """Every field of an entry, in the record's order."""
    return [_fact(f"{entry.name}.{name}", name, entry.values, names) for name in entry.values]


def header_facts(header: transaction.Header, names: Names) -> list[Fact]:
    """What a transaction's agency signed."""
    shown = ("key_no", "sequence", "valid_until", "count", "root")
    values = {name: getattr(header, name) for name in shown}
    return [_fact(f"header.{name}", name, values, names) for name in shown]


def _fact(place: str, name: str, values: Fields, names: Names) -> Fact:
    meaning, value = MEANINGS[place], values[name]
    if name == "index":
        return Fact(meaning, text=_same(f"{value:,}"), link=f"/explorer/entries/{value}")
    if name in _TIMES:
        return Fact(meaning, time=value) if value or name not in _NEVER else Fact(meaning, text=_NEVER[name])
    if name in _WORDS:
        return Fact(meaning, text=_WORDS[name](values, names))
    if isinstance(value, bytes):
        link = {"handle": "/explorer/handles/", "digest": "/ledger/documents/"}.get(name, "")
        document = name != "digest" or place.partition(".")[0] in ("type", "matter")
        return Fact(meaning, hex=value.hex(), link=f"{link}{value.hex()}" if link and document else "")
    return Fact(meaning, text=_same(f"{value:,}" if isinstance(value, int) else value))
