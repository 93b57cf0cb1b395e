"""The validators of a ledger: the set, its digest, and what a quorum is.

A validator is an agency with an Ed25519 key (CometBFT's consensus) and a BLS12-381 key (quorum certificates), and a
power. The set is the agencies' rows in the order of their numbers; the checkpoint's extension line

    validators <base64 of the set's digest>

commits to it, where digest = SHA-256(`DOMAIN` ‖ canonical CBOR of [[agency, consensus key, BLS key, power], …]).

With total power T, up to f < T/3 may be faulty. So:

- a quorum is more than two thirds of the power: two quorums then share an honest validator;
- at least `LEAST` = 4 validators, none with a third of the power or more: any single one may fail or lie, and the
  others still are a quorum;
- a change keeps a quorum: the validators in both sets with the same keys and power hold more than two thirds of the
  power of the old set *and* of the new one. So the old set's quorum for the change does not hang on who leaves, the new
  set makes quorums even if no newcomer ever starts, and less than a third of the power changes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gov_chain.core.codec import NotCanonical, decode, encode
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.shapes import ID, Fixed, Many, Row, Uint

DOMAIN = b"govchain/validators/v1\n"
LEAST = 4
MOST = 128
POWER = Uint(2**16, 1)
CONSENSUS_KEY, BLS_KEY, POSSESSION = Fixed(32), Fixed(48), Fixed(96)

_ROWS = Many(Row((ID, CONSENSUS_KEY, BLS_KEY, POWER)), MOST, 1)


@dataclass(frozen=True, slots=True)
class Validator:
    agency: int
    consensus_key: bytes
    """Ed25519, 32 bytes."""
    bls_key: bytes
    """Compressed point of G1, 48 bytes."""
    power: int


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """One agency's validator each, by number. `of` and `parse` make it."""

    validators: tuple[Validator, ...]
    encoding: bytes
    digest: bytes

    @property
    def total(self) -> int:
        return sum(each.power for each in self.validators)

    def power(self, positions: Iterable[int]) -> int:
        """Of the validators at these places of the set."""
        return sum(self.validators[at].power for at in positions)

    def is_quorum(self, power: int) -> bool:
        return 3 * power > 2 * self.total

    def position(self, bls_key: bytes) -> int | None:
        """Where in the set the validator with this key is."""
        return next((at for at, each in enumerate(self.validators) if each.bls_key == bls_key), None)


def of(rows: Sequence[Sequence[Any]]) -> ValidatorSet:
    """The set of rows as the ledger's state holds them; raises `LedgerError("validators-malformed")`."""
    plain = [list(row) for row in rows]
    numbers = [row[0] for row in plain if row]
    keys = [key for row in plain for key in row[1:3]]
    if not _ROWS.fits(plain) or sorted(set(numbers)) != numbers or len(set(keys)) != len(keys):
        raise LedgerError("validators-malformed")
    encoding = encode(plain)
    return ValidatorSet(tuple(Validator(*row) for row in plain), encoding, digest_of(encoding))


def parse(encoding: bytes) -> ValidatorSet:
    """The set of its canonical encoding; raises `LedgerError("validators-malformed")`."""
    try:
        rows = decode(encoding)
    except NotCanonical as error:
        raise LedgerError("validators-malformed", log=str(error)) from error
    if type(rows) is not list or not all(type(row) is list for row in rows):
        raise LedgerError("validators-malformed")
    return of(rows)


def digest_of(encoding: bytes) -> bytes:
    return sha256(DOMAIN + encoding).digest()


def digest(rows: Sequence[Sequence[Any]] | None) -> bytes | None:
    """The digest a checkpoint carries for the state's rows; None when the ledger has no validators."""
    return digest_of(encode([list(row) for row in rows])) if rows else None


@dataclass(frozen=True, slots=True)
class Change:
    """The arithmetic of going from one set to another, by power."""

    before: int
    after: int
    stays: int
    """Power of the validators in both, with the same keys and power."""
    count: int
    """Validators after it."""
    strongest: int
    """The largest power of one validator after it."""

    @property
    def needed(self) -> int:
        """The least power that has to stay."""
        return 2 * max(self.before, self.after) // 3 + 1

    def refusal(self) -> str | None:
        """The refusal code of a change that does not keep a quorum."""
        if self.count > MOST:
            return "validators-too-many"
        if self.count < LEAST:
            return "validators-too-few"
        if 3 * self.strongest >= self.after:
            return "validator-too-strong"
        return "quorum-endangered" if self.stays < self.needed else None


def change(before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]) -> Change:
    """Of two sets' rows; `before` may be empty: founding the first set changes nobody's power."""
    stays = sum(row[3] for row in after if list(row) in [list(each) for each in before])
    old, new = (sum(row[3] for row in rows) for rows in (before, after))
    powers = [row[3] for row in after]
    return Change(old, new, stays if before else new, len(after), max(powers, default=0))


def updates(before: Sequence[Validator], after: Sequence[Validator]) -> list[tuple[bytes, int]]:
    """ABCI `ValidatorUpdates`: (consensus key, power) of each that changed, power 0 for one that left; by key."""
    old, new = _powers(before), _powers(after)
    changed = {key: new.get(key, 0) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return sorted(changed.items())


def _powers(validators: Iterable[Validator]) -> Mapping[bytes, int]:
    return {each.consensus_key: each.power for each in validators}
