"""Check a ledger file against itself: everything in it is derived from the entries, and is derived again here.

 1. the SQLite file is sound, and has a ledger's tables and nothing else (no trigger, no view)
 2. entries are numbered without a gap, canonical, in runs that begin where they should, and under the agency and
    kind they are filed under
 3. replay: every transaction's signature, root and count hold, and every record is accepted by the rules
 4. every checkpoint is signed and has the root of its size; the last one covers all entries
 5. the newest checkpoint noted beside the file (see `newest`) is one of this log: SQLite's own log was not cut
 6. certificates beside the file are of its checkpoints, and hold for the replayed validator sets: those of every
    change, and the newest `CERTIFICATES`
 7. every hash tile, index row and state row is the one the replay made, and there is no other; so are
    the state map, its journal, and its root in every checkpoint
 8. an engine that numbers its blocks ended the last one under the last checkpoint

Each deviation is a finding, also what SQLite itself cannot read. Nothing is repaired.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from gov_chain.core import hot
from gov_chain.ledger import newest, runs, store
from gov_chain.ledger.core import (
    checkpoint,
    entries,
    genesis,
    machine,
    note,
    records,
    rulesets,
    state,
    tiles,
    transaction,
    tree,
    validators,
)
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import REFUSAL_CODES, LedgerError
from gov_chain.ledger.core.quorum import Followed, Link
from gov_chain.ledger.core.state import Value, View, map_only, sequence_key
from gov_chain.ledger.cosigner import certificates
from gov_chain.ledger.map_store import ScratchMap
from gov_chain.ledger.uncollected import uncollected

MAX_FINDINGS = 1000
CERTIFICATES = 1000
"""Newest quorum certificates verified; each takes two milliseconds."""
_FIRSTS = (bytes((records.TRANSACTION,)), bytes((records.GENESIS,)))

Progress = Callable[[int, int], None]
"""Called with (entries done, entries in all)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: file, entry, transaction, rule, checkpoint, certificate, tile, index, state, history, map, journal or
    engine.

    `where` names the row.
    """

    kind: str
    where: str
    detail: str


@dataclass(slots=True)
class Report:
    """What was checked, and what was found wrong. `findings` ends at `MAX_FINDINGS`."""

    entries: int = 0
    transactions: int = 0
    checkpoints: int = 0
    tiles: int = 0
    index_rows: int = 0
    state_rows: int = 0
    map_rows: int = 0
    root: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def add(self, kind: str, where: object, detail: object) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(kind, str(where), str(detail)[:300]))


def check(directory: Path, *, vkey: str = "", progress: Progress | None = None) -> Report:
    """Check the ledger in `directory`. With `vkey`, checkpoints must be signed by that key, not only by genesis's."""
    report = Report()
    try:
        with closing(store.open_reading(directory / store.FILE)) as connection:
            connection.text_factory = lambda data: data.decode(errors="surrogateescape")
            connection.execute("BEGIN")
            with uncollected():
                _Check(directory, connection, report, vkey, progress).run()
    except sqlite3.DatabaseError as error:
        report.add("file", store.FILE, error)
    return report


