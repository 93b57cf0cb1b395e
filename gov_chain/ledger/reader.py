"""Reading the ledger: log, proofs and state. Works in any process, beside the one that writes.

What is returned comes from committed rows. Proofs are made against the latest checkpoint; since tiles only
grow, they need no lock and no snapshot.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cbor2

from gov_chain.ledger import runs, store
from gov_chain.ledger.core import (
    checkpoint,
    entries,
    genesis,
    note,
    past,
    proposals,
    quorum,
    receipt,
    records,
    state,
    state_proof,
    tiles,
    transaction,
    tree,
    validators,
)
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.quorum import Followed, Link
from gov_chain.ledger.core.validators import ValidatorSet
from gov_chain.ledger.cosigner.certificates import Certified
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.map_store import RETAINED, MapAt, value_of
from gov_chain.ledger.outcomes import outcome
from gov_chain.ledger.standing import (
    About,
    AgencyState,
    GrantState,
    IssueState,
    KeyState,
    LogRow,
    MatterState,
    ProposalState,
    StatusState,
    StatutoryState,
    TypeState,
)
from gov_chain.ledger.witness.kept import Shown


class Reader:
    """One ledger directory, read-only. Thread-safe: a connection a thread."""

    def __init__(self, directory: Path, verifier: note.Verifier) -> None:
        self.directory = directory
        self._path = directory / store.FILE
        self._verifier = verifier
        self._local = threading.local()
        self._node = tiles.nodes(self._tile)
        self._counted: tuple[int, dict[int, int]] = (0, {})
        self._genesis = lru_cache(maxsize=1)(lambda: self.entry(0))
        self.time_of = lru_cache(maxsize=8192)(self._time_of)

    @property
    def _rows(self) -> store.Rows:
        rows: store.Rows | None = getattr(self._local, "rows", None)
        if rows is None:
            with contextlib.ExitStack() as unless_good:
                connection = unless_good.enter_context(contextlib.closing(store.open_reading(self._path)))
                store.check_version(connection)
                unless_good.pop_all()
            rows = self._local.rows = store.Rows(connection)
        return rows

    @property
    def _shown(self) -> Shown:
        shown: Shown | None = getattr(self._local, "shown", None)
        if shown is None:
            shown = self._local.shown = Shown(self.directory)
        return shown

    @property
    def _certified(self) -> Certified:
        found: Certified | None = getattr(self._local, "certified", None)
        if found is None:
            found = self._local.certified = Certified(self.directory)
        return found

    def _tile(self, level: int, index: int) -> bytes:
        return self._rows.tile(level, index)

    @property
    def vkey(self) -> str:
        return self._verifier.vkey

    @property
    def ledger_id(self) -> bytes:
        return genesis.ledger_id(self._genesis())

    @property
    def size(self) -> int:
        """Entries under the latest checkpoint."""
        return self.signed()[1].size

    def checkpoint(self) -> str:
        """The latest signed checkpoint, with the certificate and the cosignatures it has by now."""
        return self.head()[0]

    def head(self) -> tuple[str, Checkpoint]:
        """The latest signed checkpoint with its certificate and cosignatures, as text and parsed."""
        return self._with_lines(*self.signed())

    def _with_lines(self, text: str, head: Checkpoint) -> tuple[str, Checkpoint]:
        return text + self._certified.line(head.size, head.text) + self._shown.lines(head.text), head

    def certified(self, least: int = 1) -> tuple[str, Checkpoint] | None:
        """The largest checkpoint that a quorum certifies, if it has `least` entries; None if there is none.

        It follows the latest checkpoint by a moment; a proof under it is worth more than one under a checkpoint that
        only this node has signed.
        """
        size = self._certified.latest()
        text = self._rows.checkpoint(size) if size >= max(least, 1) else None
        if text is None:
            return None
        found, head = self._with_lines(text, checkpoint.parse(note.split(text)[0]))
        return (found, head) if found != text else None

    def _best(self, least: int) -> tuple[str, Checkpoint]:
        """The checkpoint for a proof about the first `least` entries: a certified one, or else the latest.

        Not one so old that the state under it might be let go of while it is read.
        """
        found = self.certified(least)
        if found is not None:
            newer = self._rows.one(
                "SELECT count(*) FROM (SELECT 1 FROM checkpoints WHERE size > ? LIMIT ?)", found[1].size, RETAINED // 2
            )
            if newer < RETAINED // 2:
                return found
        return self.head()

    def first_validators(self) -> ValidatorSet | None:
        """The set that verifiers pin; None when the ledger never had validators."""
        rows = self._rows.one("SELECT value FROM history WHERE key = ? ORDER BY idx LIMIT 1", state.VALIDATORS)
        return None if rows is None else validators.of(value_of(rows))

    @property
    def quorum_vkey(self) -> str:
        """The first set as a verifier key; empty when the ledger never had validators."""
        first = self.first_validators()
        return "" if first is None else quorum.vkey(self.signed()[1].origin, first.digest)

    def validator_sets(self, since: bytes | None = None) -> list[tuple[ValidatorSet, str]]:
        """Every set, with the certified checkpoint that names it (the first: empty); after the one of digest `since`.

        It ends before a change that has no certificate yet. Raises `LedgerError("validators-unknown")`.
        """
        found: list[tuple[ValidatorSet, str]] = []
        query = (
            "SELECT value, (SELECT min(size) FROM checkpoints WHERE size > idx) FROM history WHERE key = ? ORDER BY idx"
        )
        for value, size in self._rows.connection.execute(query, (state.VALIDATORS,)):
            text = ""
            if found:
                signed = self._rows.checkpoint(size) if size is not None else None
                line = self._certified.line(size, note.split(signed)[0]) if signed is not None else ""
                if signed is None or not line:
                    break
                text = signed + line
            found.append((validators.of(value_of(value)), text))
        if since is None:
            return found
        for at, (each, _) in enumerate(found):
            if each.digest == since:
                return found[at + 1 :]
        raise LedgerError("validators-unknown", log=since.hex())

    def followed(self) -> Followed | None:
        """What a verifier who pinned the first set believes; None when the ledger never had validators."""
        sets = self.validator_sets()
        if not sets:
            return None
        links = [Link(each.encoding, text) for each, text in sets[1:]]
        return Followed(self.signed()[1].origin, sets[0][0], links)

    def signed(self) -> tuple[str, Checkpoint]:
        """The latest checkpoint under the log's own signature alone, as text and parsed."""
        text = self._rows.checkpoint()
        if text is None:
            raise LedgerError("ledger-missing")
        return text, checkpoint.parse(note.split(text)[0])

    def cosigned(self) -> str | None:
        """The largest checkpoint that a witness has cosigned; None if there is none."""
        for size in self._shown.sizes():
            text = self._rows.one("SELECT text FROM checkpoints WHERE size = ?", size)
            lines = self._shown.lines(note.split(text)[0]) if text is not None else ""
            if lines:
                return str(text) + lines
        return None

    def root_at(self, size: int) -> bytes:
        """The log's root when it had `size` entries, from its tiles."""
        return tree.fold(tree.peaks(size, self._node))

    def entry(self, index: int) -> bytes:
        """Raises `LedgerError("entry-unknown")`."""
        found = self._rows.entry(index) if 0 <= index < 2**63 else None
        if found is None:
            raise LedgerError("entry-unknown", log=str(index))
        return found

    def _time_of(self, index: int) -> int:
        """`time_of`: an entry's block time, in seconds. An entry never changes, so what was read is kept.

        It stands first in the entry's array (`core.entries`): nine bytes hold it, however large the entry is.
        """
        time: int = cbor2.loads(self.entry(index)[1:10])
        return time

    def receipt(self, index: int) -> str:
        """Proof that entry `index` is in the log, against a certified checkpoint if there is one that covers it.

        Else against the latest. Raises `entry-unknown`.
        """
        text, head = self._best(index + 1)
        proof = tree.inclusion_proof(index, head.size, self._node)
        return receipt.build(entry=self.entry(index), index=index, proof=proof, checkpoint=text)

    def state_proof(self, key: bytes, size: int | None = None) -> str:
        """Proof of a key's value, or that there is none, under the checkpoint of `size`.

        By default under the newest one that is certified, in a ledger with validators, else under the latest.

        Raises `LedgerError`: state-key-unknown, checkpoint-not-retained.
        """
        return self.state_proofs([key], size)[0]

    def state_proofs(self, keys: Sequence[bytes], size: int | None = None) -> list[str]:
        """Proofs of several keys, all under one checkpoint."""
        if any(not key or key[0] not in state.MAPPED for key in keys):
            raise LedgerError("state-key-unknown")
        with self._standing_still():
            text = self._best(1)[0] if size is None else self._rows.checkpoint(size)
            if text is None:
                raise LedgerError("checkpoint-not-retained", log=str(size))
            return self._state_proofs(keys, text)

    def _state_proofs(self, keys: Iterable[bytes], text: str) -> list[str]:
        at = MapAt(self._rows.connection, checkpoint.parse(note.split(text)[0]).size)
        return [state_proof.build(key=key, found=at.lookup(key), checkpoint=text) for key in keys]

    def about(self, prefix: bytes, limit: int) -> About:
        """All there is about handles that begin with `prefix` (2–8 bytes), under one checkpoint.

        Raises `LedgerError("prefix-too-short")` when that is more than `limit` entries.
        """
        with self._standing_still():
            known = self.handle_entries(prefix)
            text, head = self._best(max(known, default=0) + 1)
            indexes = [index for index in known if index < head.size]
            if len(indexes) > limit:
                raise LedgerError("prefix-too-short", log=prefix.hex())
            receipts = []
            handles: dict[bytes, None] = {}
            for index in indexes:
                entry = self.entry(index)
                proof = tree.inclusion_proof(index, head.size, self._node)
                receipts.append(receipt.build(entry=entry, index=index, proof=proof, checkpoint=text))
                handle = records.handle_of(entries.unwrap(entry)[2])
                if handle is not None:
                    handles[handle] = None
            return About(text, receipts, self._state_proofs(map(state.grant_key, handles), text))

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """One moment of the ledger for several reads."""
        connection = self._rows.connection
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Proof that the log of `second` entries extends that of `first`."""
        if second > self.size:
            raise LedgerError("entry-unknown", log=str(second))
        return tree.consistency_proof(first, second, self._node)

    def tile(self, level: int, index: int) -> bytes:
        """What there is of a hash tile under the latest checkpoint; empty if nothing."""
        width = min(tiles.WIDTH, (self.size >> tiles.HEIGHT * level) - index * tiles.WIDTH)
        return self._rows.tile(level, index)[: width * 32] if width > 0 else b""

    def entries(
        self, after: int = -1, limit: int = 100, kind: int | None = None, agency: int | None = None
    ) -> list[LogRow]:
        """Entries with index > `after`, oldest first, at most `limit`, of one kind or agency if given."""
        found = runs.selected(self._rows.connection, after=after, kind=kind, agency=agency, newest=False)
        return [LogRow(index, entries.parse(body)) for index, body in islice(found, limit)]

    def latest(self, limit: int = 100, kind: int | None = None, agency: int | None = None) -> list[LogRow]:
        """The newest entries, newest first."""
        found = runs.selected(self._rows.connection, after=-1, kind=kind, agency=agency, newest=True)
        return [LogRow(index, entries.parse(body)) for index, body in islice(found, limit)]

    def transaction_of(self, index: int) -> int | None:
        """The leaf of the transaction an entry came in (its own index if it is one); None for genesis."""
        return runs.transaction_of(self._rows.connection, index, records.TRANSACTION)

    def bodies(self, start: int, count: int) -> list[bytes]:
        """Entries `start` … `start + count - 1`, as far as the latest checkpoint covers them."""
        return list(self._rows.entries(start, min(start + count, self.size)))

    def handle_entries(self, prefix: bytes) -> list[int]:
        """Indexes of every entry about handles that begin with `prefix` (1–32 bytes), in log order."""
        start = prefix[: store.HANDLE_PREFIX]
        end = start + b"\xff" * (store.HANDLE_PREFIX - len(start))
        found = self._rows.connection.execute(
            "SELECT idx FROM handles WHERE handle BETWEEN ? AND ? ORDER BY idx", (start, end)
        )
        return [index for (index,) in found]

    def outcome(self, body: bytes) -> Committed | None:
        """What became of a signed transaction, if it is in the log."""
        return outcome(self._rows, transaction.parse(body))

    def highest_sequence(self, agency: int, key_no: int) -> int:
        found = self._rows.state(state.sequence_key(agency, key_no))
        return int(found[0]) if found else 0

    def state_at(self, key: bytes, size: int | None = None) -> state.Value | None:
        """A key's value, now or when the log had `size` entries; sequence windows are not kept.

        Raises `LedgerError("entry-unknown")` for a size the log has not reached.
        """
        if size is None:
            return self._rows.state(key)
        if not 0 <= size <= self.size:
            raise LedgerError("entry-unknown", log=f"size {size}")
        letter = key[:1]
        if key[0] in state.HISTORIC:
            return self._rows.state_at(key, size)
        if letter == b"g":
            return past.grant(self._about(key[1:], size))
        found = self._rows.state(key)
        if found is None or letter == b"i":
            return found if found is not None and found[4] < size else None
        if letter == b"u":
            return [row for row in found if max(row[5], row[6]) < size] or None
        raise LedgerError("state-key-unknown", log=repr(letter))

    def _about(self, handle: bytes, size: int) -> list[tuple[int, bytes]]:
        """Entries about a handle among the first `size`."""
        found = ((index, self.entry(index)) for index in self.handle_entries(handle) if index < size)
        return [(index, body) for index, body in found if records.handle_of(entries.unwrap(body)[2]) == handle]

    def agency(self, number: int, at: int | None = None) -> AgencyState:
        """An agency, now or when the log had `at` entries; raises `LedgerError` agency-unknown or entry-unknown."""
        found = self.state_at(state.agency_key(number), at) if 0 <= number < 2**16 else None
        if found is None:
            raise LedgerError("agency-unknown", log=f"agency {number}")
        key_no, ledger_key, issue_key, request_key, profile, types, suspended, powers, index = found
        return AgencyState(
            number,
            key_no,
            ledger_key,
            issue_key,
            request_key,
            profile,
            tuple(each for each in types if each != proposals.HOME),
            proposals.HOME in types,
            bool(suspended),
            tuple((power, limit) for power, limit in powers),
            index,
        )

    def agencies(self, at: int | None = None) -> list[AgencyState]:
        """Every agency, suspended ones too, by number."""
        active, suspended = self.state_at(state.CONSORTIUM, at) or ([], [])
        return [self.agency(number, at) for number in sorted([*active, *suspended])]

    def accredited(self, agency: int, type: int, at: int | None = None) -> bool:
        """Whether the agency may issue (or, before anyone registered it, register) the type: accredited, not suspended.

        `at`: when the log had that many entries; for a record, its index."""
        try:
            found = self.agency(agency, at)
        except LedgerError as error:
            if error.code != "agency-unknown":
                raise
            return False
        return type in found.types and not found.suspended

    def history(self, key: bytes, size: int) -> list[tuple[int, state.Value]]:
        """(entry, value it wrote) of a historic key among the first `size` entries, oldest first."""
        return self._rows.history(key, size)

    def key(self, agency: int, key_no: int, at: int | None = None) -> KeyState | None:
        """An agency's keys, also those it uses no more; `at`: as known when the log had that many entries."""
        known = 0 <= agency < 2**16 and 0 <= key_no < 2**16
        found = self.state_at(state.key_key(agency, key_no), at) if known else None
        return None if found is None else KeyState(agency, key_no, *found)

    def proposal(self, number: int, at: int | None = None) -> ProposalState | None:
        found = self.state_at(state.proposal_key(number), at) if 0 <= number < 2**32 else None
        if found is None:
            return None
        proposer, action, expires, index, voters, votes, effect = found
        cast = tuple((agency, yes) for agency, yes in votes)
        return ProposalState(number, proposer, tuple(action), expires, index, tuple(voters), cast, effect)

    def proposals(self, limit: int = 100) -> list[ProposalState]:
        """The newest proposals, newest first."""
        (latest,) = self._rows.state(state.PROPOSALS) or [0]
        found = (self.proposal(number) for number in range(latest, max(latest - limit, 0), -1))
        return [each for each in found if each is not None]

    def parameter(self, number: int, at: int | None = None) -> int:
        """A parameter of `proposals.PARAMETERS`."""
        found = self.state_at(state.parameter_key(number), at)
        return proposals.PARAMETERS[number].default if found is None else int(found[0])

    def rules_schedule(self, at: int | None = None) -> list[tuple[int, int, int]]:
        """(rules version, from height, index of the vote), in order."""
        return [(version, height, index) for version, height, index in self.state_at(state.RULES, at) or []]

    def status(self, type: int, list: int, at: int | None = None) -> StatusState | None:
        """A status list of a type: its latest version, and the digest it was published with."""
        known = 0 <= type < 2**16 and 0 <= list < 2**16
        found = self.state_at(state.status_key(type, list), at) if known else None
        return None if found is None else StatusState(type, list, *found)

    def statutory(self, tag: bytes, at: int | None = None) -> tuple[StatutoryState, ...]:
        """Statutory uses that carry this tag (one, unless an agency revealed a tag another had used)."""
        return tuple(StatutoryState(*row) for row in self.state_at(state.tag_key(tag), at) or [])

    def type(self, number: int, version: int | None = None, at: int | None = None) -> TypeState | None:
        """A certificate type's version (the latest if not named)."""
        known = self.state_at(state.type_key(number), at) if 0 <= number < 2**16 else None
        if known is None:
            return None
        version = known[1] if version is None else version
        found = self.state_at(state.type_version_key(number, version), at) if 0 <= version < 2**16 else None
        return None if found is None else TypeState(number, version, known[0], found[0], tuple(found[1]), found[2])

    def matter(self, number: int, version: int | None = None, at: int | None = None) -> MatterState | None:
        """A matter's version (if not named: the one in force, or the latest if none is)."""
        known = self.state_at(state.matter_key(number), at) if 0 <= number < 2**16 else None
        if known is None:
            return None
        agency, latest, in_force = known
        version = (in_force or latest) if version is None else version
        found = self.state_at(state.matter_version_key(number, version), at) if 0 <= version < 2**16 else None
        if found is None:
            return None
        digest, types, max_life, max_uses, retention, approvals, index = found
        return MatterState(
            number,
            version,
            agency,
            digest,
            tuple((of, at, required, optional) for of, at, required, optional in types),
            max_life,
            max_uses,
            retention,
            tuple((of, at) for of, at in approvals),
            version == in_force,
            index,
        )

    def issue(self, commitment: bytes) -> IssueState | None:
        """Who anchored a certificate, as what, and when."""
        found = self._rows.state(state.issue_key(commitment))
        return None if found is None else IssueState(*found)

    def grant(self, handle: bytes, at: int | None = None) -> GrantState | None:
        found = self.state_at(state.grant_key(handle), at)
        if found is None:
            return None
        recorder, matter, version, masks, not_after, uses, withdrawn, index, chain = found
        return GrantState(
            recorder, matter, version, tuple(masks), not_after, uses, bool(withdrawn), withdrawn, index, chain
        )

    def counts(self) -> dict[int, int]:
        """Number of entries by kind. What was counted once is not counted again: the log only grows."""
        size = self._rows.size()
        start, known = self._counted if self._counted[0] <= size else (0, {})
        counts = dict(known)
        for kind, count in runs.count(self._rows.connection, start, size).items():
            counts[kind] = counts.get(kind, 0) + count
        counts = dict(sorted(counts.items()))
        self._counted = size, counts
        return dict(counts)

    def close(self) -> None:
        """Close this thread's connection."""
        rows: store.Rows | None = getattr(self._local, "rows", None)
        if rows is not None:
            rows.connection.close()
            del self._local.rows
        shown: Shown | None = getattr(self._local, "shown", None)
        if shown is not None:
            shown.close()
            del self._local.shown
        certified: Certified | None = getattr(self._local, "certified", None)
        if certified is not None:
            certified.close()
            del self._local.certified
