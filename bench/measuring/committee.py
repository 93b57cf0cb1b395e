"""Four nodes' ledgers fed the same blocks, and their cosigners as processes of their own, over HTTP on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gov_chain.ledger import founding
from gov_chain.ledger.core import note, records, transaction
from gov_chain.ledger.core.genesis import FoundingAgency, FoundingValidator, Genesis
from gov_chain.ledger.cosigner.certificates import Certified
from gov_chain.ledger.engines.embedded import Embedded

COUNT = 4
ORIGIN = "bench.example"
PATIENCE = 30.0


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"bench {name}".encode()).digest())


class Committee:
    """As a context: up when entered, down when left."""

    def __init__(self, folder: Path) -> None:
        self._data = [folder / str(number) for number in range(1, COUNT + 1)]
        self._agency = _key("agency")
        self._sequence = 0
        self._running: list[subprocess.Popen[str]] = []
        self._engines: list[Embedded] = []

    def __enter__(self) -> Self:
        with ThreadPoolExecutor(COUNT) as pool:
            made = list(pool.map(lambda data: self._cosigner(data, "key"), self._data))
        keys = [json.loads(_finished(each)) for each in made]
        genesis = _genesis(self._agency, keys)
        signer = _key("checkpoint")
        verifier = note.Verifier(ORIGIN, signer.public_key().public_bytes_raw())
        for data in self._data:
            self._ledger_id = founding.found(data / "ledger", genesis, origin=ORIGIN, sign=signer.sign)
            self._engines.append(Embedded(data / "ledger", verifier=verifier, sign=signer.sign))
        ports = _free_ports()
        for at, data in enumerate(self._data):
            peers = [f"--peer=http://127.0.0.1:{port}" for number, port in enumerate(ports) if number != at]
            self._running.append(self._cosigner(data, "run", f"--port={ports[at]}", *peers))
        for each in self._running:
            assert each.stdout is not None
            json.loads(each.stdout.readline())
        return self

    def _cosigner(self, data: Path, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gov_chain.cli", "cosigner", *arguments, "--data", str(data), "--json"]
        return subprocess.Popen(  # noqa: S603 - this very Python
            command,
            env=os.environ | {"GOVCHAIN_DATA": str(data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def commit(self) -> float:
        """One block on every node; milliseconds from the last commit to the certificate on the first node."""
        self._sequence += 1
        body = transaction.build(
            ledger_id=self._ledger_id,
            agency=1,
            key_no=1,
            sequence=self._sequence,
            valid_until=int(time.time()) + 600,
            records=[records.evidence(evidence=1, digest=bytes(32))],
            sign=self._agency.sign,
        )
        done = [engine.submit(body) for engine in self._engines]
        size = max(each.result(PATIENCE).first for each in done) + 2
        start = time.perf_counter()
        shown = Certified(self._data[0] / "ledger")
        try:
            while shown.latest() < size:
                if time.perf_counter() - start > PATIENCE:
                    raise TimeoutError("no certificate")
                time.sleep(0.0005)
        finally:
            shown.close()
        return (time.perf_counter() - start) * 1000

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(PATIENCE)
            assert process.stdout is not None
            process.stdout.close()
        for engine in self._engines:
            engine.close()


def _genesis(agency: Ed25519PrivateKey, keys: list[dict[str, Any]]) -> Genesis:
    agencies = tuple(
        FoundingAgency(
            number=number,
            ledger_key=agency.public_key().public_bytes_raw(),
            issue_key=bytes(33),
            request_key=bytes(33),
            profile_digest=bytes(32),
        )
        for number in range(1, COUNT + 1)
    )
    return Genesis(
        agencies=agencies,
        accreditations=(),
        checkpoint_key=_key("checkpoint").public_key().public_bytes_raw(),
        created=int(time.time()),
        validators=tuple(
            FoundingValidator(
                agency=number,
                consensus_key=_key(f"consensus {number}").public_key().public_bytes_raw(),
                bls_key=bytes.fromhex(key["bls_key"]),
                possession=bytes.fromhex(key["possession"]),
            )
            for number, key in enumerate(keys, 1)
        ),
    )


def _finished(process: subprocess.Popen[str]) -> str:
    told, _ = process.communicate(timeout=PATIENCE)
    return told


def _free_ports() -> list[int]:
    holders = [socket.socket() for _ in range(COUNT)]
    for each in holders:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in holders]
    for each in holders:
        each.close()
    return ports
