"""The cosigner: signs what its own node committed, gathers the others' shares, and joins them into certificates.

Its one turn, `work`, run after every commit and every share that came in:

 1. read the checkpoints committed since the last turn, and hold them against the last one signed: every tree is the
    log's own, and extends that one                                                        nothing is durable
 2. sign each, in order, a size once; write size, statement and signature to the memory    durable: what was signed
 3. only then hand the shares out
 4. join what came in, where more than two thirds agree with the own log; write the
    certificates                                                                           durable: certificates

A crash between 2 and 3 hands out the same shares later. A wrong share is named by who sent it, and ignored. A right
one about another checkpoint of the same size is kept, shown to the others, and with its key's other share is evidence.

It signs only once it has heard, from so many validators that they and itself are a quorum, how far they have seen its
own key go. A memory restored from a backup is known by that, and signs nothing.

Without a secret it signs nothing and joins all the same: an observer.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from gov_chain.core.errors import GovChainError
from gov_chain.ledger.bell import Bell
from gov_chain.ledger.core import bls, quorum
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.cosigner.certificates import Certificates, Certified
from gov_chain.ledger.cosigner.errors import CosignerError
from gov_chain.ledger.cosigner.log import Log, Subject
from gov_chain.ledger.cosigner.memory import Memory, Signed
from gov_chain.ledger.cosigner.shares import MOST, Share

log = logging.getLogger(__name__)

AHEAD = 1024
"""Shares of one peer that may wait for this node's own commits."""
PENDING = 1024
"""Checkpoints that may wait for shares; the oldest are given up first."""
LOOK = 1.0
"""Seconds after which the store is looked at without a ring."""
SHOWN = 16
"""Strange shares shown to others."""


@dataclass(slots=True)
class _Pending:
    subject: Subject
    digest: bytes
    shares: dict[int, dict[str, bytes]] = field(default_factory=dict)
    """Place in the set → source → signature. More than one only if someone speaks in another's name."""


@dataclass(slots=True)
class Told:
    """What a peer's answer held."""

    source: str
    bls_key: bytes | None
    shares: list[Share]
    seen: list[Share]
    strange: list[Share]


@dataclass(frozen=True, slots=True)
class Standing:
    """For status pages and metrics."""

    agency: int | None
    committed: int
    signed: int
    certified: int
    missing: tuple[int, ...]
    """Agencies whose validators have not signed lately."""
    heard: dict[int, int]
    """Agency → the largest size its share came for."""
    wrong: dict[str, int]
    """Peer → wrong shares."""
    equivocating: int
    stopped: str
    """Code of what stopped the signing; empty while it goes on."""


