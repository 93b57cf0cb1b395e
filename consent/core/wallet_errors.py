"""Why a wallet showed nothing: OAuth 2.0 error codes (RFC 6749 §4.1.2.1) and those of OpenID4VP 1.0 §8.5.

`access_denied` is a person's no (or a wallet without such a certificate: the specification tells the two apart no
further). Every other code is a device that could not, and is told as that. Of what the wallet sent, the code alone is
kept, and only if it stands here: a description is a stranger's text and may hold anything.
"""

from __future__ import annotations

from typing import Final

from gov_chain.core.errors import Message

DECLINED: Final = "access_denied"
OTHER: Final = "other"

_ASK_AGAIN = ("请重新生成二维码，请市民再扫一次。", "Make a new code and have it scanned again.")
_ANOTHER_WALLET = (
    "请市民更新钱包应用，或用本市电子证照钱包扫码；也可按线下方式办理。",
    "Have the wallet updated, use the city's own wallet, or go the offline way.",
)

WORDS: Final = {
    "invalid_request": Message(200, "手机认为这个请求不正确。", "The phone finds the request malformed.", *_ASK_AGAIN),
    "invalid_client": Message(
        200, "手机没能确认本机构的身份。", "The phone could not confirm who is asking.", *_ANOTHER_WALLET
    ),
    "unauthorized_client": Message(
        200, "手机不允许本机构索取证照。", "The phone does not let this agency ask.", *_ANOTHER_WALLET
    ),
    "unsupported_response_type": Message(
        200, "这个钱包不支持这种出示方式。", "This wallet cannot answer in this way.", *_ANOTHER_WALLET
    ),
    "invalid_scope": Message(
        200, "这个钱包不认识所要的内容。", "This wallet does not know what is asked.", *_ANOTHER_WALLET
    ),
    "vp_formats_not_supported": Message(
        200, "这个钱包不支持这种证照格式。", "This wallet does not know the certificate's format.", *_ANOTHER_WALLET
    ),
    "invalid_request_uri_method": Message(
        200, "这个钱包没能取得请求。", "This wallet could not fetch the request.", *_ANOTHER_WALLET
    ),
    "invalid_transaction_data": Message(
        200, "这个钱包不认识请求里的同意条款。", "This wallet does not know the terms of consent.", *_ANOTHER_WALLET
    ),
    "wallet_unavailable": Message(
        200, "手机上的钱包没有打开。", "The wallet on the phone is not available.", *_ASK_AGAIN
    ),
    "server_error": Message(200, "钱包出了故障。", "The wallet failed.", *_ASK_AGAIN),
    "temporarily_unavailable": Message(200, "钱包暂时不可用。", "The wallet is busy.", *_ASK_AGAIN),
    OTHER: Message(
        200,
        "手机没有说明原因。",
        "The phone gave no reason that is known here.",
        "请重新生成二维码再试；仍不行时按线下方式办理。",
        "Try a new code; if that fails too, go the offline way.",
    ),
}


def known(code: object) -> str:
    """The code to keep: one of this table, or `other`."""
    return code if isinstance(code, str) and code in WORDS else OTHER
