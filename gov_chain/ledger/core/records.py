"""The kinds of ledger records: one table, one builder a kind, one parser.

A submitted record is the canonical CBOR array [kind, *fields]. `KINDS` says what the fields are;
`rules.RULES` says when the ledger accepts one. A record that does not fit its row of the table is
`record-malformed`, whoever signed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gov_chain.core import hot
from gov_chain.core.codec import encode
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.proposals import ACTION, PROVEN
from gov_chain.ledger.core.shapes import DIGEST, HEIGHT, ID, MASK, TIME, Fixed, Many, Row, Shape, Uint
from gov_chain.ledger.core.validators import BLS_KEY

FORMAT = 1
MAX_RECORD = 2048
"""Bytes of one submitted record."""
MAX_TYPES = 8
"""Certificate types one matter may ask for."""
MAX_FIELDS = 32

GENESIS, TRANSACTION = 1, 2
TYPE, MATTER, MATTER_APPROVE = 10, 11, 12
ISSUE, STATUS = 20, 21
GRANT, WITHDRAW, USAGE = 30, 31, 32
PROPOSE, VOTE = 40, 41
STATUTORY, REVEAL = 50, 51
EVIDENCE, EQUIVOCATION = 60, 61

MASKS = Many(MASK, MAX_TYPES, 1)
DURATION = Uint(2**32, 1)
USES = Uint(1001, 1)
SIGNATURE = Fixed(96)
PROPOSAL = Uint(2**32, 1)

OFFICERS_LOG, ERASURE = 6, 7
EVIDENCE_KINDS: dict[int, tuple[str, str]] = {
    1: ("审计案卷", "audit case file"),
    2: ("投诉或举报", "complaint"),
    3: ("账本分叉的证明", "proof of a split view of the ledger"),
    4: ("安全事件报告", "security incident report"),
    5: ("法律文书", "legal instrument"),
    6: ("工作人员日志的链头", "head of an agency's officers' log"),
    7: ("个人信息删除证明", "proof that personal data was erased"),
}
"""What the digest in an evidence record is of. New kinds come with a rules version."""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    fields: tuple[tuple[str, Shape], ...]
    zh: str
    en: str

    shape: hot.Shape = field(init=False, repr=False)
    """Of the whole record, its kind's number included."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", Row((Uint(256), *(shape for _, shape in self.fields))).program)


