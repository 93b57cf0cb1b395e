"""The trust registry: whose keys counted for what, at any moment of the ledger's life.

"Was this key of that agency good for that purpose then?" is answered from committed state alone, in this order:

1. the agency was enrolled by then
2. the key was one of the agency's, of the kind the purpose needs, and had come into force
3. it had not been replaced
4. what it signed at that moment is not void: neither revoked then nor by what is known now (or, if asked, was known at
   a later size), see docs/decisions/0031-compromised-keys.md
5. the agency was not suspended
6. for issuing or registering a type: it was accredited for it

A moment is a size of the log (`at`: the first `at` entries) or a time, which `timeline` turns into one. Everything is a
few look-ups by key: the answer takes well below a millisecond, with millions of entries too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gov_chain.ledger import timeline
from gov_chain.ledger.core import state
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.standing import AgencyState, KeyState

Use = Literal["ledger", "issue", "request"]
"""What a key is for: writing to the ledger, signing certificates, signing requests and messages to other agencies."""

Code = Literal["", "agency-unknown", "key-unknown", "key-retired", "key-revoked", "agency-suspended", "not-accredited"]

SENTENCES: dict[Code, tuple[str, str]] = {
    "": ("有效", "good"),
    "agency-unknown": ("当时没有这个机构", "no such agency then"),
    "key-unknown": ("当时不是该机构的密钥", "not a key of the agency then"),
    "key-retired": ("当时已更换", "replaced by then"),
    "key-revoked": ("已作废：从这时起不可信", "void from before this moment on: compromised"),
    "agency-suspended": ("当时机构已暂停", "the agency was suspended then"),
    "not-accredited": ("当时无权签发这种证照", "not accredited for the type then"),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """`code` is empty when the key was good; `key` is the one meant, if the agency ever had it."""

    code: Code
    size: int
    """The moment, as a size of the log."""
    agency: AgencyState | None = None
    key: KeyState | None = None

    @property
    def good(self) -> bool:
        return not self.code


def judge(
    reader: Reader,
    *,
    agency: int,
    public_key: bytes,
    use: Use,
    time: int | None = None,
    at: int | None = None,
    type: int | None = None,
    known_at: int | None = None,
) -> Judgement:
    """Whether `public_key` was the agency's and good for `use` (with `type`: for that certificate type).

    The moment is `time` (seconds), or the size `at`, or now. `known_at`: as the log of that size knew it; the default
    is what is known now, so that a key found to be stolen later is void from when it was. Raises
    `LedgerError("entry-unknown")` for a size the log has not reached.
    """
    size = reader.size if at is None else at
    if time is not None:
        size = min(timeline.size_at(reader, time), size)
    try:
        was = reader.agency(agency, size)
    except LedgerError as error:
        if error.code != "agency-unknown":
            raise
        return Judgement("agency-unknown", size)
    key = _find(reader, was, public_key, use, known_at)
    if key is None:
        return Judgement("key-unknown", size, was)
    return Judgement(_code(was, key, size, type), size, was, key)


def _code(was: AgencyState, key: KeyState, size: int, type_: int | None) -> Code:
    if 0 < key.until < size:
        return "key-retired"
    if 0 < key.revoked_from < size:
        return "key-revoked"
    if was.suspended:
        return "agency-suspended"
    if type_ is not None and type_ not in was.types:
        return "not-accredited"
    return ""


def _find(reader: Reader, was: AgencyState, public_key: bytes, use: Use, known_at: int | None) -> KeyState | None:
    for number in range(was.key_no, 0, -1):
        key = reader.key(was.number, number, known_at)
        if key is not None and _of(key, use) == public_key:
            return key
    return None


def _of(key: KeyState, use: Use) -> bytes:
    return {"ledger": key.ledger_key, "issue": key.issue_key, "request": key.request_key}[use]


def keys_by(reader: Reader, agency: int, index: int) -> list[KeyState]:
    """The keys an agency had when it recorded entry `index`, the one in force first.

    A certificate may be signed by any of them: the entry that anchors it is the agency's word, by the key in force,
    for bytes that may have been signed just before a rotation. Raises `LedgerError("agency-unknown")`.
    """
    newest = reader.agency(agency, index).key_no
    found = (reader.key(agency, number) for number in range(newest, 0, -1))
    return [key for key in found if key is not None]


def void_at(key: KeyState, index: int) -> bool:
    """Whether what a key signed as of entry `index` is void."""
    return 0 < key.revoked_from <= index


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of the log and its block time."""

    index: int
    time: int


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    key: KeyState
    since: Moment
    until: Moment | None
    """None: in force."""
    revoked_from: Moment | None


@dataclass(frozen=True, slots=True)
class Period:
    """When an agency held an accreditation (`what` a type, 0: citizens' home), a statutory power, or was suspended."""

    what: int
    since: Moment
    until: Moment | None


@dataclass(frozen=True, slots=True)
class Record:
    """An agency as of some size, and how it came to that: everything with its time."""

    state: AgencyState
    keys: tuple[KeyPeriod, ...]
    accreditations: tuple[Period, ...]
    powers: tuple[Period, ...]
    suspensions: tuple[Period, ...]


def record(reader: Reader, agency: int, at: int | None = None) -> Record:
    """Raises `LedgerError`: agency-unknown, entry-unknown."""
    size = reader.size if at is None else at
    was = reader.agency(agency, size)
    history = reader.history(state.agency_key(agency), size)
    types = [(index, frozenset(value[5])) for index, value in history]
    powers = [(index, frozenset(row[0] for row in value[7])) for index, value in history]
    suspended = [(index, frozenset({1} if value[6] else ())) for index, value in history]
    found = (reader.key(agency, number, size) for number in range(1, was.key_no + 1))
    return Record(
        was,
        tuple(_key_period(reader, key) for key in found if key is not None),
        *(_periods(reader, rows) for rows in (types, powers, suspended)),
    )


def changed(reader: Reader, key: KeyState) -> Moment:
    """The last entry that said something of a key: a revocation, if it was revoked."""
    index, _ = reader.history(state.key_key(key.agency, key.key_no), reader.size)[-1]
    return _moment(reader, index)


def _key_period(reader: Reader, key: KeyState) -> KeyPeriod:
    until, revoked = (_moment(reader, index) if index else None for index in (key.until, key.revoked_from))
    return KeyPeriod(key, _moment(reader, key.index), until, revoked)


def _periods(reader: Reader, rows: list[tuple[int, frozenset[int]]]) -> tuple[Period, ...]:
    """From what was held after each change, oldest first."""
    open_since: dict[int, int] = {}
    found: list[Period] = []
    for index, held in rows:
        for gone in sorted(open_since.keys() - held):
            found.append(Period(gone, _moment(reader, open_since.pop(gone)), _moment(reader, index)))
        for new in sorted(held - open_since.keys()):
            open_since[new] = index
    found += [Period(what, _moment(reader, index), None) for what, index in open_since.items()]
    return tuple(sorted(found, key=lambda period: (period.what, period.since.index)))


def _moment(reader: Reader, index: int) -> Moment:
    return Moment(index, timeline.time_of(reader, index))
