"""What can be wrong with a Data Integrity proof, or with what it is to be put on."""

from __future__ import annotations

from gov_chain.core.errors import GovChainError, Message

_AGAIN = ("请向发证方重新索取证照。", "Ask the issuer for the certificate again.")
_MAKER = ("请联系出示方软件的提供方。", "Report this to the maker of the software that presented it.")


class DataIntegrityError(GovChainError):
    """A refusal of Verifiable Credential Data Integrity 1.0 or of one of its cryptosuites."""

    messages = {
        code: Message(400, zh, en, *fix)
        for code, (zh, en, fix) in {
            "document-unreadable": (
                "证照内容不是可签名的 JSON-LD。",
                "The document is not JSON-LD that can be signed.",
                _MAKER,
            ),
            "proof-missing": ("证照没有签名证明。", "There is no proof.", _AGAIN),
            "proof-malformed": ("签名证明格式不正确。", "The proof is malformed.", _MAKER),
            "cryptosuite-unknown": ("不支持这种签名套件。", "The proof's cryptosuite is not known here.", _MAKER),
            "verification-method-unknown": (
                "无法找到验证密钥。",
                "The key the proof names cannot be resolved here.",
                _AGAIN,
            ),
            "key-kind": ("密钥与签名套件不符。", "The key is not of the kind this cryptosuite uses.", _MAKER),
            "proof-purpose": (
                "签名用途不符，或该密钥未获准用于此用途。",
                "The proof is for another purpose, or its key may not be used for it.",
                _MAKER,
            ),
            "proof-controller": (
                "签名密钥不属于发证方或持有人。",
                "The key does not belong to the one in whose name the proof is made.",
                _AGAIN,
            ),
            "proof-domain": ("签名是给其他单位的。", "The proof was made for another domain.", _MAKER),
            "proof-challenge": ("签名不对应当前请求。", "The proof does not answer this challenge.", _MAKER),
            "proof-expired": ("签名证明已过期。", "The proof has expired.", _AGAIN),
            "proof-early": ("签名时间在将来。", "The proof was created in the future.", _AGAIN),
            "proof-chain": ("前置签名缺失。", "A previous proof the chain names is not there.", _MAKER),
            "proof-underived": (
                "出示了未派生的底稿签名。",
                "A base proof was presented; only a proof derived from it may be.",
                _MAKER,
            ),
            "proof-not-base": ("只能从底稿签名派生。", "Only a base proof can be derived from.", _MAKER),
            "pointer-invalid": (
                "字段路径不存在：{pointer}。",
                "The pointer {pointer} names nothing in the document.",
                ("请检查所选字段。", "Check the fields selected."),
            ),
            "proof-signature": (
                "签名与内容不符。",
                "The signature does not fit the content.",
                _AGAIN,
            ),
        }.items()
    }
