"""The node's own log as the cosigner reads it: committed checkpoints, the set that signs each, and their tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gov_chain.ledger import store
from gov_chain.ledger.core import checkpoint, genesis, note, state, tiles, tree, validators
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.validators import ValidatorSet
from gov_chain.ledger.cosigner.errors import CosignerError

BACKLOG = 256
"""Newest checkpoints signed after an absence; of the older ones, those that change the set."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A committed checkpoint to be certified by `validators`."""

    head: Checkpoint
    validators: ValidatorSet
    changes: bool
    """Whether it names another set."""


class Log:
    """One ledger directory, read-only, for one thread."""

    def __init__(self, directory: Path) -> None:
        """Raises `LedgerError`: ledger-missing, or ledger-damaged."""
        self._connection = store.open_reading(directory / store.FILE)
        store.check_version(self._connection)
        self._rows = store.Rows(self._connection)
        first = self._rows.entry(0)
        if first is None:
            raise LedgerError("ledger-damaged", log="no genesis")
        self.ledger_id = genesis.ledger_id(first)
        self._sets: dict[bytes, ValidatorSet] = {}

    def size(self) -> int:
        """Of the last committed checkpoint."""
        return int(self._rows.one("SELECT max(size) FROM checkpoints"))

    def current(self) -> ValidatorSet | None:
        """The set in force after the last committed checkpoint."""
        rows = self._rows.state(state.VALIDATORS)
        return validators.of(rows) if rows else None

    def subjects(self, after: int) -> list[Subject]:
        """Committed checkpoints beyond `after` that a set certifies, in order; of many, the newest and the changes."""
        with self._standing_still():
            found = [
                size for (size,) in self._connection.execute("SELECT size FROM checkpoints WHERE size > ?", (after,))
            ]
            if len(found) > BACKLOG:
                found = sorted({*found[-BACKLOG:], *(each for each in self._changes() if each > after)})
            return [subject for size in found if (subject := self._subject(size)) is not None]

    def extends(self, size: int, root: bytes, subjects: list[Subject]) -> None:
        """The subjects' trees are this log's, and extend the tree (`size`, `root`).

        Raises `CosignerError("ledger-forked")`.
        """
        with self._standing_still():
            node = tiles.nodes(self._rows.tile)
            last = subjects[-1].head
            try:
                if any(tree.fold(tree.peaks(each.head.size, node)) != each.head.root for each in subjects):
                    raise CosignerError("ledger-forked", log="a checkpoint is not of this tree")
                tree.verify_consistency(
                    first=size,
                    second=last.size,
                    first_root=root,
                    second_root=last.root,
                    proof=tree.consistency_proof(size, last.size, node),
                )
            except LedgerError as error:
                raise CosignerError("ledger-forked", log=str(error)) from error

    def body_at(self, size: int) -> str | None:
        """The committed checkpoint's text."""
        text = self._rows.checkpoint(size)
        return None if text is None else note.split(text)[0]

    def _changes(self) -> list[int]:
        """Sizes of the checkpoints by which the set changed."""
        return [
            size
            for (size,) in self._connection.execute(
                "SELECT (SELECT min(size) FROM checkpoints WHERE size > idx) FROM history WHERE key = ?",
                (state.VALIDATORS,),
            )
            if size is not None
        ]

    def _subject(self, size: int) -> Subject | None:
        head = self._head(size)
        named = head.validators
        if named is None:
            return None
        before = self._rows.one("SELECT max(size) FROM checkpoints WHERE size < ?", size)
        signing = (self._head(before).validators if before is not None else None) or named
        of = self._set(signing, size if signing == named else before)
        return Subject(head, of, signing != named)

    def _head(self, size: int) -> Checkpoint:
        text = self._rows.checkpoint(size)
        assert text is not None
        return checkpoint.parse(note.split(text)[0])

    def _set(self, digest: bytes, size: int) -> ValidatorSet:
        known = self._sets.get(digest)
        if known is None:
            rows = self._rows.state_at(state.VALIDATORS, size)
            known = validators.of(rows or [])
            if known.digest != digest:
                raise LedgerError("ledger-damaged", log=f"the checkpoint of {size} names another validator set")
            self._sets[digest] = known
        return known

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
