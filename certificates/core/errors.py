"""What can go wrong with certificates, in words for people."""

from __future__ import annotations

from gov_chain.core.errors import GovChainError, Message

_ASK_ISSUER_ZH = "请到发证窗口重新领取。"
_ASK_ISSUER_EN = "Ask the issuing counter for a new offer."
_RETRY_ZH = "请稍后重试。"
_RETRY_EN = "Try again in a moment."
_WALLET_ZH = "请更新钱包，或联系钱包提供方。"
_WALLET_EN = "Update the wallet, or report this to its maker."


class SdJwtError(GovChainError):
    """A refusal of RFC 9901 or of the SD-JWT VC rules above it."""

    messages = {
        code: Message(400, zh, en, "请重新领取或重新出示证照。", "Claim or present the certificate again.")
        for code, (zh, en) in {
            "sd-jwt-malformed": ("证照数据格式不正确。", "The certificate's data is malformed."),
            "sd-jwt-signature": ("证照签名无效。", "The certificate's signature does not verify."),
            "issuer-key-revoked": (
                "发证机关当时的密钥已作废（泄露），这张证照不可信。",
                "The keys behind this certificate were revoked as compromised from before it was issued.",
            ),
            "sd-jwt-typ": ("数据类型不是证照。", "The data is not of a certificate's type."),
            "sd-alg-unknown": ("证照使用了不支持的摘要算法。", "The certificate uses an unknown digest algorithm."),
            "digest-duplicate": ("证照中有重复的摘要。", "A digest occurs more than once in the certificate."),
            "disclosure-malformed": ("披露项格式不正确。", "A disclosure is malformed."),
            "disclosure-unreferenced": (
                "有披露项不属于这张证照。",
                "A disclosure does not belong to this certificate.",
            ),
            "claim-reserved": ("披露项使用了保留名称。", "A disclosure uses a reserved name."),
            "claim-collision": ("披露项与已有内容重名。", "A disclosure repeats a name that is already there."),
            "claim-concealed": (
                "必须公开的内容被隐藏。",
                "A claim that must be open was made selectively disclosable.",
            ),
            "key-binding-missing": ("缺少持有人签名。", "The holder's signature is missing."),
            "key-binding-malformed": ("持有人签名格式不正确。", "The holder's signature is malformed."),
            "key-binding-signature": (
                "持有人签名与证照不符。",
                "The holder's signature does not match the certificate's key.",
            ),
            "key-binding-audience": ("本次出示是给其他单位的。", "This presentation was made for someone else."),
            "key-binding-nonce": ("本次出示不对应当前请求。", "This presentation does not answer this request."),
            "key-binding-stale": ("本次出示已过期。", "This presentation is not fresh."),
            "key-binding-hash": (
                "出示内容在签名后被改动。",
                "What is presented is not what the holder signed.",
            ),
        }.items()
    }


