"""An application of its own behind a real socket, and an engine's side of it, for what CometBFT would never send.

`Door.ask(method, field=value…)` sends one request and returns its answer's message. Block time is the town's.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gov_chain.ledger import founding
from gov_chain.ledger.abci import chain
from gov_chain.ledger.abci.application import Application
from gov_chain.ledger.abci.framing import Frames, frame
from gov_chain.ledger.abci.messages import Request, Response
from gov_chain.ledger.abci.server import Server
from gov_chain.ledger.core import checkpoint, note, transaction
from gov_chain.ledger.core.genesis import Genesis
from gov_chain.ledger.replica import Replica
from tests.ledger.town import (
    GENESIS,
    ORIGIN,
    PSB,
    START,
    STREET,
    VERIFIER,
    approval,
    matter_record,
    secret_key,
    type_record,
)

MAX_BYTES = 4 * 2**20


class Door:
    def __init__(self, directory: Path, genesis: Genesis = GENESIS) -> None:
        self.directory = directory
        if not directory.exists():
            founding.found(directory, genesis, origin=ORIGIN, sign=secret_key(0).sign)
        self.time = START
        self.sequences: dict[int, int] = {}
        self._sockets = tempfile.TemporaryDirectory(prefix="gc-")
        self.path = Path(self._sockets.name) / "abci"
        self.replica = Replica(directory, verify=lambda text: checkpoint.verify(text, VERIFIER))
        self.application = Application(
            self.replica,
            sign=lambda body: note.sign(body, VERIFIER, secret_key(0).sign),
            clock=lambda: self.time,
            snapshots=1,
        )
        self.server = Server(self.path, self.application)
        self.failed: list[Exception] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.connection = self.connect()
        self.ledger_id = self.replica.ledger_id

    def _serve(self) -> None:
        try:
            self.server.serve()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.failed.append(error)

    def connect(self) -> Connection:
        return Connection(self.path)

    def close(self) -> None:
        self.connection.close()
        self.server.stop()
        self._thread.join()
        self.application.close()
        self._sockets.cleanup()

    def ask(self, method: str, **fields: Any) -> Any:
        return self.connection.ask(method, **fields)

    # What an engine does.

    def init_chain(self, ledger_id: bytes | None = None) -> Any:

        wanted = ledger_id or self.ledger_id
        return self.ask(
            "init_chain", chain_id=chain.chain_id(wanted), app_state_bytes=json.dumps(chain.app_state(wanted)).encode()
        )

    @property
    def height(self) -> int:
        return int(self.ask("info").last_block_height)

    def check(self, tx: bytes, **fields: Any) -> Any:
        return self.ask("check_tx", tx=tx, **fields)

    def prepare(self, *txs: bytes, max_tx_bytes: int = MAX_BYTES) -> list[bytes]:
        told = self.ask("prepare_proposal", txs=txs, max_tx_bytes=max_tx_bytes, height=self.height + 1, time=self._time)
        return list(told.txs)

    def process(self, *txs: bytes) -> int:
        told = self.ask("process_proposal", txs=txs, height=self.height + 1, time=self._time)
        return int(told.status)

    def finalize(self, *txs: bytes, height: int | None = None) -> Any:
        wanted = self.height + 1 if height is None else height
        return self.ask("finalize_block", txs=txs, height=wanted, time=self._time)

    def block(self, *txs: bytes) -> Any:
        """A block, committed; what finalize_block answered."""
        told = self.finalize(*txs)
        self.ask("commit")
        return told

    @property
    def _time(self) -> dict[str, int]:
        return {"seconds": self.time, "nanos": 999_999_999}

    # What an agency does.

    def signed(self, agency: int, *batch: bytes, **changes: int) -> bytes:
        self.sequences[agency] = self.sequences.get(agency, 0) + 1
        values = {
            "agency": agency,
            "key_no": 1,
            "sequence": self.sequences[agency],
            "valid_until": self.time + 60,
        } | changes
        return transaction.build(ledger_id=self.ledger_id, records=batch, sign=secret_key(agency).sign, **values)

    def register(self) -> None:
        for agency, record in ((PSB, type_record()), (STREET, matter_record()), (PSB, approval())):
            assert [each.code for each in self.block(self.signed(agency, record)).tx_results] == [0]


class Connection:
    """One of the engine's connections."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self._frames = Frames()
        self._answers: list[bytes] = []

    def ask(self, method: str, **fields: Any) -> Any:
        self.send(request(method, **fields))
        answer = self.answer()
        assert answer.WhichOneof("value") == method, answer
        return getattr(answer, method)

    def send(self, *messages: bytes) -> None:
        self.socket.sendall(b"".join(map(frame, messages)))

    def answer(self) -> Any:
        while not self._answers:
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionResetError("closed by the application")
            self._answers += self._frames.feed(data)
        return Response.FromString(self._answers.pop(0))

    def answers(self, count: int) -> Sequence[Any]:
        return [self.answer() for _ in range(count)]

    def close(self) -> None:
        self.socket.close()


def request(method: str, **fields: Any) -> bytes:
    made = Request()
    getattr(made, method).SetInParent()
    for name, value in fields.items():
        if isinstance(value, list | tuple):
            getattr(getattr(made, method), name).extend(value)
        elif isinstance(value, dict):
            for inner, each in value.items():
                setattr(getattr(getattr(made, method), name), inner, each)
        else:
            setattr(getattr(made, method), name, value)
    encoded: bytes = made.SerializeToString()
    return encoded
