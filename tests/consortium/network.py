"""Real consortia on this machine: CometBFT's nodes and their applications, each a process, under a town's rules.

    with Network(directory, 4) as network:      four validators, waits until blocks can be made
        network.nodes[0].submit(PSB, type_record())
        network.nodes[1].kill()

The agencies, keys and records are `tests.ledger.town`'s. Peers reach each other through `Wire`s, which can be cut.
Needs the CometBFT binary: `needs_cometbft` skips without it, and fails where CI=true.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gov_chain import engines
from gov_chain.consortium import cometbft
from gov_chain.consortium.cometbft import Peer, Ports, StateSync
from gov_chain.ledger import founding, fsck, store
from gov_chain.ledger.core import checkpoint, genesis, note
from gov_chain.ledger.engines.comet import Comet
from gov_chain.ledger.reader import Reader
from tests.ledger.town import GENESIS, ORIGIN, VERIFIER, Desk, public_key, secret_key

PATIENT = 60.0


def cometbft_binary() -> Path:
    try:
        return engines.binary("cometbft")
    except engines.EnginesError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(error.en + " " + error.fix_en)


def until[T](found: Callable[[], T], timeout: float = PATIENT, *, what: str = "") -> T:
    """Ask until the answer is true, or fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if answer := found():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or found}")
        time.sleep(0.05)