class _Check:
    def __init__(
        self, directory: Path, connection: sqlite3.Connection, report: Report, vkey: str, progress: Progress | None
    ) -> None:
        self.directory = directory
        self.connection = connection
        self.report = report
        self.vkey = vkey
        self.progress = progress
        self.view = _Replayed()
        self.map = ScratchMap()
        self.map_roots: dict[int, bytes] = {}
        self.validators: dict[int, bytes | None] = {}
        self.leaves: list[bytes] = []
        self.times: list[int] = []
        self.handles: set[tuple[bytes, int]] = set()
        self.headers: set[tuple[bytes, int]] = set()
        self.kinds: set[tuple[int, int]] = set()
        self.ledger_id = b""
        self.checkpoint_key = b""

    def run(self) -> None:
        for step in (
            self._file,
            self._entries,
            self._checkpoints,
            self._newest,
            self._certificates,
            self._tiles,
            self._indexes,
            self._state,
            self._history,
            self._map,
            self._engine,
        ):
            try:
                step()
            except (sqlite3.DatabaseError, OverflowError, LedgerError) as error:
                self.report.add("file", step.__name__.strip("_"), error)

    def _file(self) -> None:
        for pragma, wanted in (("application_id", store.APPLICATION_ID), ("user_version", store.VERSION)):
            found = self.connection.execute(f"PRAGMA {pragma}").fetchone()[0]
            if found != wanted:
                self.report.add("file", pragma, f"{found}, not {wanted}")
        wanted, found = store.schema(), store.definitions(self.connection)
        for name in wanted.keys() | found.keys():
            if wanted.get(name) != found.get(name):
                # A trigger, say, would change what is written later.
                self.report.add("file", f"schema {name}", "is not what a ledger has")
        for (line,) in self.connection.execute("PRAGMA integrity_check(100)"):
            if line != "ok":
                self.report.add("file", "integrity", line)

    def _rows(self) -> Iterator[tuple[int, int, int, bytes]]:
        """(index, kind, agency, body) of every entry in order, with gaps, and runs that begin elsewhere, reported."""
        expected = 0
        for first, agency, kinds, bodies in self.connection.execute(
            "SELECT first, agency, kinds, bodies FROM entries ORDER BY first"
        ):
            if first != expected:
                self.report.add("entry", first, f"follows {expected - 1}")
            expected = first + 1
            if type(kinds) is not bytes:
                self.report.add("index", f"entries from {first}", "their kinds are no bytes")
                continue
            self.kinds.update((kind, first) for kind in kinds)
            expected = first + len(kinds)
            try:
                found = runs.unbundled(first, bodies)
            except LedgerError as error:
                self.report.add("entry", first, error)
                continue
            begins = kinds[:1] in _FIRSTS or first % tiles.WIDTH == 0
            if not begins or records.TRANSACTION in kinds[1:] or first % tiles.WIDTH + len(kinds) > tiles.WIDTH:
                self.report.add("index", f"entries from {first}", "this is not where a run begins or ends")
            if len(found) != len(kinds):
                self.report.add("entry", first, f"{len(found)} entries filed as {len(kinds)}")
            for index, (kind, body) in enumerate(zip(kinds, found, strict=False), first):
                yield index, kind, agency, body

    def _entries(self) -> None:
        total = runs.size(self.connection)
        batch: _Batch | None = None
        sizes = {size for (size,) in self.connection.execute("SELECT size FROM checkpoints")}
        for index, kind, agency, body in self._rows():
            self._at_checkpoint(sizes)
            self.leaves.append(tree.leaf_hash(body))
            self.times.append(self.times[-1] if self.times else 0)
            if self.progress is not None and index % 1000 == 0:
                self.progress(index, total)
            try:
                time, by, record = entries.unwrap(body)
                self.times[-1] = time
                if (record[0], by) != (kind, agency):
                    self.report.add("index", f"entry {index}", "filed under another kind or agency")
                if index == 0:
                    self._genesis(body)
                elif not self.ledger_id:
                    if len(self.leaves) <= 2:
                        self.report.add("entry", index, "there is no genesis to judge it by, nor what follows")
                elif record[0] == records.TRANSACTION:
                    if batch is not None:
                        batch.finish(self.report)
                    batch = self._transaction(index, time, by, record, batch)
                elif batch is None:
                    self.report.add("entry", index, "a record before any transaction")
                else:
                    self._record(batch, index, body, record)
            except LedgerError as error:
                self.report.add("entry", index, error)
                if batch is not None:
                    batch.leaves.append(None)
        if batch is not None:
            batch.finish(self.report)
        self._at_checkpoint(sizes)
        self.report.entries = len(self.leaves)
        self.report.root = tree.root(self.leaves).hex()

    def _at_checkpoint(self, sizes: set[int]) -> None:
        """Bring the state map up to the entries read, if a checkpoint stands here."""
        size = len(self.leaves)
        if size in sizes:
            self.map.write(size, self.view.changed)
            self.map_roots[size] = self.map.root
            self.validators[size] = validators.digest(self.view.get(state.VALIDATORS))
            self.view.changed = {}

    def _genesis(self, body: bytes) -> None:
        self.ledger_id = genesis.ledger_id(body)
        self.view.absorb(machine.found(body))
        self.checkpoint_key = genesis.parse(body).checkpoint_key

    def _transaction(self, index: int, time: int, agency: int, record: list, before: _Batch | None) -> _Batch:  # type: ignore[type-arg]
        if len(record) != 4 or type(record[1]) is not bytes or type(record[2]) is not bytes:
            raise LedgerError("entry-malformed", log="transaction leaf")
        _, header_bytes, signature, notes = record
        self.report.transactions += 1
        self.headers.add((sha256(header_bytes).digest()[: store.HEADER_PREFIX], index))
        header = transaction.parse_header(header_bytes)
        batch = _Batch(index, time, agency, header, notes)
        if before is not None and time < before.time:
            self.report.add("transaction", index, "block time goes back")
        if header.agency != agency:
            self.report.add("transaction", index, "signed by another agency than filed under")
        try:
            window = machine.admit(self.view, header, header_bytes, signature, ledger_id=self.ledger_id, time=time)
            self.view.put(sequence_key(agency, header.key_no), window)
        except LedgerError as error:
            self.report.add("transaction", index, error)
        try:
            batch.ruleset = rulesets.in_force(self.view, index)
        except LedgerError as error:
            self.report.add("rule", index, error)
        return batch

    def _record(self, batch: _Batch, index: int, body: bytes, record: list) -> None:  # type: ignore[type-arg]
        if not body.startswith(batch.prefix):
            self.report.add("entry", index, "not at its transaction's time or by its agency")
        data = body[len(batch.prefix) :]
        batch.leaves.append(tree.leaf_hash(data))
        fitting = records.decode_record(data)
        if isinstance(fitting, str):
            self.report.add("entry", index, fitting)
            return
        handle = records.handle_of(fitting)
        if handle is not None:
            self.handles.add((handle[: store.HANDLE_PREFIX], index))
        act = Act(batch.agency, fitting, batch.time, index, body, self.ledger_id)
        code = rulesets.judge(self.view, act, batch.ruleset) if batch.ruleset is not None else None
        if code is not None:
            self.report.add("rule", index, code)

    def _checkpoints(self) -> None:
        peaks: list[bytes] = []
        grown = last = 0
        for size, time, text in self.connection.execute("SELECT size, time, text FROM checkpoints ORDER BY size"):
            self.report.checkpoints += 1
            try:
                verifier = self._verifier(text)
                head = self._signed(text, verifier)
            except (LedgerError, AttributeError, TypeError) as error:
                self.report.add("checkpoint", size, error)
                continue
            if head.size != size or not 0 < size <= len(self.leaves):
                self.report.add("checkpoint", size, f"is of size {head.size}, there are {len(self.leaves)} entries")
                continue
            tree.grow(peaks, grown, self.leaves[grown:size])
            grown = last = size
            if tree.fold(peaks) != head.root:
                self.report.add("checkpoint", size, "its root is not that of the entries")
            if head.state_root != self.map_roots.get(size):
                self.report.add("checkpoint", size, "its state root is not that of the replayed state")
            if head.validators != self.validators.get(size):
                self.report.add("checkpoint", size, "its validator set is not that of the replayed state")
            if time != self.times[size - 1]:
                self.report.add("checkpoint", size, "filed under another time than its last entry's")
        if last != len(self.leaves):
            self.report.add("checkpoint", last, f"the last checkpoint covers {last} of {len(self.leaves)} entries")

    def _newest(self) -> None:
        text = self.connection.execute("SELECT text FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        try:
            known = newest.read(self.directory, self._verifier(text[0])) if text else None
        except (LedgerError, AttributeError, TypeError) as error:
            self.report.add("checkpoint", newest.FILE, error)
            return
        if known is None:
            return
        if known.size > len(self.leaves):
            self.report.add("checkpoint", newest.FILE, f"{known.size} entries signed, {len(self.leaves)} left")
        elif tree.root(self.leaves[: known.size]) != known.root:
            self.report.add("checkpoint", newest.FILE, "its root is not that of the entries")

    def _signed(self, text: str, verifier: note.Verifier) -> Checkpoint:
        """The checkpoint, signed by the pinned or founding key; in a consortium each node signs its own copy.

        There the body counts, which is compared with the replay, and the quorum's certificate.
        """
        try:
            return checkpoint.verify(text, verifier)
        except LedgerError as error:
            if error.code != "note-unsigned" or self.vkey or state.VALIDATORS not in self.view.written:
                raise
            return checkpoint.parse(note.split(text)[0])

    def _certificates(self) -> None:
        rows = self.view.history_of(state.VALIDATORS)
        path = self.directory / certificates.FILE
        if not rows or not path.exists():
            return
        known = certificates.Certified(self.directory)
        try:
            self._certified(known, rows)
        except LedgerError as error:
            self.report.add("certificate", certificates.FILE, error)
        finally:
            known.close()

    def _certified(self, known: certificates.Certified, rows: list[tuple[int, Value]]) -> None:
        sizes = [size for (size,) in self.connection.execute("SELECT size FROM checkpoints ORDER BY size")]
        sets = [validators.of(value) for _, value in rows]
        origin = self._body(sizes[0]).partition("\n")[0]
        followed = Followed(origin, sets[0])
        for at, (index, _) in enumerate(rows[1:], 1):
            size = next((each for each in sizes if each > index), 0)
            line = known.line(size, self._body(size)) if size else ""
            if not line:
                break
            followed.follow(Link(sets[at].encoding, f"{self._body(size)}\n{line}"))
        for size in known.sizes(CERTIFICATES):
            body = self._body(size)
            try:
                line = known.line(size, body)
                if not line or followed.certify(f"{body}\n{line}") is None:
                    self.report.add("certificate", size, "is of another checkpoint, or of a set that is not followed")
            except LedgerError as error:
                self.report.add("certificate", size, error)

    def _body(self, size: int) -> str:
        row = self.connection.execute("SELECT text FROM checkpoints WHERE size = ?", (size,)).fetchone()
        return note.split(row[0])[0] if row else ""

    def _verifier(self, text: str) -> note.Verifier:
        first = note.Verifier(text.partition("\n")[0], self.checkpoint_key)
        if not self.vkey:
            return first
        pinned = note.parse_vkey(self.vkey)
        signers = {signature[:4] for _, signature in note.split(text)[1]}
        # A consortium's node signs from its first block on: what it started from was signed by who founded the ledger.
        return first if any(self.validators.values()) and pinned.key_id not in signers else pinned

    def _tiles(self) -> None:
        edge = tiles.Edge(0, lambda level, index: b"")
        edge.extend(self.leaves)
        wanted = {store.tile_place(level, index): hashes for level, index, hashes in edge.changed()}
        self.report.tiles = self._compare("tile", "SELECT place, hashes FROM tiles", wanted, _tile_name)

    def _indexes(self) -> None:
        for table, column, place, wanted in (
            ("handles", "handle", "idx", self.handles),
            ("transactions", "header", "idx", self.headers),
            ("kinds", "kind", "first", self.kinds),
        ):
            left = set(wanted)
            for value, index in self.connection.execute(f"SELECT {column}, {place} FROM {table}"):  # noqa: S608
                self.report.index_rows += 1
                if (value, index) in left:
                    left.discard((value, index))
                else:
                    self.report.add("index", f"{table} {index}", "no entry makes this row")
            for _, index in sorted(left, key=lambda pair: pair[1]):
                self.report.add("index", f"{table} {index}", "row is missing")

    def _state(self) -> None:
        wanted = {key: hot.encode(value) for key, value in self.view.written.items() if not map_only(key)}
        self.report.state_rows = self._compare("state", "SELECT key, value FROM state", wanted, _state_name)

    def _history(self) -> None:
        wanted = {key: hot.encode(value) for key, value in self.view.history.items()}
        rows = (((key, at), value) for key, at, value in self.connection.execute("SELECT key, idx, value FROM history"))
        self.report.state_rows += self._compare_rows("history", rows, wanted, _history_name)

    def _map(self) -> None:
        for table in ("map", "map_deep"):
            rows = f"SELECT place, body FROM {table}"  # noqa: S608
            wanted = dict(self.map.connection.execute(rows))
            self.report.map_rows += self._compare("map", rows, wanted, _place_name)
        journal = "SELECT size, part, body FROM map_undo"
        wanted = {(size, part): body for size, part, body in self.map.connection.execute(journal)}
        found = (((size, part), body) for size, part, body in self.connection.execute(journal))
        self._compare_rows("journal", found, wanted, lambda row: f"{row[0]} {row[1]}")

    def _engine(self) -> None:
        last = self.connection.execute("SELECT text FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        for height, app_hash in self.connection.execute("SELECT height, app_hash FROM engine"):
            try:
                signed = note.split(last[0])[0] if last else ""
            except (LedgerError, AttributeError, TypeError):
                signed = ""  # a finding already
            if type(height) is not int or app_hash != sha256(signed.encode()).digest():
                self.report.add("engine", height, "did not end under the last checkpoint")

    def _compare(self, kind: str, query: str, wanted: dict, name: Callable[..., str]) -> int:  # type: ignore[type-arg]
        """Stored rows against those the replay made."""
        return self._compare_rows(kind, self.connection.execute(query), wanted, name)

    def _compare_rows(self, kind: str, rows: Iterable, wanted: dict, name: Callable[..., str]) -> int:  # type: ignore[type-arg]
        count = 0
        for key, value in rows:
            count += 1
            expected = wanted.pop(key, None)
            if expected is None:
                self.report.add(kind, name(key), "no entry makes this row")
            elif value != expected:
                self.report.add(kind, name(key), "is not what the entries make")
        for key in wanted:
            self.report.add(kind, name(key), "row is missing")
        return count


class _Replayed(View):
    """All state the entries make; what they changed since the last checkpoint is in `changed`."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        super().__init__(lambda key: None)
        self.changed: dict[bytes, Value] = {}

    def put(self, key: bytes, value: Value) -> None:
        super().put(key, value)
        self.changed[key] = value

    def history_of(self, key: bytes) -> list[tuple[int, Value]]:
        """(entry, value) of a historic key, oldest first."""
        return sorted(((at, value) for (of, at), value in self.history.items() if of == key), key=lambda row: row[0])

    def absorb(self, other: View) -> None:
        super().absorb(other)
        self.changed.update(other.written)


@dataclass(slots=True)
class _Batch:
    """A transaction while its records are read."""

    index: int
    time: int
    agency: int
    header: transaction.Header
    notes: list  # type: ignore[type-arg]
    leaves: list[bytes | None] = field(default_factory=list)
    ruleset: rulesets.Ruleset | None = None
    """None: this software does not know the rules voted for it."""

    prefix: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.prefix = entries.prefix(self.time, self.agency)

    def finish(self, report: Report) -> None:
        """The accepted records read and the refused ones noted are together what its agency signed."""
        try:
            refused = {position: digest for position, digest, number in self.notes if number in REFUSAL_CODES}
        except (TypeError, ValueError):
            report.add("transaction", self.index, "its refusals are malformed")
            return
        accepted = iter(self.leaves)
        merged = [refused.get(at) or next(accepted, None) for at in range(self.header.count)]
        surplus = next(accepted, None)
        whole = [leaf for leaf in merged if type(leaf) is bytes]
        if len(whole) != self.header.count or surplus is not None or len(refused) != len(self.notes):
            report.add("transaction", self.index, "records are missing, or too many")
        elif tree.root(whole) != self.header.root:
            report.add("transaction", self.index, "its records are not those its agency signed")


def _tile_name(place: object) -> str:
    return f"{place >> 48}/{place & (1 << 48) - 1}" if type(place) is int else repr(place)


def _place_name(place: object) -> str:
    return (
        place.hex() if type(place) is bytes else f"{place & (1 << 64) - 1:016x}" if type(place) is int else repr(place)
    )


def _state_name(key: object) -> str:
    return f"{chr(key[0])}:{key[1:].hex()}" if type(key) is bytes and key else repr(key)


def _history_name(place: tuple[object, object]) -> str:
    return f"{_state_name(place[0])} at {place[1]}"


def describe(report: Report) -> str:
    """The report as text for people."""
    lines = [
        f"{report.entries} entries, {report.transactions} transactions, {report.checkpoints} checkpoints, "
        f"{report.tiles} tiles, {report.index_rows} index rows, {report.state_rows} state rows, "
        f"{report.map_rows} rows of the state map"
    ]
    lines += [f"  {finding.kind} {finding.where}: {finding.detail}" for finding in report.findings]
    return "\n".join(lines)
