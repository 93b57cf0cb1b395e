"""The engine of a consortium: CometBFT orders the transactions, this node's own application executes them.

The one module that knows CometBFT's RPC (docs/rpc, v0.38): `broadcast_tx_async`, `abci_query`, `status`, and the
websocket's `NewBlockHeader` events, which come when the application has committed a block. What became of a transaction
is read from this node's own store, never from what the RPC says.

A submission:

 1. judged by the same function as CheckTx, on the store: what would be refused is refused here, with its code
 2. handed to CometBFT, one after another, so that the mempool has the order of submission
 3. looked for in the store after every block; what CheckTx or a block refused, the application is asked for
 4. handed over again, the same bytes, when the node was away: it comes back with an empty mempool
 5. after `patience` seconds without an outcome, answered as consortium-waiting: it may still become final, and
    submitting the same bytes again goes on waiting for it

Nothing of this is durable but in the ledger; whoever submits keeps the bytes until they have an outcome.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
import time
from base64 import b64decode, b64encode
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync import client

from gov_chain.ledger import store
from gov_chain.ledger.abci import admission, chain
from gov_chain.ledger.abci.codes import NAMES
from gov_chain.ledger.core import genesis, transaction
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import View
from gov_chain.ledger.core.transaction import Transaction
from gov_chain.ledger.engines import Committed
from gov_chain.ledger.outcomes import outcome

log = logging.getLogger(__name__)

IN_FLIGHT = 256
"""Transactions without an outcome, above which no more are taken: what waits here would only wait longer, and a key's
sequence numbers may not be further apart than its window (`machine.WINDOW`)."""
IN_FLIGHT_BYTES = 2 * 2**20
PATIENCE = 10.0
TICK = 0.5
"""Seconds after which the store is looked at although no block was announced."""
TIMEOUT = 5.0
_CACHED = "tx already exists in cache"
_FULL = "mempool is full"


@dataclass(slots=True)
class _Waiting:
    body: bytes
    parsed: Transaction
    since: float
    futures: list[Future[Committed]] = field(default_factory=list)
    """The first is the submission that counts; the others submitted the same bytes meanwhile."""


class Comet:
    """`Engine` for the ledger in `directory`, ordered by the CometBFT whose RPC is at `url`. Thread-safe."""

    def __init__(self, directory: Path, *, url: str, patience: float = PATIENCE) -> None:
        """Raises `LedgerError`: ledger-missing; another-consortium if `url` is another chain's node."""
        self._path = directory / store.FILE
        self._patience = patience
        with contextlib.closing(store.open_reading(self._path)) as connection:
            store.check_version(connection)
            first = store.Rows(connection).entry(0)
        if first is None:
            raise LedgerError("ledger-damaged", log="no genesis")
        self._ledger_id = genesis.ledger_id(first)
        self._rpc = _Rpc(url)
        self._chain_known = False
        with contextlib.suppress(httpx.HTTPError):  # not up yet: asked again before anything is sent
            self._check_chain()
        self._lock = threading.Condition()
        self._queue: deque[tuple[bytes, Future[Committed]]] = deque()
        self._waiting: dict[bytes, _Waiting] = {}
        self._closing = False
        self._events: client.ClientConnection | None = None
        self._threads = [
            threading.Thread(target=self._send, name="ledger-comet-send", daemon=True),
            threading.Thread(target=self._watch, name="ledger-comet-watch", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, body: bytes) -> Future[Committed]:
        future: Future[Committed] = Future()
        with self._lock:
            if self._closing:
                future.set_exception(LedgerError("sequencer-stopped", log="closing"))
            elif self._full():
                future.set_exception(LedgerError("consortium-busy", log="as much in flight as there may be"))
            else:
                self._queue.append((body, future))
                self._lock.notify_all()
        return future

    def _full(self) -> bool:
        count = len(self._queue) + len(self._waiting)
        size = sum(len(body) for body, _ in self._queue) + sum(len(each.body) for each in self._waiting.values())
        return count >= IN_FLIGHT or size >= IN_FLIGHT_BYTES

    def outcome(self, body: bytes) -> Committed | None:
        parsed = transaction.parse(body)
        with contextlib.closing(store.open_reading(self._path)) as connection:
            return outcome(store.Rows(connection), parsed)

    def close(self) -> None:
        """Stop waiting. What was handed over may still become final; `outcome` tells, from the next engine."""
        with self._lock:
            self._closing = True
            events = self._events
            self._lock.notify_all()
        if events is not None:
            events.close()
        for thread in self._threads:
            thread.join()
        with self._lock:
            left = [future for each in self._waiting.values() for future in each.futures]
            left += [future for _, future in self._queue]
            self._waiting.clear()
            self._queue.clear()
        for future in left:
            future.set_exception(LedgerError("sequencer-stopped", log="closing"))
        self._rpc.close()

    # Handing over, in one thread: the order of submission is the mempool's.

    def _send(self) -> None:
        while (taken := self._next()) is not None:
            body, future = taken
            try:
                self._hand_over(body, future)
            except LedgerError as error:
                self._give_up(body, future, error)
            except (httpx.HTTPError, sqlite3.Error) as error:
                self._give_up(body, future, LedgerError("sequencer-stopped", log=str(error)))

    def _give_up(self, body: bytes, future: Future[Committed], error: LedgerError) -> None:
        """Answer a submission that was not handed over, whether it was noted as waiting by then or not."""
        self._answer(sha256(body).digest(), error)
        if not future.done():
            future.set_exception(error)
        if error.code in ("consortium-busy", "sequencer-stopped"):
            # What was submitted after it must not overtake it, should there be room again a moment later.
            with self._lock:
                behind = [each for _, each in self._queue]
                self._queue.clear()
            for each in behind:
                each.set_exception(error)

    def _next(self) -> tuple[bytes, Future[Committed]] | None:
        with self._lock:
            while not self._queue and not self._closing:
                self._lock.wait()
            return None if self._closing else self._queue.popleft()

    def _hand_over(self, body: bytes, future: Future[Committed]) -> None:
        parsed = transaction.parse(body)
        with self._lock:
            known = self._waiting.get(sha256(body).digest())
            if known is not None:
                known.futures.append(future)
                return
        with contextlib.closing(store.open_reading(self._path)) as connection:
            rows = store.Rows(connection)
            block_time = int(rows.one("SELECT time FROM checkpoints ORDER BY size DESC LIMIT 1"))
            present = max(block_time, int(time.time()))
            admission.admit(View(rows.state), parsed, ledger_id=self._ledger_id, time=present)
        if not self._chain_known:
            self._check_chain()
        now = time.monotonic()
        with self._lock:
            # Before it is sent: its block may be announced before the answer to sending it.
            self._waiting[sha256(body).digest()] = _Waiting(body, parsed, now, [future])
        self._broadcast(body)

    def _broadcast(self, body: bytes) -> None:
        """Raises `LedgerError` if CometBFT does not take it, `httpx.HTTPError` if it is not there."""
        refusal = self._rpc.error("broadcast_tx_async", tx=b64encode(body).decode())
        if refusal.startswith(_FULL):
            raise LedgerError("consortium-busy", log=refusal)
        if refusal and not refusal.startswith(_CACHED):
            raise LedgerError("sequencer-stopped", log=refusal)

    def _check_chain(self) -> None:
        network = self._rpc.result("status")["node_info"]["network"]
        if network != chain.chain_id(self._ledger_id):
            raise LedgerError(
                "another-consortium", log=f"this is {chain.chain_id(self._ledger_id)}, not {network[:64]}"
            )
        self._chain_known = True

    # Looking for outcomes, in another thread.

    def _watch(self) -> None:
        while not self._closing:
            try:
                self._follow()
            except (LedgerError, OSError, httpx.HTTPError, WebSocketException, sqlite3.Error) as error:
                if not self._closing:
                    log.info("ledger: no events from CometBFT: %s", error)
                with self._lock:
                    self._lock.wait_for(lambda: self._closing, TICK)
            finally:
                self._events = None

    def _follow(self) -> None:
        """While the node runs. A node that was started again may have another file under the store's name."""
        with contextlib.closing(store.open_reading(self._path)) as connection:
            rows = store.Rows(connection)
            self._look(rows)
            with client.connect(self._rpc.events, open_timeout=TIMEOUT, max_size=2**22) as events:
                self._events = events
                events.send(_request("subscribe", query="tm.event='NewBlockHeader'"))
                with self._lock:
                    before = [each.body for each in self._waiting.values()]
                for body in before:
                    self._broadcast(body)
                while not self._closing:
                    with contextlib.suppress(TimeoutError):
                        events.recv(timeout=TICK)
                    self._look(rows)

    def _look(self, rows: store.Rows) -> None:
        """Answer what has an outcome, and see to what has none."""
        with self._lock:
            waiting = list(self._waiting.items())
        if not waiting:
            return
        now = time.monotonic()
        try:
            open_: list[tuple[bytes, _Waiting]] = []
            for digest, each in waiting:
                found = outcome(rows, each.parsed)
                if found is None:
                    open_.append((digest, each))
                else:
                    self._answer(digest, found)
            for digest, code in self._refused([digest for digest, _ in open_]).items():
                self._answer(digest, LedgerError(code))
            for digest, each in open_:
                if now - each.since > self._patience:
                    self._answer(digest, LedgerError("consortium-waiting"))
        except (LedgerError, httpx.HTTPError, sqlite3.Error) as error:
            log.info("ledger: CometBFT or the store does not answer: %s", error)
            for digest, each in waiting:
                if now - each.since > self._patience:
                    self._answer(digest, LedgerError("consortium-waiting", log=str(error)))

    def _refused(self, digests: list[bytes]) -> dict[bytes, str]:
        """Those the application has refused whole, with their codes."""
        if not digests:
            return {}
        told = self._rpc.result("abci_query", path="refused", data=b"".join(digests).hex())
        numbers = b64decode(told["response"].get("value") or b"")
        pairs = zip(digests, range(0, len(numbers), 2), strict=False)
        found = {digest: int.from_bytes(numbers[at : at + 2]) for digest, at in pairs}
        return {digest: NAMES[number] for digest, number in found.items() if number in NAMES}

    def _answer(self, digest: bytes, what: Committed | LedgerError) -> None:
        with self._lock:
            each = self._waiting.pop(digest, None)
        if each is None:
            return
        first, *again = each.futures
        if isinstance(what, LedgerError):
            first.set_exception(what)
        else:
            first.set_result(what)
        for future in again:
            future.set_exception(what if isinstance(what, LedgerError) else LedgerError("sequence-used"))


class _Rpc:
    """CometBFT's JSON-RPC over HTTP."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT)
        self.events = f"ws{url.removeprefix('http')}/websocket"

    def error(self, method: str, **params: Any) -> str:
        """Why a call failed; empty if it did not. Raises `httpx.HTTPError`."""
        told = self._call(method, params)
        error = told.get("error")
        return "" if error is None else f"{error.get('data') or error.get('message')}"

    def result(self, method: str, **params: Any) -> Any:
        """Raises `httpx.HTTPError`, `LedgerError` for an answer that is none."""
        told = self._call(method, params)
        if "result" not in told:
            raise LedgerError("sequencer-stopped", log=f"{method}: {told.get('error')}")
        return told["result"]

    def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post("/", content=_request(method, **params))
        try:
            told = answer.json()
        except ValueError as error:
            raise LedgerError("sequencer-stopped", log=f"CometBFT answers {answer.status_code}") from error
        if type(told) is not dict:
            raise LedgerError("sequencer-stopped", log=f"CometBFT answers {answer.status_code}")
        return told

    def close(self) -> None:
        self._client.close()


def _request(method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
