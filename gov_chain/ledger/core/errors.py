"""Every way the ledger says no: stable codes with a sentence in both languages.

`REFUSALS` numbers the codes that can stand in the log (a refused record's position, digest and
code number are part of its transaction's leaf); a number is never reused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gov_chain.core.errors import GovChainError, Message

REFUSALS: dict[str, int] = {
    "record-malformed": 1,
    "kind-unknown": 2,
    "not-accredited": 10,
    "version-not-next": 11,
    "type-unknown": 12,
    "type-of-another-agency": 13,
    "matter-unknown": 20,
    "matter-of-another-agency": 21,
    "matter-not-in-force": 22,
    "matter-superseded": 23,
    "fields-beyond-type": 24,
    "fields-overlap": 25,
    "type-repeated": 26,
    "type-not-in-matter": 27,
    "not-the-issuer": 28,
    "approved-already": 29,
    "commitment-taken": 40,
    "handle-taken": 50,
    "recorder-is-asker": 51,
    "fields-count-wrong": 52,
    "fields-missing": 53,
    "fields-beyond-matter": 54,
    "life-beyond-matter": 55,
    "uses-beyond-matter": 56,
    "grant-unknown": 60,
    "grant-withdrawn": 61,
    "grant-expired": 62,
    "uses-spent": 63,
    "not-the-asker": 64,
    "grant-of-another-matter": 65,
    "fields-beyond-grant": 66,
}
REFUSAL_CODES: dict[int, str] = {number: code for code, number in REFUSALS.items()}


class LedgerError(GovChainError):
    """The ledger refuses, or a proof does not hold."""

    messages: ClassVar[Mapping[str, Message]] = {
        # Records, refused one by one; the rest of their transaction stands.
        "record-malformed": Message(400, "账本记录格式不正确。", "The ledger record is malformed."),
        "kind-unknown": Message(400, "账本不认识这种记录。", "The ledger knows no such kind of record."),
        "not-accredited": Message(
            403,
            "本机关未获准签发这类证照。",
            "This agency is not accredited for this certificate type.",
            "请向联盟申请该类证照的签发资格。",
            "Ask the consortium for accreditation.",
        ),
        "version-not-next": Message(
            409,
            "版本号不连续。",
            "The version is not the next one.",
            "请刷新后用下一个版本号重试。",
            "Reload and use the next version number.",
        ),
        "type-unknown": Message(404, "账本上没有这个证照类型或版本。", "No such certificate type or version."),
        "type-of-another-agency": Message(
            403, "该证照类型由其他机关登记。", "This type was registered by another agency."
        ),
        "matter-unknown": Message(404, "账本上没有这个事项或版本。", "No such matter or version."),
        "matter-of-another-agency": Message(
            403, "该事项由其他机关登记。", "This matter was registered by another agency."
        ),
        "matter-not-in-force": Message(
            409,
            "该事项尚未生效：发证机关还没有全部同意。",
            "The matter is not in force: not every issuer has approved its fields.",
            "请等待发证机关同意，或改走线下窗口。",
            "Wait for the issuers' approval, or use the counter with paper.",
        ),
        "matter-superseded": Message(
            409, "该事项已有新版本。", "A newer version of the matter is in force.", "请重新开始办理。", "Start again."
        ),
        "fields-beyond-type": Message(
            400, "事项要求了证照中没有的字段。", "The matter asks for fields the type does not have."
        ),
        "fields-overlap": Message(400, "同一字段不能既必填又可选。", "A field cannot be both required and optional."),
        "type-repeated": Message(400, "事项中同一证照类型出现了两次。", "The matter names one type twice."),
        "type-not-in-matter": Message(400, "该事项不使用这类证照。", "The matter does not ask for this type."),
        "not-the-issuer": Message(403, "只有该类证照的发证机关可以同意。", "Only the issuer of this type may approve."),
        "approved-already": Message(409, "已经同意过了。", "Already approved."),
        "commitment-taken": Message(409, "这份证照已经登记过了。", "This certificate is anchored already."),
        "handle-taken": Message(
            409, "该授权已登记，不能重复使用。", "This grant is recorded already.", "请重新授权。", "Consent again."
        ),
        "recorder-is-asker": Message(
            403,
            "用证机关不能为自己登记授权。",
            "The agency that asks cannot record the grant for itself.",
            "授权须由市民的归属机关登记。",
            "The citizen's home agency has to record it.",
        ),
        "fields-count-wrong": Message(
            400, "授权字段与事项的证照数量不符。", "The masks do not match the matter's types."
        ),
        "fields-missing": Message(400, "授权缺少事项必需的字段。", "The grant lacks fields the matter requires."),
        "fields-beyond-matter": Message(
            400, "授权超出了事项登记的字段。", "The grant goes beyond the matter's fields."
        ),
        "life-beyond-matter": Message(
            400, "授权期限超过事项上限，或已过期。", "The grant ends too late for the matter, or has ended already."
        ),
        "uses-beyond-matter": Message(400, "授权次数超过事项上限。", "More uses than the matter allows."),
        "grant-unknown": Message(404, "账本上没有这项授权。", "No such grant."),
        "grant-withdrawn": Message(
            409,
            "市民已撤回这项授权。",
            "The citizen has withdrawn this grant.",
            "如仍需办理，请当事人重新授权或改走线下窗口。",
            "Ask the citizen to consent again, or use the counter with paper.",
        ),
        "grant-expired": Message(
            409,
            "这项授权已过期。",
            "This grant has expired.",
            "如仍需办理，请当事人重新授权。",
            "Ask the citizen to consent again.",
        ),
        "uses-spent": Message(
            409,
            "授权的使用次数已用完。",
            "Every use this grant allowed has been made.",
            "如仍需办理，请当事人重新授权。",
            "Ask the citizen to consent again.",
        ),
        "not-the-asker": Message(403, "这项授权不是给本机关的。", "This grant was not given to this agency."),
        "grant-of-another-matter": Message(409, "这项授权属于另一事项。", "This grant is for another matter."),
        "fields-beyond-grant": Message(
            403, "要使用的字段超出了市民的授权。", "The use goes beyond the fields the citizen granted."
        ),
        # Transactions, refused whole: nothing of them is written.
        "transaction-malformed": Message(400, "账本交易格式不正确。", "The ledger transaction is malformed."),
        "transaction-too-large": Message(413, "账本交易过大。", "The ledger transaction is too large."),
        "ledger-id-wrong": Message(409, "交易属于另一账本。", "The transaction is for another ledger."),
        "key-unknown": Message(403, "账本上没有这个机关或密钥。", "The ledger knows no such agency or key."),
        "signature-wrong": Message(403, "交易签名无效。", "The transaction's signature does not verify."),
        "root-wrong": Message(400, "交易内容与签名的摘要不符。", "The records are not those whose digest was signed."),
        "too-many-refused": Message(
            400, "交易中被拒绝的记录过多。", "Too many of the transaction's records are refused."
        ),
        "transaction-expired": Message(409, "交易已过有效期。", "The transaction is past its valid-until time."),
        "valid-until-too-far": Message(400, "交易有效期过长。", "The transaction's valid-until is too far off."),
        "sequence-used": Message(409, "该交易序号已使用。", "This sequence number has been used."),
        "sequence-too-old": Message(409, "交易序号过旧。", "The sequence number is below the window."),
        "sequence-too-far": Message(409, "交易序号跳得过远。", "The sequence number is beyond the window."),
        # The log and its proofs.
        "entry-unknown": Message(404, "账本上没有这条记录。", "The ledger has no such entry."),
        "entry-malformed": Message(422, "账本条目格式不正确。", "The log entry is malformed."),
        "proof-wrong": Message(422, "账本证明不成立。", "The proof does not hold."),
        "note-malformed": Message(422, "签名文本格式不正确。", "The signed note is malformed."),
        "note-unsigned": Message(422, "没有受信任密钥的签名。", "No signature by the expected key.", "", ""),
        "note-signature-wrong": Message(422, "账本签名无效。", "The ledger's signature does not verify."),
        "checkpoint-malformed": Message(422, "账本检查点格式不正确。", "The checkpoint is malformed."),
        "receipt-malformed": Message(422, "回执格式不正确。", "The receipt is malformed."),
        "receipt-version-unknown": Message(422, "不认识的回执版本。", "A receipt format this software does not know."),
        "state-proof-malformed": Message(422, "账本状态证明格式不正确。", "The state proof is malformed."),
        "state-proof-version-unknown": Message(
            422, "不认识的状态证明版本。", "A state proof format this software does not know."
        ),
        "history-incomplete": Message(
            422,
            "记录不完整：有关这项授权的记录没有全部给出。",
            "The history is incomplete: not every record about this grant was given.",
        ),
        "checkpoint-not-retained": Message(
            410,
            "这个检查点太旧，或不存在，无法直接证明当时的状态。",
            "This checkpoint is too old, or never was; the state under it cannot be proven directly.",
            "请用较新的检查点，或由管理员用 `govchain ledger prove --state` 从账本记录重建。",
            "Use a newer checkpoint, or have the operator rebuild it with `govchain ledger prove --state`.",
        ),
        "prefix-too-short": Message(
            413,
            "这个编号前缀下的记录太多。",
            "Too many records share this prefix of their handles.",
            "请用更长的前缀查询。",
            "Ask with a longer prefix.",
        ),
        "state-key-unknown": Message(
            404,
            "状态证明不包含这类键。",
            "Keys of this kind are not in the state map.",
            "证照签发等记录请用账本回执证明。",
            "Use the log's receipt: it proves anchors of certificates.",
        ),
        "vkey-malformed": Message(400, "账本公钥格式不正确。", "The verifier key is malformed."),
        # The node.
        "ledger-missing": Message(
            503,
            "本节点还没有账本。",
            "This node has no ledger yet.",
            "请先初始化节点。",
            "Run `govchain up`, which founds one in development.",
        ),
        "ledger-founded-already": Message(409, "账本已经创建。", "The ledger exists already."),
        "sequencer-running": Message(
            409,
            "另一个进程正在写入这个账本。",
            "Another process is writing this ledger.",
            "请先停止另一个进程。",
            "Stop the other process first.",
        ),
        "sequencer-stopped": Message(
            503,
            "账本暂停写入。",
            "The ledger has stopped writing.",
            "请稍后再试；管理员可查看日志。",
            "Try again later; the operator finds the reason in the log.",
        ),
        "clock-jumped": Message(
            503,
            "系统时钟突然前跳，账本暂停写入。",
            "The clock jumped forward; the ledger has stopped writing.",
            "请管理员核对时间后重新启动节点。",
            "The operator has to check the time, then restart the node.",
        ),
        "ledger-damaged": Message(
            503,
            "账本文件已损坏，拒绝写入。",
            "The ledger's file is damaged; writing is refused.",
            "请管理员运行 `govchain ledger fsck`。",
            "The operator has to run `govchain ledger fsck`.",
        ),
        "ledger-behind": Message(
            503,
            "账本文件比已发出的回执旧，拒绝写入。",
            "The ledger's file is older than receipts already given; writing is refused.",
            "请管理员恢复最新的账本文件。",
            "The operator has to restore the newest copy of the ledger.",
        ),
        "document-unknown": Message(404, "没有这份文件。", "No such document."),
        "outbox-key-missing": Message(
            503,
            "本节点没有该机关的账本密钥。",
            "This node holds no ledger key of that agency.",
            "请联系系统管理员。",
            "Ask the operator to check the node's agencies.",
        ),
        "query-invalid": Message(400, "查询参数不正确。", "The query's parameters are invalid."),
    }