class CertificateError(GovChainError):
    """Refusals of the issuing endpoints and of the register. `oauth` is OpenID4VCI's or OAuth's own code."""

    messages = {
        "status-list-full": Message(
            503, "状态列表暂无空位。", "No free entry was found in the status list.", _RETRY_ZH, _RETRY_EN
        ),
        "status-list-unknown": Message(404, "没有这个状态列表。", "There is no such status list.", "", ""),
        "act-unknown": Message(
            400, "不认识这个操作。", "There is no such act.", "请从列表中选择。", "Choose one of those offered."
        ),
        "reason-unknown": Message(
            400,
            "请选择原因。",
            "A reason has to be chosen.",
            "请从列表中选择原因。",
            "Choose one of the reasons offered.",
        ),
        "numbers-invalid": Message(
            400,
            "请输入 1 至 1000 个公民身份号码，每行一个。",
            "Between 1 and 1,000 identity numbers are needed, one a line.",
            "请检查后重新提交。",
            "Check the list and send it again.",
        ),
        "chosen-changed": Message(
            409,
            "核对之后证照有变化。",
            "The certificates have changed since they were checked.",
            "请重新核对。",
            "Check again.",
        ),
        "certificate-foreign": Message(
            404,
            "找不到这些证照。",
            "There are no such certificates of this agency.",
            "请刷新页面后重试。",
            "Reload the page and try again.",
        ),
        "act-not-permitted": Message(
            409,
            "证照目前{state}，不能{act}。",
            "In its present state this cannot be done to the certificate.",
            "如有操作正在上链，请稍候。",
            "If an act is on its way to the ledger, wait for it.",
        ),
        "offer-unknown": Message(
            404, "找不到这个领取邀请。", "There is no such offer.", _ASK_ISSUER_ZH, _ASK_ISSUER_EN, "invalid_grant"
        ),
        "code-invalid": Message(
            400,
            "领取码无效或已用过。",
            "The code is not valid or was used already.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "invalid_grant",
        ),
        "offer-expired": Message(
            400, "领取邀请已过期。", "The offer has expired.", _ASK_ISSUER_ZH, _ASK_ISSUER_EN, "invalid_grant"
        ),
        "offer-locked": Message(
            400,
            "交付码输错次数过多，邀请已锁定。",
            "The transaction code was wrong too often; the offer is locked.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "invalid_grant",
        ),
        "tx-code-missing": Message(
            400,
            "需要输入交付码。",
            "A transaction code is needed.",
            "请输入窗口告知的六位数字。",
            "Enter the six digits given at the counter.",
            "invalid_request",
        ),
        "tx-code-wrong": Message(
            400,
            "交付码不正确，还可以再试 {left} 次。",
            "The transaction code is wrong; {left} tries are left.",
            "请核对窗口告知的六位数字。",
            "Check the six digits given at the counter.",
            "invalid_grant",
        ),
        "grant-type-unsupported": Message(
            400,
            "不支持这种授权方式。",
            "This grant type is not supported.",
            _WALLET_ZH,
            _WALLET_EN,
            "unsupported_grant_type",
        ),
        "token-request-invalid": Message(
            400,
            "领取请求不完整。",
            "The token request is not valid ({where}).",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_request",
        ),
        "details-invalid": Message(
            400,
            "要领取的证照与邀请不符。",
            "The authorization details do not name what is offered.",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_authorization_details",
        ),
        "token-invalid": Message(
            401,
            "领取凭据无效或已过期。",
            "The access token is not valid or has expired.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "invalid_token",
        ),
        "credential-request-invalid": Message(
            400,
            "领证请求不正确。",
            "The credential request is not valid ({where}).",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_credential_request",
        ),
        "configuration-unknown": Message(
            400,
            "没有这种证照。",
            "This credential configuration is not offered here.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "unknown_credential_configuration",
        ),
        "identifier-unknown": Message(
            400,
            "没有这张证照。",
            "This credential identifier is not known here.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "unknown_credential_identifier",
        ),
        "proof-invalid": Message(
            400,
            "手机密钥的证明无效。",
            "The proof of the holder's key is not valid ({where}).",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_proof",
        ),
        "nonce-invalid": Message(
            400,
            "一次性随机数无效或已用过。",
            "The nonce is not valid, has expired or was used already.",
            "请重新领取一个随机数再试。",
            "Fetch a fresh nonce and try again.",
            "invalid_nonce",
        ),
        "encryption-unsupported": Message(
            400,
            "不支持加密应答参数。",
            "Encrypted responses are not supported here.",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_encryption_parameters",
        ),
        "already-issued": Message(
            400,
            "这个邀请的证照已经发出。",
            "The certificate of this offer was issued already.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "credential_request_denied",
        ),
        "register-row-expired": Message(
            400,
            "登记的有效期已过，不能发证。",
            "The registered validity has ended; no certificate can be issued.",
            "请先在窗口办理换证。",
            "Renew the document at the counter first.",
            "credential_request_denied",
        ),
        "issue-refused": Message(
            400,
            "链上账本拒绝了这次发证（{reason}），没有发出证照。",
            "The ledger refused this issuance ({reason}); no certificate was issued.",
            "请联系发证单位。",
            "Contact the issuing agency.",
            "credential_request_denied",
        ),
        "transaction-unknown": Message(
            400,
            "没有这笔待领业务。",
            "There is no such pending transaction.",
            _ASK_ISSUER_ZH,
            _ASK_ISSUER_EN,
            "invalid_transaction_id",
        ),
        "notification-unknown": Message(
            400,
            "没有这条通知对应的证照。",
            "No certificate goes with this notification.",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_notification_id",
        ),
        "notification-invalid": Message(
            400,
            "通知内容不正确。",
            "The notification is not valid.",
            _WALLET_ZH,
            _WALLET_EN,
            "invalid_notification_request",
        ),
        "issuer-unknown": Message(
            404, "没有这个发证单位。", "There is no such issuer.", "请核对网址。", "Check the address."
        ),
        "type-unknown": Message(
            404,
            "没有登记这种证照（{slug}）。",
            "No certificate type {slug} is registered here.",
            "请核对证照类型。",
            "Check the type's name.",
        ),
        "type-not-in-force": Message(
            409,
            "这种证照还没有在链上生效。",
            "The certificate type is not in force on the ledger yet.",
            _RETRY_ZH,
            _RETRY_EN,
        ),
        "subject-unknown": Message(
            404,
            "登记册里没有这个人。",
            "The register has no such person.",
            "请核对姓名或号码。",
            "Check the name or number.",
        ),
        "register-unreadable": Message(
            400,
            "文件不能按登记册读取：{reason}",
            "The file cannot be read as a register: {reason_en}",
            "请用 Excel 另存为 CSV（UTF-8 或 GB18030）后重试。",
            "Save it as CSV (UTF-8 or GB18030) and try again.",
        ),
        "file-unreadable": Message(
            400,
            "文件打不开：{reason}",
            "The file cannot be opened: {reason}",
            "请检查文件名和读取权限。",
            "Check its name and whether you may read it.",
        ),
        "register-rows-bad": Message(
            400,
            "有 {count} 处错误，没有导入任何一行。",
            "There are {count} errors; nothing was imported.",
            "请按报告改正后重新导入。",
            "Correct the rows in the report and import again.",
        ),
        "mandate-unknown": Message(
            404,
            "没有这份代理关系。",
            "There is no such mandate.",
            "请向被代理人或发证单位核实。",
            "Ask the principal or the issuer.",
        ),
        "mandate-withdrawn": Message(
            403,
            "委托已撤回。",
            "The mandate was withdrawn.",
            "请由本人办理，或请本人重新委托。",
            "The principal must come, or give a new mandate.",
        ),
        "mandate-expired": Message(
            403,
            "委托已过期。",
            "The mandate has expired.",
            "请由本人办理，或请本人重新委托。",
            "The principal must come, or give a new mandate.",
        ),
        "mandate-other-matter": Message(
            403,
            "委托不包括这个事项。",
            "The mandate is not for this matter.",
            "请由本人办理，或请本人就此事项委托。",
            "The principal must come, or give a mandate for this matter.",
        ),
        "mandate-not-holder": Message(
            403,
            "这份委托不是给您的，或不在这部手机上。",
            "The mandate is not yours, or not this phone's.",
            "请在自己的手机上领取委托书。",
            "Claim the mandate on your own phone.",
        ),
        "mandate-phone-lost": Message(
            403,
            "签署委托的手机已挂失，委托随之失效。",
            "The phone that signed the mandate was reported lost; the mandate ended with it.",
            "请本人用新手机重新委托。",
            "The principal must give a new mandate from the new phone.",
        ),
        "mandate-not-admitted": Message(
            403,
            "这个事项不接受此类代理。",
            "The matter does not admit such a representative.",
            "请由本人办理。",
            "The principal must come.",
        ),
        "mandate-statement-invalid": Message(
            400,
            "委托内容或签名不正确（{where}）。",
            "The mandate's statement is not valid ({where}).",
            "请检查代理人、事项和期限后重新签署。",
            "Check agent, matters and last day, and sign again.",
        ),
    }
