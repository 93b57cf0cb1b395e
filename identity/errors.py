"""Everything identity may refuse, with the words for people."""

from __future__ import annotations

from gov_chain.core.errors import GovChainError, Message


class IdentityError(GovChainError):
    messages = {
        "agency-unknown": Message(
            404,
            "没有这个机构。",
            "There is no such agency here.",
            "请检查网址。",
            "Check the address.",
        ),
        "role-missing": Message(
            403,
            "您的账号没有使用此页面的权限。",
            "Your account may not use this page.",
            "请换一个账号登录，或联系本机构管理员。",
            "Log in with another account, or ask your agency's administrator.",
        ),
        "login-throttled": Message(
            429,
            "登录失败次数过多。",
            "Too many failed logins.",
            "请 15 分钟后再试。",
            "Try again in 15 minutes.",
        ),
        "activation-wrong": Message(
            403,
            "激活码不正确或已失效。",
            "The activation code is wrong or no longer valid.",
            "请核对激活码；连续输错 5 次后，请到窗口领取新码。",
            "Check the code; after 5 wrong tries, ask the counter for a new one.",
        ),
        "activation-throttled": Message(
            429,
            "激活尝试次数过多。",
            "Too many activation tries.",
            "请 15 分钟后再试。",
            "Try again in 15 minutes.",
        ),
        "pin-weak": Message(
            400,
            "这个 PIN 太容易被猜到。",
            "This PIN is too easy to guess.",
            "请换一个：不要用重复、连续的数字或生日。",
            "Choose another: no repeated or consecutive digits, no birth date.",
        ),
        "pin-wrong": Message(
            403,
            "PIN 不正确，还可以试 {tries_left} 次。",
            "Wrong PIN; {tries_left} tries left.",
            "请再试一次。",
            "Try again.",
        ),
        "wallet-locked": Message(
            423,
            "钱包已锁定。",
            "The wallet is locked.",
            "请带身份证件到政务服务窗口解锁。",
            "Take your identity document to a service counter to have it unlocked.",
        ),
        "wallet-unknown": Message(
            404,
            "没有这个钱包，或它已在别的手机上重新激活。",
            "There is no such wallet, or it was activated again on another phone.",
            "请重新激活。",
            "Activate it again.",
        ),
        "device-taken": Message(
            409,
            "这部手机的密钥已属于另一个钱包。",
            "This phone's key already belongs to another wallet.",
            "请在手机上清除旧钱包后重新激活。",
            "Remove the old wallet from the phone and activate again.",
        ),
        "device-proof-invalid": Message(
            401,
            "无法确认这是您的手机。",
            "The phone's proof is not valid.",
            "请重试；若仍失败，请检查手机时间。",
            "Try again; if it still fails, check the phone's clock.",
        ),
        "session-missing": Message(
            401,
            "钱包尚未打开，或已超时。",
            "The wallet is not open, or its session ended.",
            "请用 PIN 或通行密钥重新打开。",
            "Open it again with the PIN or passkey.",
        ),
        "unlock-unclear": Message(
            400,
            "请提供 PIN 或通行密钥其中之一。",
            "Send either the PIN or a passkey.",
            "只发送一种。",
            "Send exactly one of `pin` and `passkey`.",
        ),
        "passkey-invalid": Message(
            403,
            "通行密钥未通过验证。",
            "The passkey was not accepted.",
            "请重试，或改用 PIN。",
            "Try again, or use the PIN.",
        ),
        "passkey-unavailable": Message(
            409,
            "通过 IP 地址访问时不能使用通行密钥。",
            "A passkey cannot be used when the address is an IP address.",
            "请使用 PIN。",
            "Use the PIN.",
        ),
        "citizen-unknown": Message(
            404,
            "本机构没有这位公民的记录。",
            "This agency has no record of that person.",
            "请核对公民身份号码。",
            "Check the identity number.",
        ),
        "assurance-missing": Message(
            400,
            "请先确认已核验本人身份。",
            "Confirm the identity check first.",
            "勾选核验声明并选择核验方式。",
            "Tick the statement and choose how you checked.",
        ),
        "peer-unauthenticated": Message(
            401,
            "无法确认请求来自联盟内的机构。",
            "The request is not from a proven member of the consortium.",
            "请检查签名密钥与时钟。",
            "Check the signing key and the clock.",
        ),
        "peer-unreachable": Message(
            503,
            "暂时无法联系到{name}。",
            "Could not reach {name} just now.",
            "请稍后重试。",
            "Try again shortly.",
        ),
        "peer-refused": Message(
            502,
            "对方机构拒绝了请求（{reason}）。",
            "The other agency refused the request ({reason}).",
            "请查看原因后重试。",
            "Look at the reason, then try again.",
        ),
        "ca-missing": Message(
            404,
            "本节点没有开发用证书。",
            "This node has no development certificate.",
            "用 TLS=1 启动后再试。",
            "Start the node with TLS=1.",
        ),
    }
