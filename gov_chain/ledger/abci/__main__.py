"""One node's application: `python -m gov_chain.ledger.abci --data DIR --socket PATH [--agency N]`.

`DIR` is the node's data directory (`GOVCHAIN_DATA`): the store is in `DIR/ledger`, the key that signs this node's
checkpoints in `DIR/keys/ledger/checkpoint.key`. Ends with status 0 on SIGTERM or SIGINT; with 1, and one line, when the
ledger may not be served.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from gov_chain.ledger import store
from gov_chain.ledger.abci.application import SNAPSHOTS, Application
from gov_chain.ledger.abci.server import Server
from gov_chain.ledger.core import checkpoint, note
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.replica import Replica, Sign


def run(data: Path, path: Path, *, agency: int | None = None, retain: int = 0, snapshots: int = SNAPSHOTS) -> None:
    """Serve until told to stop; raises `LedgerError`, `sqlite3.Error` or `OSError`."""
    with closing(store.lock(data / "ledger")):
        replica = Replica(data / "ledger", verify=lambda text: checkpoint.parse(note.split(text)[0]))
        sign = signer(data / "keys" / "ledger" / "checkpoint.key", replica.head.checkpoint.origin, agency)
        application = Application(replica, sign=sign, clock=time.time, retain=retain, snapshots=snapshots)
        with closing(application):
            server = Server(path, application)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: server.stop())
            logging.info("abci: ready at %s, %s entries, block %s", path, replica.head.size, replica.head.height)
            server.serve()


def signer(file: Path, origin: str, agency: int | None) -> Sign:
    """Signs as this node: under the log's own name, or in a consortium as `<origin>/<agency>`."""
    key = load_der_private_key(file.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    name = origin if agency is None else f"{origin}/{agency}"
    verifier = note.Verifier(name, key.public_key().public_bytes_raw())
    return lambda body: note.sign(body, verifier, key.sign)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m gov_chain.ledger.abci", description="One node's application.")
    parser.add_argument("--data", type=Path, required=True, help="the node's data directory")
    parser.add_argument(
        "--socket", type=Path, required=True, help="where to listen (CometBFT's proxy_app: unix://PATH)"
    )
    parser.add_argument("--agency", type=int, help="sign checkpoints as <origin>/<agency>")
    parser.add_argument("--retain", type=int, default=0, help="blocks CometBFT keeps; 0: all")
    parser.add_argument("--snapshots", type=int, default=SNAPSHOTS, help="blocks from one snapshot to the next")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="{asctime} {levelname:<7} {name}: {message}", style="{", level=logging.INFO)
    try:
        run(given.data, given.socket, agency=given.agency, retain=given.retain, snapshots=given.snapshots)
    except LedgerError as error:
        sys.stderr.write(f"{error}\n{error.zh} {error.en} {error.fix_zh} {error.fix_en}\n")
        return 1
    except (sqlite3.Error, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
