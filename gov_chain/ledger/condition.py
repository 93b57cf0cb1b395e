"""How the ledger's way in and out of this node is doing: what `govchain doctor` and the operators' console both tell.

Reads only. Holds codes, counts and times; a `subject` names a row of an app and no person.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet

from gov_chain import clock
from gov_chain.keys import KeyStoreError
from gov_chain.ledger import node
from gov_chain.ledger.core import cosignature, state, validators
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.cosigner.certificates import Certified
from gov_chain.ledger.models import OutboxRow
from gov_chain.ledger.witness.asking import ALARMS
from gov_chain.ledger.witness.kept import FILE, Kept

FAILING = 5
"""Attempts after which a listener that does not take its outcome is worth a look."""
OVERDUE = 60
"""Seconds a record may wait for the ledger."""
CLOCK_SKEW = 5
"""Seconds this machine's clock may be behind the last block."""

_NO_KEY = (
    "在本节点登记该机构现行的账本密钥（更换后为新密钥），再由业务重新提交。",
    "Give this node the agency's ledger key in force (the new one, if rotated), then submit again from where it came.",
)
_OTHER_KEY = (
    "本节点的密钥与账本上登记的不同：换回登记的密钥，或经表决更换，再由业务重新提交。",
    "The key here is not the one on the ledger: restore that one or have a rotation voted, then submit again.",
)
_TO_DO: dict[str, tuple[str, str]] = {
    "outbox-key-missing": _NO_KEY,
    "signature-wrong": _OTHER_KEY,
    "key-retired": _OTHER_KEY,
    "key-unknown": _OTHER_KEY,
    "agency-suspended": (
        "机构已被暂停；表决恢复之后再提交。",
        "The agency is suspended; submit again once it is reinstated by vote.",
    ),
}
_LOOK = ("请查看日志，改正后由业务重新提交。", "See the log; once mended, submit again from where it came.")
_WAIT = ("系统会继续重试；若一直如此，请查看日志。", "It is tried again; if it stays so, see the log.")
_NOT_TAKEN = ("结果没有被接收。", "The outcome was not taken.")


@dataclass(frozen=True, slots=True)
class Stuck:
    """Rows of the outbox that share a reason."""

    reason: str
    count: int
    subject: str
    """The first of them."""
    why: tuple[str, str]
    """In Chinese and English, as `to_do`."""
    to_do: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Records that are not on the ledger yet; `oldest` in seconds."""

    waiting: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Witnessed:
    """How a witness answered last."""

    name: str
    url: str
    time: int
    state: str
    alarm: bool
    cosigned: int
    behind: int
    """Entries the log has beyond what it cosigned."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """The largest certified size, and the agencies whose validators have not signed lately."""

    certified: int
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The latest checkpoint, and how far its block time is ahead of this machine's clock (negative: behind)."""

    size: int
    root: bytes
    block_time: int
    ahead: int


def set_aside() -> list[Stuck]:
    """Records the ledger never judged: nothing tries them again."""
    return _stuck(OutboxRow.objects.filter(state=OutboxRow.State.ASIDE), "code", _LOOK)


def undelivered() -> list[Stuck]:
    """Outcomes that their listener keeps refusing; they are tried again."""
    return _stuck(OutboxRow.objects.filter(delivered=False, attempts__gte=FAILING), "reason", _WAIT)


_DECIDED = [OutboxRow.State.FINAL, OutboxRow.State.REFUSED, OutboxRow.State.ASIDE]


def held_back() -> list[Stuck]:
    """Records that wait for something known, such as a key store that is sealed; they go out by themselves."""
    return _stuck(OutboxRow.objects.exclude(state__in=_DECIDED).exclude(reason=""), "reason", _WAIT)


def backlog() -> Backlog:
    found = OutboxRow.objects.exclude(state__in=_DECIDED).aggregate(waiting=Count("id"), since=Min("created_at"))
    since = found["since"]
    return Backlog(found["waiting"], max(0, int(clock.now() - since.timestamp())) if since is not None else 0)


def quorum() -> Quorum | None:
    """How the validators' signatures follow this log; None for a ledger without validators."""
    reader = node.ledger()
    rows = reader.state_at(state.VALIDATORS)
    if not rows:
        return None
    with closing(Certified(node.directory())) as certified:
        sizes, heard = certified.sizes(2), certified.heard()
    before = sizes[-2] if len(sizes) > 1 else 0
    missing = tuple(each.agency for each in validators.of(rows).validators if heard.get(each.bls_key, 0) < before)
    return Quorum(sizes[-1] if sizes else 0, missing)


def head() -> Head:
    reader = node.ledger()
    _, signed = reader.signed()
    (last,) = reader.latest(1)
    return Head(signed.size, signed.root, last.entry.time, last.entry.time - clock.now())


def witnesses() -> list[Witnessed]:
    """Those this node asks, as they answered last."""
    if not (node.directory() / FILE).exists():
        return []
    asked = {each.cosigner.vkey for each in node.witnesses()}
    size = node.ledger().size
    return [
        Witnessed(
            cosignature.parse_vkey(each.vkey).name,
            each.url,
            each.time,
            each.state,
            each.state in ALARMS,
            each.cosigned,
            size - each.cosigned,
        )
        for each in Kept(node.directory()).answers()
        if each.vkey in asked
    ]


def _stuck(rows: QuerySet[OutboxRow], named: str, otherwise: tuple[str, str]) -> list[Stuck]:
    found = rows.values(named).annotate(count=Count("id"), first=Min("subject")).order_by(named)
    return [
        Stuck(each[named], each["count"], each["first"], _why(each[named]), _to_do(each[named], otherwise))
        for each in found
    ]


def _to_do(code: str, otherwise: tuple[str, str]) -> tuple[str, str]:
    message = KeyStoreError.messages.get(code)
    return (message.fix_zh, message.fix_en) if message else _TO_DO.get(code, otherwise)


def _why(code: str) -> tuple[str, str]:
    message = LedgerError.messages.get(code) or KeyStoreError.messages.get(code)
    return (message.zh, message.en) if message else _NOT_TAKEN