KINDS: dict[int, Kind] = {
    TYPE: Kind(
        "type",
        (("type", ID), ("version", ID), ("digest", DIGEST), ("grades", Many(Uint(5, 1), MAX_FIELDS, 1))),
        "登记证照类型",
        "certificate type registered",
    ),
    MATTER: Kind(
        "matter",
        (
            ("matter", ID),
            ("version", ID),
            ("digest", DIGEST),
            ("types", Many(Row((ID, ID, MASK, MASK)), MAX_TYPES, 1)),
            ("max_life", DURATION),
            ("max_uses", USES),
            ("retention_days", Uint(36501)),
        ),
        "登记办理事项",
        "matter registered",
    ),
    MATTER_APPROVE: Kind(
        "matter-approve",
        (("matter", ID), ("version", ID), ("type", ID)),
        "发证机关同意事项用证",
        "matter approved by the issuer",
    ),
    ISSUE: Kind(
        "issue",
        (("type", ID), ("type_version", ID), ("commitment", DIGEST)),
        "签发证照",
        "certificate issued",
    ),
    STATUS: Kind(
        "status",
        (("type", ID), ("list", ID), ("version", ID), ("digest", DIGEST)),
        "更新证照状态表",
        "status list updated",
    ),
    GRANT: Kind(
        "grant",
        (
            ("handle", DIGEST),
            ("matter", ID),
            ("version", ID),
            ("masks", MASKS),
            ("not_after", TIME),
            ("uses", USES),
            ("consent_digest", DIGEST),
        ),
        "市民授权",
        "consent granted",
    ),
    WITHDRAW: Kind("withdraw", (("secret", Fixed(32)),), "撤回授权", "consent withdrawn"),
    USAGE: Kind(
        "usage",
        (("handle", DIGEST), ("matter", ID), ("version", ID), ("masks", MASKS), ("context_digest", DIGEST)),
        "使用证照",
        "certificate used",
    ),
    PROPOSE: Kind(
        "propose",
        (("proposal", PROPOSAL), ("action", ACTION), ("expires", TIME)),
        "提出治理提案",
        "proposal made",
    ),
    VOTE: Kind("vote", (("proposal", PROPOSAL), ("yes", Uint(2))), "对提案表决", "vote on a proposal"),
    STATUTORY: Kind(
        "statutory",
        (
            ("power", ID),
            ("type", ID),
            ("mask", Uint(2**32, 1)),
            ("tag", DIGEST),
            ("context_digest", DIGEST),
            ("concealed_until", TIME),
        ),
        "依法查询",
        "statutory use",
    ),
    REVEAL: Kind(
        "reveal",
        (("index", HEIGHT), ("tag", DIGEST), ("salt", Fixed(32))),
        "公开保密查询",
        "concealed use revealed",
    ),
    EVIDENCE: Kind(
        "evidence",
        (("evidence", Uint(max(EVIDENCE_KINDS) + 1, 1)), ("digest", DIGEST)),
        "存证",
        "evidence lodged",
    ),
    EQUIVOCATION: Kind(
        "equivocation",
        (
            ("bls_key", BLS_KEY),
            ("size", HEIGHT),
            ("set_one", DIGEST),
            ("body_one", DIGEST),
            ("signature_one", SIGNATURE),
            ("set_two", DIGEST),
            ("body_two", DIGEST),
            ("signature_two", SIGNATURE),
        ),
        "验证节点两面签名的证明",
        "proof that a validator signed two checkpoints of one size",
    ),
}
"""Every kind an agency may submit. A number keeps its fields for ever; a rules version says which are accepted."""

LOG_KINDS: dict[int, str] = {GENESIS: "genesis", TRANSACTION: "transaction"} | {
    number: kind.name for number, kind in KINDS.items()
}
"""Every kind found in the log."""


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record: `values` by field name, as decoded (int, bytes, list)."""

    kind: int
    name: str
    values: dict[str, Any]


SHAPES: dict[int, hot.Shape] = {number: kind.shape for number, kind in KINDS.items()}


def decode_all(items: Sequence[bytes]) -> list[list[Any] | str]:
    """Of each item the record's array if it is canonical and fits the table, else the refusal code."""
    found: list[list[Any] | str] = []
    for item, record in zip(items, hot.records(items, SHAPES), strict=True):
        if type(record) is list and len(item) <= MAX_RECORD:
            found.append(record)
        else:
            found.append("kind-unknown" if type(record) is int and len(item) <= MAX_RECORD else "record-malformed")
    return found


def decode_record(data: bytes) -> list[Any] | str:
    """The record's array if it is canonical and fits the table, else the refusal code."""
    return decode_all([data])[0]


def parse(data: bytes) -> Record:
    """The record by field names; raises `LedgerError` record-malformed or kind-unknown."""
    record = decode_record(data)
    if isinstance(record, str):
        raise LedgerError(record)
    return named(record)


def named(record: list[Any]) -> Record:
    """Names for the fields of a record already known to fit the table."""
    kind = KINDS[record[0]]
    return Record(record[0], kind.name, {name: value for (name, _), value in zip(kind.fields, record[1:], strict=True)})


def handle_of(record: list[Any]) -> bytes | None:
    """The handle of the grant a record is about, if it is about one."""
    kind = record[0]
    if kind in (GRANT, USAGE):
        handle: bytes = record[1]
        return handle
    return sha256(record[1]).digest() if kind == WITHDRAW else None


