"""What each ABCI request answers. The replica does the work; nothing here is durable but in Commit.

A block, and what is durable after each request:

    ProcessProposal     headers judged                                                        nothing
    FinalizeBlock       the block worked out (`Replica.execute`), kept in memory              nothing
    Commit              state, entries, checkpoint, height and app hash, in one transaction   all of it

A crash before the end of Commit leaves the former block: CometBFT sees the former height in Info, and sends the
block again. A crash after it, before CometBFT has noted it, shows the new height: CometBFT goes on from there.

The app hash is SHA-256 of the checkpoint's body, so what validators agree on is what receipts show. A block's answers
depend on the committed state, the block's transactions and its time, and on nothing else; CheckTx alone also looks at
a clock, since a chain that stands idle has an old block time.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from gov_chain.ledger.abci import admission, chain, messages
from gov_chain.ledger.abci import snapshots as snapshots_
from gov_chain.ledger.abci.codes import CODES, CODESPACE
from gov_chain.ledger.core import state, validators
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import Value
from gov_chain.ledger.replica import Block, Replica, Sign

log = logging.getLogger(__name__)

VERDICTS = 16384
"""Refused transactions whose reason can still be asked for (`query`)."""

SNAPSHOTS = 1000

Message = Any
"""A protobuf message of `messages`."""


class Application:
    """Answers one request at a time."""

    def __init__(
        self, replica: Replica, *, sign: Sign, clock: Callable[[], float], retain: int = 0, snapshots: int = SNAPSHOTS
    ) -> None:
        """`clock`: seconds since the epoch. `retain`: blocks CometBFT has to keep (0: all); the log is kept anyway.

        `snapshots`: every how many blocks one is offered to new nodes.
        """
        self._use(replica)
        self._snapshots = snapshots
        self._restoring: snapshots_.Restoring | None = None
        self._sign = sign
        self._clock = clock
        self._retain = retain
        self._parse = admission.Parsed()
        self._worked_out: tuple[int, Block] | None = None
        self._verdicts: OrderedDict[bytes, int] = OrderedDict()

    def close(self) -> None:
        """Give up what is not complete, and close the replica: another one than at first, after a state sync."""
        if self._restoring is not None:
            self._restoring.give_up()
        with contextlib.suppress(sqlite3.Error):
            # What is wrong with the file, `serve` has said, or the next start does.
            self._replica.fold()
        self._replica.close()

    def _use(self, replica: Replica) -> None:
        self._replica = replica
        self._offers = snapshots_.Offers(replica.rows)
        if replica.head.height is not None:
            self._offers.add(replica.head.height, replica.head.checkpoint)

    def answer(self, request: Message) -> Message:
        """The response; raises `LedgerError`, `sqlite3.Error` or `OSError` if the ledger failed and must stop."""
        method = request.WhichOneof("value")
        response = messages.Response()
        if method is None:
            response.exception.error = "unknown request"
            return response
        told = getattr(response, method)
        told.SetInParent()
        getattr(self, method)(getattr(request, method), told)
        return response

    def echo(self, request: Message, response: Message) -> None:
        response.message = request.message

    def flush(self, request: Message, response: Message) -> None:
        pass

    def info(self, request: Message, response: Message) -> None:
        head = self._replica.head
        response.data = chain.chain_id(self._replica.ledger_id)
        response.app_version = chain.APP_VERSION
        if head.height is not None:
            response.last_block_height = head.height
            response.last_block_app_hash = head.app_hash

    def init_chain(self, request: Message, response: Message) -> None:
        """Raises `LedgerError("another-consortium")` unless genesis.json is of this ledger."""
        chain.check(ledger_id=self._replica.ledger_id, chain=request.chain_id, state=request.app_state_bytes)
        response.app_hash = self._replica.head.app_hash
        # A ledger that names its validators is what counts; one that does not leaves them to genesis.json.
        _validator_updates(response.validators, None, self._replica.view().get(state.VALIDATORS))

    def query(self, request: Message, response: Message) -> None:
        """`head`: the signed checkpoint. `refused`, data: SHA-256 of transactions; a code each, as two bytes (0: none).

        A code is of `codes.CODES`, and says why this node has refused the transaction whole, not long ago.
        """
        head = self._replica.head
        response.height = head.height or 0
        if request.path == "head":
            response.value = self._replica.signed.encode()
        elif request.path == "refused" and len(request.data) % 32 == 0:
            digests = (request.data[at : at + 32] for at in range(0, len(request.data), 32))
            response.value = b"".join(self._verdicts.get(each, 0).to_bytes(2) for each in digests)
        else:
            response.code = 1
            response.log = "paths are head and refused"

    # The mempool.

    def check_tx(self, request: Message, response: Message) -> None:
        tx = request.tx
        try:
            time = max(self._replica.head.time, int(self._clock()))
            self._admit(tx, time)
        except LedgerError as error:
            response.code = self._refuse(tx, error)
            response.codespace = CODESPACE
            response.log = error.code

    def _admit(self, tx: bytes, time: int) -> None:
        replica = self._replica
        admission.admit(replica.view(), self._parse(tx), ledger_id=replica.ledger_id, time=time)

    def _refuse(self, tx: bytes, error: LedgerError) -> int:
        """The number of a refusal, which is remembered; raises what is no refusal but a failure of the ledger."""
        number = CODES.get(error.code)
        if number is None:
            raise error
        digest = sha256(tx).digest()
        self._verdicts[digest] = number
        self._verdicts.move_to_end(digest)
        if len(self._verdicts) > VERDICTS:
            self._verdicts.popitem(last=False)
        return number

    # A block.

    def prepare_proposal(self, request: Message, response: Message) -> None:
        replica = self._replica
        response.txs.extend(
            admission.proposal(
                request.txs,
                self._parse,
                replica.view(),
                ledger_id=replica.ledger_id,
                time=self._time(request),
                max_bytes=request.max_tx_bytes,
            )
        )

    def process_proposal(self, request: Message, response: Message) -> None:
        replica = self._replica
        try:
            admission.check_proposal(
                request.txs, self._parse, replica.view(), ledger_id=replica.ledger_id, time=self._time(request)
            )
        except LedgerError as error:
            if error.code not in CODES:
                raise
            log.warning("abci: proposal of %s for block %s rejected: %s", _who(request), request.height, error)
            response.status = messages.REJECT
        else:
            response.status = messages.ACCEPT

    def extend_vote(self, request: Message, response: Message) -> None:
        """Votes carry nothing: shares of the quorum certificate go between cosigners and need no order."""

    def verify_vote_extension(self, request: Message, response: Message) -> None:
        response.status = messages.REJECT if request.vote_extension else messages.ACCEPT

    def finalize_block(self, request: Message, response: Message) -> None:
        """Raises `LedgerError("rules-unknown")` where the block needs newer software: the node stops."""
        height = self._replica.head.height
        if height is not None and request.height != height + 1:
            raise LedgerError("ledger-damaged", log=f"block {request.height} after block {height}")
        for each in request.misbehavior:
            # For the operators: what follows from it, the agencies vote.
            log.warning("abci: validator %s misbehaved at block %s", each.validator.address.hex(), each.height)
        block = self._replica.execute([self._parsed(tx) for tx in request.txs], time=self._time(request))
        for tx, outcome in zip(request.txs, block.answers, strict=True):
            result = response.tx_results.add()
            if isinstance(outcome, LedgerError):
                result.code = self._refuse(tx, outcome)
                result.codespace = CODESPACE
        response.app_hash = block.after.app_hash
        if state.VALIDATORS in block.written:
            before = self._replica.view().get(state.VALIDATORS)
            _validator_updates(response.validator_updates, before, block.written[state.VALIDATORS])
        self._worked_out = request.height, block

    def _parsed(self, tx: bytes) -> Any:
        try:
            return self._parse(tx)
        except LedgerError:
            return tx  # `execute` refuses it in its place

    def commit(self, request: Message, response: Message) -> None:
        if self._worked_out is None:
            raise LedgerError("ledger-damaged", log="Commit without a block")
        height, block = self._worked_out
        self._replica.commit(block, sign=self._sign, height=height)
        # Durable from here on.
        self._worked_out = None
        if height % self._snapshots == 0:
            self._offers.add(height, self._replica.head.checkpoint)
        if self._retain:
            response.retain_height = max(height - self._retain, 0)

    # State sync.

    def list_snapshots(self, request: Message, response: Message) -> None:
        for height, snapshot in self._offers.items():
            metadata = snapshot.metadata
            response.snapshots.add(
                height=height,
                format=snapshots_.FORMAT,
                chunks=len(snapshot.roots),
                hash=sha256(metadata).digest(),
                metadata=metadata,
            )

    def load_snapshot_chunk(self, request: Message, response: Message) -> None:
        if request.format == snapshots_.FORMAT:
            response.chunk = self._offers.chunk(request.height, request.chunk)

    def offer_snapshot(self, request: Message, response: Message) -> None:
        replica, offered = self._replica, request.snapshot
        if replica.head.height is not None:
            response.result = messages.OFFER_ABORT  # this node has blocks of its own to go on from
            return
        if offered.format != snapshots_.FORMAT:
            response.result = messages.OFFER_REJECT_FORMAT
            return
        try:
            snapshot = snapshots_.verified(
                offered.metadata, app_hash=request.app_hash, origin=replica.head.checkpoint.origin
            )
        except LedgerError as error:
            log.warning("abci: snapshot of block %s rejected: %s", offered.height, error)
            response.result = messages.OFFER_REJECT
            return
        if self._restoring is not None:
            self._restoring.give_up()
        self._restoring = snapshots_.Restoring(
            replica.path.parent, snapshot, height=offered.height, ledger_id=replica.ledger_id
        )
        response.result = messages.OFFER_ACCEPT

    def apply_snapshot_chunk(self, request: Message, response: Message) -> None:
        """Raises `LedgerError` for a log that was agreed on and cannot be executed here: the software is too old."""
        restoring = self._restoring
        if restoring is None:
            response.result = messages.CHUNK_ABORT
            return
        try:
            restoring.add(request.index, request.chunk)
        except LedgerError as error:
            if error.code != "snapshot-wrong":
                raise
            log.warning("abci: chunk of a snapshot rejected: %s", error)
            response.result = messages.CHUNK_RETRY
            response.refetch_chunks.append(request.index)
            response.reject_senders.append(request.sender)
            return
        if restoring.complete:
            self._replica.close()
            restoring.finish(self._sign)
            self._restoring = None
            self._use(self._replica.reopened())
        response.result = messages.CHUNK_ACCEPT

    def _time(self, request: Message) -> int:
        """Block time: the header's in whole seconds, unless the last block's is later."""
        return max(self._replica.head.time, int(request.time.seconds))


def _validator_updates(told: Any, before: Value | None, after: Value | None) -> None:
    """Add what changed from one set of validators to the next, as the state holds them."""
    old, new = (validators.of(rows).validators if rows else () for rows in (before, after))
    for key, power in validators.updates(old, new):
        update = told.add(power=power)
        update.pub_key.ed25519 = key


def _who(request: Message) -> str:
    return str(request.proposer_address.hex())
