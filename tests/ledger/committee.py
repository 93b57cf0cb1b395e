"""Four agencies' nodes, each with its own ledger and cosigner, fed the same transactions in the same order.

What an engine would do is done by hand: `Committee.submit` gives every node the same block. `exchange` lets every
cosigner that is up ask every other once; nothing goes over a network here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gov_chain.ledger.core import bls, quorum, records, state, validators
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.genesis import Genesis
from gov_chain.ledger.core.quorum import Followed, Link
from gov_chain.ledger.core.validators import ValidatorSet
from gov_chain.ledger.cosigner.cosigner import Cosigner, Told
from gov_chain.ledger.cosigner.memory import Memory
from gov_chain.ledger.cosigner.shares import Share, from_json
from tests.ledger.test_validators import consortium
from tests.ledger.town import DIGEST, ORIGIN, START, Town, bls_secret

NOTE = records.evidence(evidence=1, digest=DIGEST)


class Node:
    """One agency's: a ledger and, while it is up, a cosigner."""

    def __init__(self, directory: Path, agency: int, founding: Genesis, key: int | None = None) -> None:
        self.agency = agency
        self.key = key or agency
        self.town = Town(directory / "ledger", genesis=founding)
        self.keys = directory / "cosigner"
        self.keys.mkdir()
        self.cosigner: Cosigner | None = None

    @property
    def name(self) -> str:
        return f"https://node-{self.agency}.example"

    @property
    def up(self) -> Cosigner:
        assert self.cosigner is not None
        return self.cosigner

    def start(self, *, new: bool = True) -> Cosigner:
        secret = bls_secret(self.key)

        def memory(ledger_id: bytes) -> Memory:
            return Memory(self.keys, ledger_id=ledger_id, bls_key=bls.sk_to_pk(secret), new=new)

        self.cosigner = Cosigner(self.town.directory, memory=memory, secret=secret)
        return self.cosigner

    def stop(self) -> None:
        if self.cosigner is not None:
            self.cosigner.close()
            self.cosigner.release()
            self.cosigner = None


Tamper = Callable[[Share], Share]


class Committee:
    def __init__(self, directory: Path, *, agencies: int = 4, validators: int = 4) -> None:
        self.genesis = consortium(agencies, *[1] * validators)
        self.nodes = [Node(directory / str(number), number, self.genesis) for number in range(1, agencies + 1)]
        self.tamper: dict[int, Tamper] = {}
        """Agency → what it makes of its shares before it shows them."""
        for each in self.nodes[:validators]:
            each.start()

    def node(self, agency: int) -> Node:
        return self.nodes[agency - 1]

    def submit(self, agency: int, *batch: bytes) -> None:
        """Every node commits this block."""
        for each in self.nodes:
            each.town.clock.now = self.nodes[0].town.clock.now
            done = each.town.submit(agency, *batch)
            assert not done.refused

    def note(self, count: int = 1) -> int:
        """So many blocks of one record; the ledger's size."""
        for _ in range(count):
            self.submit(1, NOTE)
        return self.nodes[0].town.reader.size

    def exchange(self, rounds: int = 2) -> None:
        """Every cosigner has a turn and asks every other; then once more."""
        for _ in range(rounds):
            running = [each for each in self.nodes if each.cosigner is not None]
            for each in running:
                each.up.work()
            for asking in running:
                for asked in running:
                    if asked is not asking:
                        asking.up.tell(self.told(asked, asking))
            for each in running:
                each.up.work()

    def told(self, asked: Node, asking: Node) -> Told:
        """What one says to the other, through the wire's form."""
        change = self.tamper.get(asked.agency, lambda share: share)
        shares = [change(each) for each in asked.up.shares(0)]
        key = asking.up.bls_key
        return Told(
            asked.name,
            asked.up.bls_key,
            [_wire(each) for each in shares],
            [_wire(each) for each in asked.up.seen(key)] if key is not None else [],
            [_wire(each) for each in asked.up.strange()],
        )

    def vote(self, *action: object) -> None:
        """Proposed by agency 1 and voted for by all it takes; each in a second of its own."""
        self.tick()
        number = (self.nodes[0].town.reader.state_at(state.PROPOSALS) or [0])[0] + 1
        expires = int(self.nodes[0].town.clock.now) + 86400
        self.submit(1, records.propose(proposal=number, action=list(action), expires=expires))
        voter = 2
        while not self.proposal(number)[6]:
            self.tick()
            self.submit(voter, records.vote(proposal=number, yes=True))
            voter += 1

    def proposal(self, number: int) -> list:  # type: ignore[type-arg]
        return self.nodes[0].town.reader.state_at(state.proposal_key(number)) or []

    def tick(self) -> None:
        self.nodes[0].town.clock.pass_time(1)

    def first_set(self) -> ValidatorSet:
        rows = [[each.agency, each.consensus_key, each.bls_key, each.power] for each in self.genesis.validators]
        return validators.of(rows)

    def pin(self) -> str:
        return quorum.vkey(ORIGIN, self.first_set().digest)

    def close(self) -> None:
        for each in self.nodes:
            each.stop()
            each.town.engine.close()
            each.town.reader.close()


def _wire(share: Share) -> Share:
    return from_json(json.loads(json.dumps(share.as_json())))


def certificate(head: Checkpoint, of: ValidatorSet, *agencies: int) -> str:
    """A certificate line made by hand, whatever its power."""
    places = [at for at, each in enumerate(of.validators) if each.agency in agencies]
    message = quorum.statement_of(head, of.digest)
    shares = [bls.sign(bls_secret(of.validators[at].agency), message) for at in places]
    made = quorum.Certificate(of.digest, tuple(places), bls.aggregate(shares))
    return quorum.line(made, origin=ORIGIN, count=len(of.validators))


__all__ = ["NOTE", "START", "Committee", "Followed", "Link", "Node", "certificate"]