def _build(kind: int, *fields: Any) -> bytes:
    data = encode([kind, *fields])
    if not hot.fits(hot.decode(data), KINDS[kind].shape):
        raise LedgerError("record-malformed", log=f"{KINDS[kind].name} {fields!r}")
    return data


def type_(*, type: int, version: int, digest: bytes, grades: Sequence[int]) -> bytes:
    """A certificate type's version; `grades` one a field (1–4), in bit order."""
    return _build(TYPE, type, version, digest, list(grades))


def matter(
    *,
    matter: int,
    version: int,
    digest: bytes,
    types: Sequence[tuple[int, int, int, int]],
    max_life: int,
    max_uses: int,
    retention_days: int,
) -> bytes:
    """A matter's version; `types` are (type, type version, required mask, optional mask), `max_life` seconds."""
    return _build(MATTER, matter, version, digest, [list(row) for row in types], max_life, max_uses, retention_days)


def matter_approve(*, matter: int, version: int, type: int) -> bytes:
    """The issuer of `type` approves the fields this matter asks for."""
    return _build(MATTER_APPROVE, matter, version, type)


def issue(*, type: int, type_version: int, commitment: bytes) -> bytes:
    """A certificate's anchor: the salted commitment to its issuer-signed bytes."""
    return _build(ISSUE, type, type_version, commitment)


def grant(
    *,
    handle: bytes,
    matter: int,
    version: int,
    masks: Sequence[int],
    not_after: int,
    uses: int,
    consent_digest: bytes,
) -> bytes:
    """A citizen's grant, as her home agency records it; `masks` one for each type of the matter, in its order."""
    return _build(GRANT, handle, matter, version, list(masks), not_after, uses, consent_digest)


def withdraw(*, secret: bytes) -> bytes:
    """Ends the grant whose handle is SHA-256(secret)."""
    return _build(WITHDRAW, secret)


def usage(*, handle: bytes, matter: int, version: int, masks: Sequence[int], context_digest: bytes) -> bytes:
    """One use of a grant by the matter's agency, recorded before any claim is opened."""
    return _build(USAGE, handle, matter, version, list(masks), context_digest)


def status(*, type: int, list: int, version: int, digest: bytes) -> bytes:
    """A status list's next version; `digest` of the list as published."""
    return _build(STATUS, type, list, version, digest)


def propose(*, proposal: int, action: Sequence[Any], expires: int) -> bytes:
    """Put an action (see `proposals.ACTIONS`) to the vote until block time `expires`; counts as the proposer's yes."""
    return _build(PROPOSE, proposal, [*action], expires)


def vote(*, proposal: int, yes: bool) -> bytes:
    """The deciding yes makes the action take effect."""
    return _build(VOTE, proposal, int(yes))


def statutory(
    *, power: int, type: int, mask: int, tag: bytes, context_digest: bytes, concealed_until: int = 0
) -> bytes:
    """A look at a certificate's fields by law; with `concealed_until`, `tag` is blinded (see `watch.conceal`)."""
    return _build(STATUTORY, power, type, mask, tag, context_digest, concealed_until)


def reveal(*, index: int, tag: bytes, salt: bytes) -> bytes:
    """Opens the concealed use at entry `index`."""
    return _build(REVEAL, index, tag, salt)


def evidence(*, evidence: int, digest: bytes) -> bytes:
    """`evidence` is one of `EVIDENCE_KINDS`."""
    return _build(EVIDENCE, evidence, digest)


def equivocation(
    *, bls_key: bytes, size: int, one: tuple[bytes, bytes, bytes], two: tuple[bytes, bytes, bytes]
) -> bytes:
    """`one` and `two` are (validator set's digest, SHA-256 of the checkpoint's text, signature)."""
    return _build(EQUIVOCATION, bls_key, size, *one, *two)


def needs_pairing(record: list[Any]) -> bool:
    """Whether judging a record takes a pairing of the BLS curve, about ten times a signature's cost."""
    return record[0] == EQUIVOCATION or (record[0] == PROPOSE and record[2][0] in PROVEN)
