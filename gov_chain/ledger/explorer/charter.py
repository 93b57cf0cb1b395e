"""Who may do what, as the ledger's state has it: now, or when the log had some number of entries."""

from __future__ import annotations

from dataclasses import dataclass

from gov_chain.ledger import governing
from gov_chain.ledger.core import entries, records
from gov_chain.ledger.explorer import facts
from gov_chain.ledger.explorer.names import Names, Pair
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.standing import AgencyState, MatterState, ProposalState, TypeState

MOST = 500
"""Types, matters and proposals shown; a consortium has tens."""


@dataclass(frozen=True, slots=True)
class Power:
    number: int
    concealment: Pair
    """How long a use may stay concealed."""


@dataclass(frozen=True, slots=True)
class AgencyRow:
    state: AgencyState
    name: Pair
    issues: tuple[Pair, ...]
    runs: tuple[Pair, ...]
    powers: tuple[Power, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a matter asks of one type, and the entry by which its issuer approved (None: not yet)."""

    name: Pair
    required: Pair
    optional: Pair
    approval: int | None


@dataclass(frozen=True, slots=True)
class MatterRow:
    state: MatterState
    name: Pair
    agency: Pair
    asks: tuple[Asked, ...]
    life: Pair
    """How long a consent may last."""


@dataclass(frozen=True, slots=True)
class TypeRow:
    state: TypeState
    name: Pair
    agency: Pair


@dataclass(frozen=True, slots=True)
class ProposalRow:
    state: ProposalState
    outcome: str
    """passed, open, lost or expired."""
    proposer: Pair
    what: Pair
    votes: tuple[tuple[Pair, bool], ...]
    yes: int
    needed: int


@dataclass(frozen=True, slots=True)
class Charter:
    size: int
    time: int
    """Block time of the last entry that counts here."""
    agencies: tuple[AgencyRow, ...]
    types: tuple[TypeRow, ...]
    matters: tuple[MatterRow, ...]
    proposals: tuple[ProposalRow, ...]


def charter(reader: Reader, at: int | None = None) -> Charter:
    """Raises `LedgerError("entry-unknown")` for a size the log has not reached."""
    size = reader.size if at is None else at
    names = Names(reader, at)
    time = entries.unwrap(reader.entry(size - 1))[0] if size else 0
    matters = _matters(reader, names, at, size)
    return Charter(
        size,
        time,
        tuple(_agency(each, names, matters) for each in reader.agencies(at)),
        _types(reader, names, at, size),
        matters,
        tuple(
            _proposal(state, names, time)
            for each in reader.proposals(MOST)
            if (state := reader.proposal(each.number, at)) is not None
        ),
    )


def _agency(state: AgencyState, names: Names, matters: tuple[MatterRow, ...]) -> AgencyRow:
    return AgencyRow(
        state,
        names.agency(state.number),
        tuple(names.type(each) for each in state.types),
        tuple(each.name for each in matters if each.state.agency == state.number),
        tuple(Power(number, facts.duration(limit)) for number, limit in state.powers),
    )


def _registered(reader: Reader, kind: int, field: str, size: int) -> list[int]:
    rows = reader.entries(limit=MOST, kind=kind)
    return sorted({row.entry.values[field] for row in rows if row.index < size})


def _types(reader: Reader, names: Names, at: int | None, size: int) -> tuple[TypeRow, ...]:
    found = (reader.type(number, None, at) for number in _registered(reader, records.TYPE, "type", size))
    return tuple(
        TypeRow(state, names.type(state.number, state.version), names.agency(state.agency)) for state in found if state
    )


def _matters(reader: Reader, names: Names, at: int | None, size: int) -> tuple[MatterRow, ...]:
    found = (reader.matter(number, None, at) for number in _registered(reader, records.MATTER, "matter", size))
    rows = []
    for state in found:
        if state is None:
            continue
        approvals = dict(state.approvals)
        asks = tuple(
            Asked(
                names.type(number, version),
                names.type_fields(number, version, required),
                names.type_fields(number, version, optional),
                approvals.get(number),
            )
            for number, version, required, optional in state.types
        )
        name, agency = names.matter(state.number, state.version), names.agency(state.agency)
        rows.append(MatterRow(state, name, agency, asks, facts.duration(state.max_life)))
    return tuple(rows)


def _proposal(state: ProposalState, names: Names, time: int) -> ProposalRow:
    tally = governing.tally(state, time)
    return ProposalRow(
        state,
        tally.outcome,
        names.agency(state.proposer),
        facts.action({"action": state.action}, names),
        tuple((names.agency(agency), bool(vote)) for agency, vote in state.votes),
        tally.yes,
        tally.needed,
    )
