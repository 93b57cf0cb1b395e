"""What a citizen's account consists of, and what stays when it is deleted.

Each app says of its own tables what belongs to the account (`register`), in `AppConfig.ready()`; the whole list is
shown before anything is deleted, and again in the proof. What stays is said as plainly, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from identity.models import Activation, Backup, Citizen, Passkey, Wallet


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one kind that go with the account."""

    id: str
    zh: str
    en: str
    count: Callable[[Citizen], int]
    erase: Callable[[Citizen], None]
    """Inside the one transaction in which everything goes."""
    close: Callable[[Citizen], object] | None = None
    """Before it, where others must first be told (a withdrawal on the ledger). Repeatable; a failure stops it all."""


@dataclass(frozen=True, slots=True)
class Kept:
    id: str
    zh: str
    en: str
    why_zh: str
    why_en: str


STAYS = (
    Kept(
        "ledger",
        "账本上的授权、使用和撤回记录",
        "Grants, uses and withdrawals on the ledger",
        "其中没有个人信息；密钥和盐值删除后，编号不能再与任何人对应。",
        "They hold nothing personal; with keys and salts gone, the numbers lead to nobody.",
    ),
    Kept(
        "registers",
        "发证机关的登记册",
        "The issuing agencies' registers",
        "依法登记的户籍、证照等底册不属于本账户，由登记机关保管。",
        "Registers kept by law (residence, licences) are not part of this account.",
    ),
    Kept(
        "askers",
        "办事机构已依法取得的材料",
        "What agencies have lawfully obtained",
        "按各事项登记的保存期限保存，到期删除。",
        "Kept for each matter's registered period, then deleted.",
    ),
    Kept(
        "officers-log",
        "工作人员的操作日志",
        "The officers' log of their acts",
        "依法留痕以备审计，不含您的姓名和号码。",
        "Kept for audit by law; it holds neither your name nor your number.",
    ),
)

_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    _parts[part.id] = part


def parts() -> list[Part]:
    return list(_parts.values())


def overview(citizen: Citizen) -> dict[str, list[dict[str, Any]]]:
    """What goes, with how many, and what stays, with the reason: as JSON."""
    return {
        "goes": [{"id": part.id, "zh": part.zh, "en": part.en, "count": part.count(citizen)} for part in parts()],
        "stays": [
            {"id": kept.id, "zh": kept.zh, "en": kept.en, "why": {"zh": kept.why_zh, "en": kept.why_en}}
            for kept in STAYS
        ],
    }


def _erase_phones(citizen: Citizen) -> None:
    """Sessions, passkeys, challenges and backups go with their phone."""
    Wallet.objects.filter(citizen=citizen).delete()
    Activation.objects.filter(citizen=citizen).delete()


register(
    Part(
        "phones",
        "手机与登录：设备公钥、PIN 摘要、会话、激活码",
        "Phones: device keys, PIN digests, sessions, activation codes",
        count=lambda citizen: Wallet.objects.filter(citizen=citizen).count(),
        erase=_erase_phones,
    )
)
register(
    Part(
        "passkeys",
        "通行密钥",
        "Passkeys",
        count=lambda citizen: Passkey.objects.filter(wallet__citizen=citizen).count(),
        erase=lambda citizen: None,  # with their phone
    )
)
register(
    Part(
        "backups",
        "加密备份",
        "Encrypted backups",
        count=lambda citizen: Backup.objects.filter(wallet__citizen=citizen).count(),
        erase=lambda citizen: None,  # with their phone
    )
)