class Cosigner:
    """One node's. `work` is for one thread; the other methods are for any."""

    def __init__(
        self,
        ledger: Path,
        *,
        memory: Callable[[bytes], Memory] | None = None,
        secret: bytes | None = None,
    ) -> None:
        """`memory` is opened with the ledger's id. Raises `LedgerError` or `CosignerError`."""
        self._log = Log(ledger)
        self._bell = Bell(ledger, "cosigner")
        self._certificates = Certificates(ledger)
        self._secret = secret
        self.bls_key = None if secret is None else bls.sk_to_pk(secret)
        self._memory = None if memory is None else memory(self._log.ledger_id)
        self._last = None if self._memory is None else self._memory.last()
        certified = Certified(ledger)
        self._certified = self._before = self.start = certified.latest()
        self._heard = certified.heard()
        certified.close()
        self._seen_to = self.start
        self._incoming: SimpleQueue[Told] = SimpleQueue()
        self._pending: dict[int, _Pending] = {}
        self._early: dict[str, dict[int, Share]] = {}
        self._recent: dict[tuple[bytes, int], Share] = {}
        self._seen: dict[str, Share] = {}
        self._strange: list[Share] = []
        self._answered: dict[str, bytes] = {}
        """Peer → the one key it speaks for: nobody makes a quorum by naming others' keys."""
        self._wrong: dict[str, int] = {}
        self._equivocating = 0
        self._stopped = ""
        self._closing = threading.Event()
        self._room = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._committed = self._log.size()
        self._validators = self._log.current()

    # For the peers' threads.

    def tell(self, told: Told) -> None:
        """Take what a peer said; waits while too much of it is ahead of the own log."""
        with self._room:
            self._room.wait_for(
                lambda: (
                    self._closing.is_set() or len(self._early.get(told.source, ())) + len(told.shares) <= AHEAD + MOST
                )
            )
        self._incoming.put(told)
        self._bell.ring()

    # For the door.

    def shares(self, after: int) -> list[Share]:
        """Own shares beyond a size, at most `MOST`."""
        return [] if self._memory is None else self._memory.after(after, MOST)

    def seen(self, key: bytes) -> list[Share]:
        """The last share of a key that each peer gave: its owner learns how far it once was."""
        return [share for share in list(self._seen.values()) if share.bls_key == key]

    def strange(self) -> list[Share]:
        """Right shares about other checkpoints than this node's."""
        return list(self._strange)

    def on_signed(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def standing(self) -> Standing:
        of = self._validators
        agencies = {} if of is None else {each.bls_key: each.agency for each in of.validators}
        heard = {agency: self._heard.get(key, 0) for key, agency in agencies.items()}
        return Standing(
            agency=None if self.bls_key is None else agencies.get(self.bls_key),
            committed=self._committed,
            signed=0 if self._last is None else self._last.share.size,
            certified=self._certified,
            missing=tuple(agency for agency, size in heard.items() if size < self._before),
            heard=heard,
            wrong=dict(self._wrong),
            equivocating=self._equivocating,
            stopped=self._stopped,
        )

    def evidence(self) -> list[tuple[Share, Share]]:
        return [] if self._memory is None else self._memory.evidence()

    # The worker.

    def run(self) -> None:
        """Until `close`."""
        while not self._closing.is_set():
            self.work()
            self._bell.wait(LOOK)

    def work(self) -> None:
        """One turn. An error of the ledger or the disk stops nothing but the turn; a fork stops the signing."""
        try:
            self._hear()
            self._advance()
            self._join()
        except (LedgerError, sqlite3.Error, OSError) as error:
            log.error("cosigner: %s", error)

    def close(self) -> None:
        self._closing.set()
        with self._room:
            self._room.notify_all()
        self._bell.ring()

    def release(self) -> None:
        """After `run` has ended."""
        self._log.close()
        self._certificates.close()
        self._bell.close()

    def _advance(self) -> None:
        subjects = self._log.subjects(self._seen_to)
        self._committed = self._log.size()
        if subjects:
            self._validators = self._log.current()
            for each in subjects:
                if each.head.size > self.start:
                    self._pending[each.head.size] = _Pending(each, sha256(each.head.text.encode()).digest())
                    self._resume(each.head.size)
            self._seen_to = subjects[-1].head.size
        while len(self._pending) > PENDING:
            oldest = next((size for size, each in self._pending.items() if not each.subject.changes), None)
            if oldest is None:
                break
            del self._pending[oldest]
        if self._secret is not None and not self._stopped:
            self._sign()

    def _resume(self, size: int) -> None:
        """A share signed before a restart counts again."""
        signed = self._memory.at(size) if self._memory is not None and self._last is not None else None
        if signed is not None:
            self._take("", signed)

    def _sign(self) -> None:
        assert self._secret is not None
        assert self._memory is not None
        after, root = (0, None) if self._last is None else (self._last.share.size, self._last.root)
        try:
            self._recognise()
        except CosignerError as error:
            self._stop(error)
            return
        due = [each for each in self._log.subjects(after) if each.validators.position(self.bls_key or b"") is not None]
        if not due or not self._may_sign(due[0]):
            return
        try:
            if root is not None:
                self._log.extends(after, root, due)
            signed = [self._signed(each) for each in due]
            # Durable before anyone hears of it.
            self._memory.remember(signed)
        except GovChainError as error:
            if not isinstance(error, CosignerError):
                raise
            self._stop(error)
            return
        self._last = signed[-1]
        for each in signed:
            self._take("", each.share)
        for listener in self._listeners:
            listener()

    def _recognise(self) -> None:
        """The log still has the checkpoint signed last, to the letter; raises `CosignerError("ledger-forked")`."""
        if self._last is None or self._log.size() < self._last.share.size:
            return
        text = self._log.body_at(self._last.share.size)
        if text is None or sha256(text.encode()).digest() != self._last.share.body_digest:
            raise CosignerError("ledger-forked", log=f"another checkpoint of {self._last.share.size}")

    def _signed(self, subject: Subject) -> Signed:
        assert self._secret is not None
        assert self.bls_key is not None
        head, of = subject.head, subject.validators
        signature = bls.sign(self._secret, quorum.statement_of(head, of.digest))
        body = sha256(head.text.encode()).digest()
        return Signed(Share(self.bls_key, head.size, of.digest, body, signature), head.root, subject.changes)

    def _may_sign(self, subject: Subject) -> bool:
        """Enough validators have said how far they saw this key go, and this memory is not behind them."""
        of = subject.validators
        known = {self.bls_key, *self._answered.values()}
        return of.is_quorum(sum(each.power for each in of.validators if each.bls_key in known))

    def _stop(self, error: CosignerError) -> None:
        self._stopped = error.code
        log.critical("cosigner: signs nothing more: %s", error)

    # What peers say.

    def _hear(self) -> None:
        while True:
            try:
                told = self._incoming.get_nowait()
            except Empty:
                break
            if told.bls_key is not None:
                self._answered[told.source] = told.bls_key
            self._look_back(told.seen)
            for each in told.shares:
                if each.bls_key == told.bls_key:
                    self._take(told.source, each)
            for each in told.strange:
                self._hold_against(each)
        self._settle_early()

    def _look_back(self, seen: Iterable[Share]) -> None:
        """A share of the own key that the memory does not know."""
        if self._memory is None or self._stopped:
            return
        last = 0 if self._last is None else self._last.share.size
        for each in seen:
            if each.bls_key == self.bls_key and each.size > last and each.verifies():
                self._stop(CosignerError("cosigner-memory-old", log=f"signed up to {each.size}, remembers {last}"))

    def _take(self, source: str, share: Share) -> None:
        """File a share where it belongs; nothing of it is verified yet."""
        if source:
            self._seen[source] = share
        if share.size > self._seen_to:
            self._early.setdefault(source, {})[share.size] = share
            return
        pending = self._pending.get(share.size)
        if pending is None:
            self._note(share)
            return
        place = pending.subject.validators.position(share.bls_key)
        if place is None:
            return
        if (share.set_digest, share.body_digest) != (pending.subject.validators.digest, pending.digest):
            self._differs(source, share)
            return
        pending.shares.setdefault(place, {})[source] = share.signature
        self._remember_recent(share)

    def _settle_early(self) -> None:
        """Shares that came before the own commit."""
        settled = False
        for source, waiting in self._early.items():
            for size in [size for size in waiting if size <= self._seen_to]:
                self._take(source, waiting.pop(size))
                settled = True
        if settled:
            with self._room:
                self._room.notify_all()

    def _note(self, share: Share) -> None:
        """Of a checkpoint that has its certificate already, or is not of this log: says how far its key is."""
        if self._heard.get(share.bls_key, 0) < min(self._before, share.size) and share.verifies():
            self._heard[share.bls_key] = share.size
        self._remember_recent(share)

    def _differs(self, source: str, share: Share) -> None:
        """A share of a size this log has, about something else."""
        if not share.verifies():
            self._blame(source)
            return
        log.critical("cosigner: a validator signed another checkpoint of %s entries than this node has", share.size)
        if share not in self._strange:
            self._strange = [*self._strange, share][-SHOWN:]
        self._hold_against(share)

    def _hold_against(self, share: Share) -> None:
        """Two right shares of one key and size that differ are evidence."""
        other = self._recent.get((share.bls_key, share.size))
        if other is None or other.body_digest == share.body_digest or self._memory is None:
            return
        if other.verifies() and share.verifies() and self._memory.accuse(other, share):
            self._equivocating += 1
            log.critical("cosigner: a validator signed two checkpoints of %s entries: evidence is kept", share.size)

    def _remember_recent(self, share: Share) -> None:
        self._recent[share.bls_key, share.size] = share
        while len(self._recent) > 64 * PENDING:
            del self._recent[next(iter(self._recent))]

    def _blame(self, source: str) -> None:
        self._wrong[source] = self._wrong.get(source, 0) + 1
        log.warning("cosigner: %s offers a wrong share; ignored", source or "this node")

    def _join(self) -> None:
        self._settle_early()
        made: list[tuple[Any, str, bool]] = []
        for size in sorted(self._pending):
            line = self._joined(self._pending[size])
            if line:
                subject = self._pending.pop(size).subject
                made.append((subject.head, line, subject.changes))
        if not made:
            return
        # Durable with this; readers show it from here on.
        self._certificates.keep(made, self._heard)
        self._before, self._certified = self._certified, max(self._certified, made[-1][0].size)

    def _joined(self, pending: _Pending) -> str:
        """The certificate's line, once there are enough right shares; empty before that."""
        subject = pending.subject
        of = subject.validators
        while of.is_quorum(of.power(pending.shares)):
            chosen = {place: next(iter(offers.items())) for place, offers in pending.shares.items()}
            shares = {place: signature for place, (_, signature) in chosen.items()}
            certificate, wrong = quorum.join(shares, subject.head, of)
            for place in wrong:
                source, _ = chosen[place]
                self._blame(source)
                del pending.shares[place][source]
                if not pending.shares[place]:
                    del pending.shares[place]
            if certificate is not None:
                for place in certificate.signers:
                    key = of.validators[place].bls_key
                    self._heard[key] = max(self._heard.get(key, 0), subject.head.size)
                return quorum.line(certificate, origin=subject.head.origin, count=len(of.validators))
        return ""
