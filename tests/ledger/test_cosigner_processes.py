"""Four cosigners as processes, over HTTP: keys made and sealed, a certificate soon after the commit, one killed."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gov_chain.ledger.core import bls, note, validators
from gov_chain.ledger.core.genesis import Genesis
from gov_chain.ledger.core.quorum import Followed
from gov_chain.ledger.cosigner import keyfile
from gov_chain.ledger.cosigner.certificates import Certified
from tests.ledger.committee import NOTE
from tests.ledger.test_validators import consortium
from tests.ledger.town import ORIGIN, Town

PATIENCE = 20.0


def command(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gov_chain.cli", "cosigner", *arguments, "--data", str(data), "--json"]


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"GOVCHAIN_DATA": str(data), "DJANGO_SETTINGS_MODULE": "gov_chain.settings"}


def free_ports(count: int) -> list[int]:
    holders = [socket.socket() for _ in range(count)]
    for each in holders:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in holders]
    for each in holders:
        each.close()
    return ports


class Processes:
    def __init__(self, directory: Path, count: int = 4) -> None:
        self.data = [directory / str(number) for number in range(1, count + 1)]
        self.ports = free_ports(count)
        made = [self._key(data) for data in self.data]
        plain = consortium(count, *[1] * count)
        rows = [
            dataclasses.replace(
                each, bls_key=bytes.fromhex(key["bls_key"]), possession=bytes.fromhex(key["possession"])
            )
            for each, key in zip(plain.validators, made, strict=True)
        ]
        self.genesis: Genesis = dataclasses.replace(plain, validators=tuple(rows))
        self.towns = [Town(data / "ledger", genesis=self.genesis) for data in self.data]
        self.running: dict[int, subprocess.Popen[str]] = {}

    def _key(self, data: Path) -> dict[str, Any]:
        told = subprocess.run(command(data, "key"), env=environment(data), capture_output=True, text=True, check=True)
        return json.loads(told.stdout)

    def start(self, number: int) -> None:
        peers = [f"--peer=http://127.0.0.1:{port}" for at, port in enumerate(self.ports) if at != number]
        arguments = command(self.data[number], "run", f"--port={self.ports[number]}", *peers)
        self.running[number] = subprocess.Popen(
            arguments, env=environment(self.data[number]), stdout=subprocess.PIPE, text=True
        )

    def ready(self) -> None:
        for each in self.running.values():
            assert each.stdout is not None
            assert json.loads(each.stdout.readline())["ready"]

    def kill(self, number: int) -> None:
        process = self.running.pop(number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def commit(self) -> int:
        for town in self.towns:
            town.submit(1, NOTE)
        return self.towns[0].reader.size

    def certified(self, number: int, size: int) -> float:
        """Seconds until this node shows a certificate of `size`."""
        started = time.monotonic()
        found = Certified(self.data[number] / "ledger")
        try:
            while found.latest() < size:
                assert time.monotonic() - started < PATIENCE, "no certificate"
                time.sleep(0.001)
        finally:
            found.close()
        return time.monotonic() - started

    def close(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            assert process.wait(PATIENCE) == 0
            assert process.stdout is not None
            process.stdout.close()
        for town in self.towns:
            town.engine.close()
            town.reader.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    for number in range(4):
        made.start(number)
    made.ready()
    yield made
    made.close()


def test_certificates_follow_commits_and_survive_a_kill(processes: Processes) -> None:
    first = processes.commit()
    for number in range(4):
        processes.certified(number, first)
    waits = sorted(processes.certified(number, processes.commit()) for number in range(4))
    assert waits[2] < 1.0, f"event driven, not by a timer: {waits}"
    processes.kill(3)
    size = processes.commit()
    processes.certified(0, size)
    processes.start(3)
    after = processes.commit()
    processes.certified(3, after)
    text = processes.towns[0].reader.signed()[0]
    shown = Certified(processes.data[3] / "ledger")
    line = shown.line(after, note.split(text)[0])
    shown.close()
    rows = [[each.agency, each.consensus_key, each.bls_key, each.power] for each in processes.genesis.validators]
    head = Followed(ORIGIN, validators.of(rows)).certify(text + line)
    assert head is not None
    assert head.size == after
    status = httpx.get(f"http://127.0.0.1:{processes.ports[0]}/ledger/cosigner").json()
    assert (status["agency"], status["certified"], status["stopped"]) == (1, after, "")
    assert "govchain_quorum_certified_size" in httpx.get(f"http://127.0.0.1:{processes.ports[0]}/metrics").text


def test_the_secret_is_on_disk_sealed_only(tmp_path: Path) -> None:
    class Clear:
        """A sealer that shows what it is given."""

        def __init__(self) -> None:
            self.sealed: dict[bytes, tuple[bytes, bytes]] = {}

        def seal(self, plaintext: bytes, context: bytes) -> bytes:
            name = b"sealed %d" % len(self.sealed)
            self.sealed[name] = plaintext, context
            return name

        def open(self, sealed: bytes, context: bytes) -> bytes:
            plaintext, sealed_for = self.sealed[sealed]
            assert context == sealed_for
            return plaintext

    sealer = Clear()
    public = keyfile.make(tmp_path, sealer)
    ((secret, _context),) = sealer.sealed.values()
    assert keyfile.unseal(tmp_path, sealer) == secret
    assert bls.sk_to_pk(secret) == public.bls_key == keyfile.public(tmp_path).bls_key
    assert bls.pop_verify(public.bls_key, public.possession)
    text = (tmp_path / keyfile.FILE).read_text()
    assert secret.hex() not in text
    assert (tmp_path / keyfile.FILE).stat().st_mode & 0o077 == 0
