"""A small witness of our own, for whoever wants to keep a ledger honest: an auditor, a newspaper, another town.

It cosigns a checkpoint only if it extends the one it cosigned before, and remembers that durably before it
answers. What it can say is in `core.witnessing`; where it remembers, in `memory`.
"""

from __future__ import annotations

import logging
import os
import stat
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gov_chain.keys import KeyStoreError
from gov_chain.ledger.core import cosignature, note, witnessing
from gov_chain.ledger.core.cosignature import Cosigner
from gov_chain.ledger.core.witnessing import Submission, WitnessError
from gov_chain.ledger.witness.memory import Memory, Remembered

log = logging.getLogger(__name__)

KEY_FILE = "witness.key"


class Witness:
    """Cosigns the logs it was given. Thread-safe."""

    def __init__(
        self,
        memory: Memory,
        *,
        name: str,
        key: Ed25519PrivateKey,
        logs: Sequence[note.Verifier],
        clock: Callable[[], int],
    ) -> None:
        self.memory = memory
        self.cosigner = Cosigner(name, key.public_key().public_bytes_raw())
        self._sign = key.sign
        self._clock = clock
        by_origin: dict[str, list[note.Verifier]] = {}
        for each in logs:
            by_origin.setdefault(each.name, []).append(each)
        self.logs: Mapping[str, Sequence[note.Verifier]] = by_origin

    def add_checkpoint(self, submission: Submission) -> str:
        """The cosignature line, on disk with the checkpoint it is for; raises `WitnessError`."""
        origin = witnessing.origin(submission)
        try:
            with self.memory.turn() as turn:
                latest = turn.latest(origin)
                head = witnessing.judge(submission, logs=self.logs, latest=latest.checkpoint if latest else None)
                # A clock set back must not make a later statement look earlier.
                time = max(self._clock(), latest.time if latest else 0)
                made = cosignature.sign(head.text, self.cosigner, time=time, signer=self._sign)
                turn.remember(origin, Remembered(time, self._signed(submission.checkpoint, origin) + made.line))
        except WitnessError as error:
            if error.code == "checkpoint-differs":
                self._keep_evidence(origin, submission)
            raise
        # Durable: only now does anyone see the cosignature.
        return made.line

    def _keep_evidence(self, origin: str, submission: Submission) -> None:
        log.critical("%s shows two checkpoints of one size: keep the evidence", origin)
        with self.memory.turn() as turn:
            latest = turn.latest(origin)
            assert latest is not None
            turn.keep_evidence(origin, self._signed(submission.checkpoint, origin), latest.text)

    def _signed(self, checkpoint: str, origin: str) -> str:
        """The checkpoint with the log's own signatures only: anyone may have added lines to what was submitted."""
        text, lines = note.split(checkpoint)
        known = {(key.name, key.key_id) for key in self.logs[origin]}
        own = [(name, signature) for name, signature in lines if (name, signature[:4]) in known]
        return text + "\n" + "".join(f"{note.DASH}{name} {b64encode(data).decode()}\n" for name, data in own[:8])


def key(directory: Path) -> Ed25519PrivateKey:
    """The witness's key, made at first use: a file only its owner can read. Raises `KeyStoreError("key-exposed")`."""
    path = directory / KEY_FILE
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _create(path)
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise KeyStoreError("key-exposed", log=path.name)
        found = serialization.load_pem_private_key(file.read(), password=None)
    assert isinstance(found, Ed25519PrivateKey)
    return found


def _create(path: Path) -> None:
    """Whole and on disk under its name, or not there."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_suffix(f".{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        log.info("another process made the witness's key first")
    draft.unlink()
    at = os.open(path.parent, os.O_RDONLY)
    os.fsync(at)
    os.close(at)
