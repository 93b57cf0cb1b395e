"""What the reader answers: the ledger's state and log by names. Times are seconds of block time, sizes are entries."""

from __future__ import annotations

from dataclasses import dataclass

from gov_chain.ledger.core import entries


@dataclass(frozen=True, slots=True)
class AgencyState:
    number: int
    key_no: int
    ledger_key: bytes
    issue_key: bytes
    request_key: bytes
    profile_digest: bytes
    types: tuple[int, ...]
    """Certificate types it is accredited for."""
    home: bool
    """Whether it may record the grants of citizens whose home it is."""
    suspended: bool
    powers: tuple[tuple[int, int], ...]
    """(statutory power, seconds a use may be concealed)."""
    index: int
    """Its enrolment (0: a founder)."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """An agency's keys of one number, and the entries between which they signed (`until` 0: still in use).

    `revoked_from`: the entry from which on what they signed is void (0: they were not revoked).
    """

    agency: int
    key_no: int
    ledger_key: bytes
    issue_key: bytes
    request_key: bytes
    index: int
    until: int
    revoked_from: int


@dataclass(frozen=True, slots=True)
class ProposalState:
    number: int
    proposer: int
    action: tuple[int | bytes, ...]
    expires: int
    index: int
    voters: tuple[int, ...]
    votes: tuple[tuple[int, int], ...]
    """(agency, 1 for yes)."""
    effect_index: int
    """The entry that made it pass; 0: it has not passed."""


@dataclass(frozen=True, slots=True)
class StatusState:
    type: int
    list: int
    version: int
    digest: bytes
    index: int


@dataclass(frozen=True, slots=True)
class StatutoryState:
    """A statutory use as its tag shows it."""

    agency: int
    power: int
    type: int
    mask: int
    time: int
    index: int
    reveal_index: int
    """0: it was open from the start."""


@dataclass(frozen=True, slots=True)
class TypeState:
    number: int
    version: int
    agency: int
    digest: bytes
    grades: tuple[int, ...]
    index: int


@dataclass(frozen=True, slots=True)
class MatterState:
    number: int
    version: int
    agency: int
    digest: bytes
    types: tuple[tuple[int, int, int, int], ...]
    """(type, type version, required mask, optional mask)."""
    max_life: int
    max_uses: int
    retention_days: int
    approvals: tuple[tuple[int, int], ...]
    """(type, index of its issuer's approval)."""
    in_force: bool
    index: int


@dataclass(frozen=True, slots=True)
class IssueState:
    agency: int
    type: int
    version: int
    time: int
    index: int


@dataclass(frozen=True, slots=True)
class GrantState:
    recorder: int
    matter: int
    version: int
    masks: tuple[int, ...]
    not_after: int
    uses_left: int
    withdrawn: bool
    withdrawn_index: int
    index: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class About:
    """Receipts of every entry about some handles, and a proof of each handle's state, all under one checkpoint."""

    checkpoint: str
    receipts: list[str]
    states: list[str]


@dataclass(frozen=True, slots=True)
class LogRow:
    index: int
    entry: entries.Entry
