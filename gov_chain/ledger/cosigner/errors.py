"""Every way a cosigner says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gov_chain.core.errors import GovChainError, Message


class CosignerError(GovChainError):
    messages: ClassVar[Mapping[str, Message]] = {
        "cosigner-key-missing": Message(
            503,
            "联署密钥文件不存在。",
            "There is no cosigner key.",
            "请先运行 `govchain cosigner key`。",
            "Run `govchain cosigner key` first.",
        ),
        "cosigner-key-exists": Message(
            409,
            "联署密钥已存在，不会覆盖。",
            "There is a cosigner key already; it is not overwritten.",
            "更换密钥请用新的目录，并提交更换提案。",
            "To rotate, make the new one in a directory of its own and propose the rotation.",
        ),
        "cosigner-key-damaged": Message(
            503,
            "联署密钥文件已损坏，或不属于这个密封密钥。",
            "The cosigner's key file is damaged, or was sealed under another key.",
        ),
        "cosigner-memory-missing": Message(
            503,
            "联署记忆丢失：不知道这个密钥签过什么，拒绝签名。",
            "The cosigner's memory is gone: what this key has signed is not known, so it signs nothing.",
            "请恢复 cosigner.sqlite3；若已无法找回，请更换密钥（validator rotate）。",
            "Restore cosigner.sqlite3; if it is lost, rotate to a new key (validator rotate).",
        ),
        "cosigner-memory-old": Message(
            503,
            "联署记忆比已发出的签名旧，拒绝签名。",
            "The cosigner's memory is older than what its key has signed; it signs nothing.",
            "请恢复最新的 cosigner.sqlite3，或更换密钥（validator rotate）。",
            "Restore the newest cosigner.sqlite3, or rotate to a new key (validator rotate).",
        ),
        "cosigner-foreign": Message(
            503,
            "联署记忆属于另一账本或另一密钥。",
            "The cosigner's memory is of another ledger or another key.",
        ),
        "ledger-forked": Message(
            503,
            "账本与已签的检查点不一致，停止签名。",
            "The ledger contradicts a checkpoint this cosigner has signed; it has stopped signing.",
            "请保存账本文件和 cosigner.sqlite3，并通知审计人员。",
            "Keep the ledger's file and cosigner.sqlite3, and tell the auditors.",
        ),
    }
