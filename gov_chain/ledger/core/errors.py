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
    "agency-suspended": 3,
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
    "recorder-not-entitled": 57,
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
    "recorder-suspended": 67,
    "proposal-number-not-next": 80,
    "proposal-life-wrong": 81,
    "too-many-proposals": 82,
    "proposal-unknown": 83,
    "proposal-passed": 84,
    "proposal-expired": 85,
    "not-a-voter": 86,
    "voted-already": 87,
    "agency-unknown": 90,
    "agency-number-not-next": 91,
    "suspended-already": 92,
    "not-suspended": 93,
    "too-few-voters": 94,
    "key-number-not-next": 95,
    "accredited-already": 96,
    "accreditation-unknown": 97,
    "too-many-accreditations": 98,
    "too-many-powers": 99,
    "parameter-out-of-range": 100,
    "height-passed": 101,
    "power-not-held": 110,
    "reveal-overdue": 111,
    "tag-taken": 112,
    "concealment-beyond-power": 113,
    "too-many-concealed": 114,
    "concealed-unknown": 115,
    "concealed-by-another": 116,
    "revealed-already": 117,
    "reveal-wrong": 118,
    "possession-unproven": 130,
    "key-used-before": 131,
    "key-number-unknown": 132,
    "key-in-use": 133,
    "since-in-future": 134,
    "key-revoked-already": 135,
    "validator-already": 150,
    "validator-unknown": 151,
    "validator-key-taken": 152,
    "possession-wrong": 153,
    "validators-too-few": 154,
    "validators-too-many": 155,
    "validator-too-strong": 156,
    "quorum-endangered": 157,
    "validators-changed-just-now": 158,
    "validators-not-founded": 159,
    "validators-founded-already": 160,
    "validator-key-unknown": 161,
    "equivocation-known": 162,
    "statements-agree": 163,
    "statement-unsigned": 164,
    "too-many-pairings": 165,
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
        "agency-suspended": Message(
            403,
            "本机关已被联盟暂停，只能查阅账本。",
            "The consortium has suspended this agency; it can only read.",
            "请与联盟联系；恢复须由三分之二以上机关表决。",
            "Contact the consortium; two thirds of the agencies have to reinstate it.",
        ),
        "recorder-not-entitled": Message(
            403,
            "只有市民的归属机关或证照的发证机关可以登记授权。",
            "Only a citizen's home agency, or the issuer of the fields, can record a grant.",
        ),
        "recorder-suspended": Message(
            409,
            "登记这项授权的机关已被暂停，授权暂不能使用。",
            "The agency that recorded this grant is suspended; the grant cannot be used meanwhile.",
            "请改走线下窗口。",
            "Use the counter with paper.",
        ),
        # Governance.
        "proposal-number-not-next": Message(
            409,
            "提案编号不连续。",
            "The proposal's number is not the next one.",
            "请刷新后用下一个编号重试。",
            "Reload and use the next number.",
        ),
        "proposal-life-wrong": Message(
            400, "提案有效期过短或过长。", "The proposal would expire too soon or live too long."
        ),
        "too-many-proposals": Message(
            409,
            "本机关未决的提案过多。",
            "This agency has too many open proposals.",
            "请等待已有提案通过或到期。",
            "Wait until some pass or expire.",
        ),
        "proposal-unknown": Message(404, "账本上没有这个提案。", "No such proposal."),
        "proposal-passed": Message(409, "提案已经通过。", "The proposal has passed already."),
        "proposal-expired": Message(
            409,
            "提案已过期。",
            "The proposal has expired.",
            "如仍需要，请重新提案。",
            "Propose it anew if still wanted.",
        ),
        "not-a-voter": Message(
            403,
            "提出提案时本机关没有表决权。",
            "This agency was not a voter when the proposal was made.",
        ),
        "voted-already": Message(409, "本机关已经表决过。", "This agency has voted already."),
        "agency-unknown": Message(404, "账本上没有这个机关。", "The ledger knows no such agency."),
        "agency-number-not-next": Message(
            409,
            "机关编号不连续。",
            "The agency's number is not the next one.",
            "请用下一个编号重新提案。",
            "Propose it anew with the next number.",
        ),
        "suspended-already": Message(409, "该机关已被暂停。", "The agency is suspended already."),
        "not-suspended": Message(409, "该机关没有被暂停。", "The agency is not suspended."),
        "too-few-voters": Message(
            409, "暂停后表决机关数过少，不能执行。", "The suspension would leave too few voters."
        ),
        "key-number-not-next": Message(409, "密钥编号不连续。", "The key's number is not the next one."),
        "accredited-already": Message(409, "该机关已获准许。", "The agency is accredited already."),
        "accreditation-unknown": Message(404, "该机关没有这项准许。", "The agency has no such accreditation."),
        "too-many-accreditations": Message(409, "该机关获准的类型过多。", "The agency has too many accreditations."),
        "too-many-powers": Message(409, "该机关的法定职权过多。", "The agency has too many statutory powers."),
        "parameter-out-of-range": Message(400, "参数超出允许范围。", "The parameter is out of its range."),
        "height-passed": Message(
            409,
            "新规则的起始位置已过，或早于此前表决的位置。",
            "The height for the new rules has passed, or lies before one voted earlier.",
        ),
        "possession-unproven": Message(
            400,
            "没有证明持有这些密钥。",
            "Possession of the keys is not proven.",
            "请由申请机关重新生成申请：三把密钥都要对同一份申请签名。",
            "The applicant has to make the application again: each of the three keys signs the whole of it.",
        ),
        "key-used-before": Message(
            409,
            "新密钥中有该机关用过的密钥。",
            "One of the new keys is one the agency had before.",
            "请生成全新的密钥。",
            "Make new keys.",
        ),
        "key-number-unknown": Message(404, "该机关没有这一号密钥。", "The agency never had keys of this number."),
        "key-in-use": Message(
            409,
            "该密钥仍在使用，不能作废。",
            "These keys are in use; they cannot be revoked.",
            "请先更换密钥；情况紧急时先暂停该机关。",
            "Rotate them first; in an emergency suspend the agency.",
        ),
        "since-in-future": Message(
            400, "作废的起始记录还不存在。", "The entry from which the keys would be void does not exist yet."
        ),
        "key-revoked-already": Message(
            409,
            "该密钥已从同一处或更早处作废。",
            "The keys are void already, from that entry or an earlier one.",
        ),
        # Statutory uses.
        "power-not-held": Message(403, "该机关没有这项法定职权。", "The agency does not hold this statutory power."),
        "reveal-overdue": Message(
            403,
            "有保密查询逾期未公开，该项职权暂停使用。",
            "A concealed use is overdue; the power is suspended until it is revealed.",
            "请先公开逾期的保密查询。",
            "Reveal the overdue use first.",
        ),
        "tag-taken": Message(409, "该查询标记已使用。", "This tag is used already."),
        "concealment-beyond-power": Message(
            403, "保密期限已过或超出职权上限。", "The concealment ends in the past, or beyond what the power allows."
        ),
        "too-many-concealed": Message(
            409,
            "未公开的保密查询过多。",
            "Too many concealed uses are not revealed yet.",
            "请先公开已有的保密查询。",
            "Reveal some first.",
        ),
        "concealed-unknown": Message(404, "账本上没有这项保密查询。", "No such concealed use."),
        "concealed-by-another": Message(403, "这项保密查询属于其他机关。", "The concealed use is another agency's."),
        "revealed-already": Message(409, "这项保密查询已经公开。", "This use is revealed already."),
        "reveal-wrong": Message(
            400, "公开的内容与当时登记的不符。", "Tag and salt are not those the concealed use was recorded with."
        ),
        # Validators.
        "validator-already": Message(409, "该机关已有验证节点。", "The agency has a validator already."),
        "validator-unknown": Message(404, "该机关没有验证节点。", "The agency has no validator."),
        "validator-key-taken": Message(
            409,
            "验证节点的密钥已用过；密钥只用一次，也不归还。",
            "The validator's key is or was in use; a key names one validator for ever.",
            "请生成新的密钥。",
            "Make a new key.",
        ),
        "possession-wrong": Message(
            400,
            "BLS 公钥无效，或没有证明持有其私钥。",
            "The BLS key is not a valid one, or possession of its secret is not proven.",
            "请用该私钥重新生成持有证明。",
            "Make the proof of possession with that key's secret.",
        ),
        "validators-too-few": Message(
            409,
            "验证节点至少 4 个：n 个节点容许 f 个故障，须 n ≥ 3f + 1，f ≥ 1。",
            "At least 4 validators: to survive f faulty ones takes n ≥ 3f + 1, and f is at least 1.",
        ),
        "validators-too-many": Message(409, "验证节点最多 128 个。", "There are at most 128 validators."),
        "validator-too-strong": Message(
            409,
            "任何一个验证节点的权重须小于总权重的三分之一：3 × 权重 < 总权重。",
            "No validator may have a third of the power: 3 × its power < total.",
        ),
        "quorum-endangered": Message(
            409,
            "一次变更的权重过多：留任节点的权重须大于变更前、变更后总权重的三分之二。",
            "Too much power changes at once: the validators who stay, with the same keys and power, "
            "must hold more than two thirds of the total before and of the total after.",
            "请分几次变更，每次等新节点参与签名后再进行下一次。",
            "Change fewer at once, and let newcomers sign before the next change.",
        ),
        "validators-changed-just-now": Message(
            409,
            "同一秒内验证节点已变更过一次。",
            "The validators changed once in this second already.",
            "请稍后再投决定性的一票。",
            "Cast the deciding vote again in a moment.",
        ),
        "validators-not-founded": Message(
            409,
            "账本还没有验证节点，须先一次设立首批。",
            "The ledger has no validators; the first ones are founded together.",
        ),
        "validators-founded-already": Message(409, "账本已有验证节点。", "The ledger has validators already."),
        "validator-key-unknown": Message(
            404, "账本上没有用过这个 BLS 公钥的验证节点。", "No validator has or had this BLS key."
        ),
        "equivocation-known": Message(
            409, "该密钥两面签名的证明已在账本上。", "That this key equivocated is on the ledger already."
        ),
        "statements-agree": Message(400, "两份签名针对同一个检查点。", "Both statements are about one checkpoint."),
        "statement-unsigned": Message(
            400, "其中一份签名不是该密钥作出的。", "One of the statements is not signed by that key."
        ),
        "too-many-pairings": Message(
            409,
            "一笔交易中需要配对验证的记录最多 16 条。",
            "A transaction holds at most 16 records that need a pairing.",
            "请分成几笔提交。",
            "Send them in several transactions.",
        ),
        "certificate-malformed": Message(422, "共识证书格式不正确。", "The quorum certificate is malformed."),
        "certificate-wrong": Message(422, "共识证书不成立。", "The quorum certificate does not hold."),
        "quorum-not-reached": Message(
            422,
            "签名的验证节点不到总权重的三分之二以上。",
            "The signers hold no more than two thirds of the validators' power.",
        ),
        "quorum-missing": Message(
            422,
            "没有受信任的验证节点名册签发的共识证书。",
            "No quorum certificate by a validator set that is known.",
            "请用更新的验证节点名册，或稍后再取一份回执。",
            "Fetch newer validator sets, or the receipt again in a moment.",
        ),
        "validators-unknown": Message(
            404, "账本上没有这份验证节点名册。", "The ledger has or had no such validator set."
        ),
        "validators-needed": Message(
            400,
            "用验证节点的公钥核对时，须用 --validators 给出名册。",
            "Under the validators' key, their sets are needed: --validators.",
            "用 GET /ledger/validators 取得，任何节点的都可以。",
            "Save what GET /ledger/validators answers, of any node.",
        ),
        "validators-foreign": Message(
            422,
            "验证节点名册不是由受信任的名册一步步更换而来。",
            "The validator sets do not follow from the pinned one by certificates.",
        ),
        "validators-malformed": Message(422, "验证节点名册格式不正确。", "The validator set is malformed."),
        # Transactions, refused whole: nothing of them is written.
        "transaction-malformed": Message(400, "账本交易格式不正确。", "The ledger transaction is malformed."),
        "transaction-too-large": Message(413, "账本交易过大。", "The ledger transaction is too large."),
        "ledger-id-wrong": Message(409, "交易属于另一账本。", "The transaction is for another ledger."),
        "key-unknown": Message(403, "账本上没有这个机关或密钥。", "The ledger knows no such agency or key."),
        "key-retired": Message(
            403,
            "该密钥已更换，不能再签名。",
            "This key was rotated; it signs nothing any more.",
            "请改用机关的现行密钥。",
            "Sign with the agency's present key.",
        ),
        "rules-unknown": Message(
            503,
            "账本已采用本节点不认识的新规则，暂停写入。",
            "The ledger is under rules this node does not know; it has stopped writing.",
            "请管理员升级本节点软件。",
            "The operator has to renew this node's software.",
        ),
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
        "ledger-format-old": Message(
            503,
            "账本文件是旧版本软件创建的，本版本不能打开。",
            "The ledger's file was made by an earlier version of this software, which this one does not open.",
            "开发环境请移走数据目录后重新运行 `govchain up`。",
            "In development, move the data directory away and run `govchain up` again.",
        ),
        "ledger-format-new": Message(
            503,
            "账本文件是更新版本的软件创建的，本版本不能打开。",
            "The ledger's file was made by a later version of this software, which this one does not open.",
            "请安装该版本或更新的软件。",
            "Install that version or a later one.",
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
        "checkpoint-unsigned": Message(
            503,
            "密钥库暂时不能签名，账本暂停写入。",
            "The key store does not sign for now, so the ledger has stopped writing.",
            "请稍后再试；密钥库恢复后会自动继续。",
            "Try again later; it goes on by itself once the key store is back.",
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
        "another-consortium": Message(
            503,
            "本节点的账本不属于这个联盟，节点已停止。",
            "This node's ledger is not this consortium's; the node has stopped.",
            "请核对数据目录和 genesis.json 是否属于同一个联盟。",
            "Check that the data directory and genesis.json are of the same consortium.",
        ),
        "snapshot-wrong": Message(
            502,
            "收到的账本快照与联盟确认的账本不一致，已拒绝。",
            "The snapshot received is not of the ledger the consortium agreed on, and is refused.",
            "系统会向其他节点重新获取。",
            "The system asks another node for it.",
        ),
        "consortium-busy": Message(
            503,
            "联盟账本繁忙，暂不接收新的记录。",
            "The consortium's ledger is busy and takes nothing more just now.",
            "请稍后再试。",
            "Try again in a moment.",
        ),
        "consortium-waiting": Message(
            503,
            "记录已提交，联盟尚未确认。",
            "The record is submitted; the consortium has not confirmed it yet.",
            "系统会继续等待，无需重复提交；管理员可查看各验证节点的状态。",
            "The system goes on waiting, nothing has to be sent again; the operator can look at the validators' state.",
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
