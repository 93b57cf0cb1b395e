"""Validators by vote, and proof that one lied: what `governance` and `rules` ask for them.

- An agency has one validator. Its keys are nobody else's and never come back, also not after a rotation: so a key
  names one validator for ever, and what it signed can be held against it.
- Possession of the BLS key is proven, or an aggregate could be forged with a key made from the others'.
- A change keeps a quorum (`validators.Change`), and there is one at most in a second of block time: so a checkpoint,
  and CometBFT, see every set there was, and the arithmetic holds from each to the next.
- The first set of a ledger founded without validators is voted as a whole.
- Two statements of one size by one key, about different checkpoints, are proof by themselves: the rules verify both
  signatures. The record carries digests, a size and signatures, nothing else. What follows from it, the agencies vote.

What costs a pairing comes last, and `machine` allows a transaction few records that need one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gov_chain.ledger.core import bls, proposals, quorum, state, validators
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import Value, View

Rows = list[list[Any]]

Effect = Callable[..., str | None]
"""Takes the view, the deciding record on trial, and the action's fields; a refusal code, or None once written."""


def found(view: View, rows: Sequence[Sequence[Any]], agencies: Sequence[int]) -> None:
    """Write the founding set that genesis names; raises `LedgerError("record-malformed")` if it cannot be one.

    Fewer than `validators.LEAST` tolerate no fault: for development.
    """
    fault = _fault(rows, agencies)
    if fault is not None:
        raise LedgerError("record-malformed", log=f"genesis: validators: {fault}")
    _write(view, [], [[agency, consensus, key, power] for agency, consensus, key, _, power in rows], 0)


def _fault(rows: Sequence[Sequence[Any]], agencies: Sequence[int]) -> str | None:
    numbers = [row[0] for row in rows]
    keys = [key for row in rows for key in row[1:3]]
    if numbers != sorted(set(numbers)) or not set(numbers) <= set(agencies):
        return "an agency unknown, twice, or out of order"
    if len(set(keys)) != len(keys):
        return "a key twice"
    total = sum(row[4] for row in rows)
    if len(rows) >= validators.LEAST and any(3 * row[4] >= total for row in rows):
        return "a validator with a third of the power"
    if not all(bls.pop_verify(row[2], row[3]) for row in rows):
        return "a key whose possession is not proven"
    return None


def _in(view: View, act: Act, *fields: Any) -> str | None:
    agency, consensus_key, bls_key, possession, power = fields
    before = view.get(state.VALIDATORS)
    if not before:
        return "validators-not-founded"
    if any(row[0] == agency for row in before):
        return "validator-already"
    after = sorted([*before, [agency, consensus_key, bls_key, power]])
    return _agency(view, agency) or _change(view, act, before, after, [(bls_key, possession)])


def _out(view: View, act: Act, agency: int) -> str | None:
    before = view.get(state.VALIDATORS) or []
    after = [row for row in before if row[0] != agency]
    if len(after) == len(before):
        return "validator-unknown"
    return _change(view, act, before, after, [])


def _rotate(view: View, act: Act, *fields: Any) -> str | None:
    """A key may stay, not both."""
    agency, consensus_key, bls_key, possession = fields
    before = view.get(state.VALIDATORS) or []
    own = next((row for row in before if row[0] == agency), None)
    if own is None:
        return "validator-unknown"
    new = [agency, consensus_key, bls_key, own[3]]
    if new == own:
        return "validator-key-taken"
    return _change(view, act, before, [new if row is own else row for row in before], [(bls_key, possession)])


def _found(view: View, act: Act, rows: Rows) -> str | None:
    if view.get(state.VALIDATORS):
        return "validators-founded-already"
    after = sorted([agency, consensus, key, power] for agency, consensus, key, _, power in rows)
    if len({row[0] for row in after}) != len(after):
        return "validator-already"
    unknown = next((code for row in after if (code := _agency(view, row[0]))), None)
    return unknown or _change(view, act, [], after, [(key, proof) for _, _, key, proof, _ in rows])


EFFECTS: dict[int, Effect] = {
    proposals.VALIDATOR_IN: _in,
    proposals.VALIDATOR_OUT: _out,
    proposals.VALIDATOR_ROTATE: _rotate,
    proposals.VALIDATORS_FOUND: _found,
}


def equivocation(view: View, act: Act) -> str | None:
    """By any agency: a validator's key, present or past, signed two different checkpoints of one size."""
    _, key, size, set_one, body_one, signature_one, set_two, body_two, signature_two = act.record
    where = state.validator_key_key(key)
    known = view.get(where)
    if known is None:
        return "validator-key-unknown"
    agency, since, until, shown = known
    if shown:
        return "equivocation-known"
    if body_one == body_two:
        return "statements-agree"
    for of_set, body, signature in ((set_one, body_one, signature_one), (set_two, body_two, signature_two)):
        if not bls.verify(key, quorum.statement(of_set, size, body), signature):
            return "statement-unsigned"
    view.put(where, [agency, since, until, act.at])
    return None


def _agency(view: View, number: int) -> str | None:
    found = view.get(state.agency_key(number))
    if found is None:
        return "agency-unknown"
    return "suspended-already" if found[6] else None


def _change(view: View, act: Act, before: Value, after: Rows, possessions: Sequence[tuple[bytes, bytes]]) -> str | None:
    new = [key for row in after for key in row[1:3]]
    fresh = [key for key in new if key not in [each for row in before for each in row[1:3]]]
    if len(set(new)) != len(new) or any(view.get(state.validator_key_key(key)) for key in fresh):
        return "validator-key-taken"
    refusal = validators.change(before, after).refusal()
    if refusal is not None:
        return refusal
    (last,) = view.get(state.VALIDATORS_CHANGED) or [0]
    if act.time <= last:
        return "validators-changed-just-now"
    if not all(bls.pop_verify(key, proof) for key, proof in possessions):
        return "possession-wrong"
    _write(view, before, after, act.at)
    view.put(state.VALIDATORS_CHANGED, [act.time])
    return None


def _write(view: View, before: Value, after: Rows, at: int) -> None:
    old, new = ({key: row[0] for row in rows for key in row[1:3]} for rows in (before, after))
    for key in old.keys() - new.keys():
        where = state.validator_key_key(key)
        agency, since, _, shown = view.get(where) or [old[key], 0, 0, 0]
        view.put(where, [agency, since, at, shown])
    for key in new.keys() - old.keys():
        view.put(state.validator_key_key(key), [new[key], at, 0, 0])
    view.put(state.VALIDATORS, after)
