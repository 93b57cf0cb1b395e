"""Everything consent may refuse, with the words for people. Codes are stable: machines read them."""

from __future__ import annotations

from gov_chain.core.errors import GovChainError, Message

INVALID = "invalid_request"


class ConsentError(GovChainError):
    messages = {
        # Asking
        "matter-unknown": Message(
            404, "没有这个事项。", "There is no such matter.", "请从事项列表中选择。", "Choose one from the list."
        ),
        "matter-not-in-force": Message(
            409,
            "这个事项尚未生效：发证机关还没有批准它要用的字段。",
            "The matter is not in force: an issuer has not approved its fields.",
            "请先按线下方式办理。",
            "Use the offline way for now.",
        ),
        "request-unknown": Message(
            404,
            "没有这个出示请求。",
            "There is no such presentation request.",
            "请重新扫描窗口的二维码。",
            "Scan the counter's code again.",
            oauth=INVALID,
        ),
        "request-expired": Message(
            410,
            "出示请求已过期。",
            "The presentation request has expired.",
            "请让窗口重新生成二维码。",
            "Ask the counter for a new code.",
            oauth=INVALID,
        ),
        "request-answered": Message(
            409,
            "这个出示请求已经有了答复，只能答复一次。",
            "This presentation request was answered already; each takes one answer.",
            "请让窗口重新生成二维码。",
            "Ask the counter for a new code.",
            oauth=INVALID,
        ),
        "wallet-metadata-invalid": Message(
            400,
            "钱包信息格式不正确。",
            "The wallet metadata is malformed.",
            "请更新钱包后重试。",
            "Update the wallet and try again.",
            oauth=INVALID,
        ),
        # Answering
        "response-malformed": Message(
            400,
            "出示的数据格式不正确。",
            "The presentation response is malformed.",
            "请在钱包中重新出示。",
            "Present again from the wallet.",
            oauth=INVALID,
        ),
        "state-mismatch": Message(
            400,
            "答复与请求不是同一次。",
            "The answer belongs to another request.",
            "请重新扫描二维码。",
            "Scan the code again.",
            oauth=INVALID,
        ),
        "grant-unknown": Message(
            409,
            "账本上没有这份同意。",
            "The ledger has no such grant.",
            "请在钱包中重新同意并出示。",
            "Agree and present again from the wallet.",
            oauth=INVALID,
        ),
        "grant-elsewhere": Message(
            409,
            "这份同意不是为本次请求作出的。",
            "The grant was made for something else.",
            "请重新扫描二维码。",
            "Scan the code again.",
            oauth=INVALID,
        ),
        # The home agency, before it records a grant
        "request-forged": Message(
            403,
            "无法确认是谁在索取证照：请求不是由联盟内机构签署的。",
            "The request was not signed by a member of the consortium.",
            "请勿出示，并告知窗口工作人员。",
            "Do not present; tell the staff.",
        ),
        "certificate-untrusted": Message(
            403,
            "这张证照不能用于出示：签发机关或存证未通过核验。",
            "The certificate cannot be used: its issuer's signature or its anchor does not verify.",
            "请重新领取证照。",
            "Claim the certificate again.",
        ),
        "certificate-expired": Message(
            403,
            "这张证照已过期或尚未生效。",
            "The certificate is expired or not valid yet.",
            "请向发证机关换领。",
            "Ask the issuer for a new one.",
        ),
        "holder-mismatch": Message(
            403,
            "这张证照不属于当前打开的钱包。",
            "The certificate does not belong to the wallet that is open.",
            "请用领取这张证照的手机出示。",
            "Use the phone that claimed it.",
        ),
        "consent-signature": Message(
            403,
            "同意的签名未通过核验。",
            "The consent's signature does not verify.",
            "请重新出示。",
            "Present again.",
        ),
        "consent-audience": Message(
            403,
            "同意是签给另一个机构的。",
            "The consent was signed for another verifier.",
            "请重新扫描二维码。",
            "Scan the code again.",
        ),
        "consent-nonce": Message(
            403,
            "同意是为另一次请求签署的。",
            "The consent was signed for another request.",
            "请重新扫描二维码。",
            "Scan the code again.",
        ),
        "consent-stale": Message(
            403,
            "同意的签署时间不在允许范围内。",
            "The consent was signed too long ago, or in the future.",
            "请检查手机时间后重试。",
            "Check the phone's clock and try again.",
        ),
        "consent-terms": Message(
            403,
            "签署的条款与登记的事项不一致。",
            "The signed terms are not those of the registered matter.",
            "请勿出示，并告知窗口工作人员。",
            "Do not present; tell the staff.",
        ),
        "consent-malformed": Message(
            400,
            "同意的内容格式不正确。",
            "The consent is malformed.",
            "请更新钱包后重试。",
            "Update the wallet and try again.",
        ),
        "fields-beyond-matter": Message(
            403,
            "同意的字段超出了事项登记的范围，或缺少必需字段。",
            "The fields go beyond the matter, or a required one is missing.",
            "请重新选择要出示的字段。",
            "Choose the fields again.",
        ),
        "period-beyond-matter": Message(
            403,
            "同意的期限超出了事项允许的范围。",
            "The period is longer than the matter allows.",
            "请选择较短的期限。",
            "Choose a shorter period.",
        ),
        "uses-beyond-matter": Message(
            403,
            "同意的使用次数超出了事项允许的范围。",
            "More uses than the matter allows.",
            "请减少次数。",
            "Choose fewer uses.",
        ),
        "recorder-mismatch": Message(
            403,
            "同意指定由另一个机构记录。",
            "The consent names another agency to record it.",
            "请重新出示。",
            "Present again.",
        ),
        "recorder-is-asker": Message(
            403,
            "索取证照的机构不能替公民记录同意。",
            "The agency that asks may not record the consent.",
            "须由公民的服务机构或发证机关记录。",
            "The citizen's home agency or the issuer records it.",
        ),
        "handle-taken": Message(
            409,
            "这个授权编号已被另一份同意使用。",
            "Another consent already has this handle.",
            "请重新出示。",
            "Present again.",
        ),
        "grant-refused": Message(
            409,
            "账本拒绝了这份同意（{reason}）。",
            "The ledger refused the grant ({reason}).",
            "请重新扫描二维码。",
            "Scan the code again.",
        ),
        "ledger-slow": Message(
            503,
            "账本尚未确认，请稍候。",
            "The ledger has not confirmed yet.",
            "请原样重试：不会重复记录。",
            "Send the same again: nothing is recorded twice.",
        ),
        # Releasing the second key
        "release-unknown": Message(
            404,
            "没有这份授权的钥匙。",
            "No key is kept for this handle.",
            "请核对授权编号。",
            "Check the handle.",
        ),
        "release-not-recorded": Message(
            403,
            "账本上没有这次使用的记录，不能交出钥匙。",
            "The ledger shows no such use; the key stays here.",
            "先在账本上登记使用。",
            "Record the use first.",
        ),
        "release-foreign": Message(
            403,
            "这次使用不是由请求钥匙的机构登记的。",
            "The use was recorded by another agency.",
            "只有登记使用的机构可以取得钥匙。",
            "Only the agency that recorded the use gets the key.",
        ),
        # Looking again
        "presentation-unknown": Message(
            404,
            "没有这次出示，或它不属于本机构。",
            "There is no such presentation at your agency.",
            "请返回列表。",
            "Go back to the list.",
        ),
        "presentation-busy": Message(
            409,
            "这次出示正在处理中。",
            "This presentation is being processed.",
            "请稍候。",
            "Please wait.",
        ),
        "presentation-erased": Message(
            410,
            "保存期限已过，数据已清除。",
            "The retention period is over; the data was erased.",
            "请重新发起出示。",
            "Make a new request.",
        ),
        "filter-invalid": Message(
            400,
            "筛选条件不正确。",
            "The filter is not valid.",
            "请检查筛选条件。",
            "Check the filter.",
        ),
    }
