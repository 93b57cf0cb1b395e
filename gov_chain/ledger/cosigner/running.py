"""A cosigner at work: its turns in one thread, each peer's questions in another, its door in this one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gov_chain.keys import Sealer
from gov_chain.ledger.core import bls
from gov_chain.ledger.cosigner import keyfile
from gov_chain.ledger.cosigner.cosigner import Cosigner
from gov_chain.ledger.cosigner.door import Door
from gov_chain.ledger.cosigner.memory import Memory
from gov_chain.ledger.cosigner.peers import Peer
from gov_chain.ledger.serving import serve


def opened(ledger: Path, keys: Path | None, sealer: Sealer | None) -> Cosigner:
    """The cosigner of a node's ledger, with the key in the directory `keys`; without, an observer.

    Raises `LedgerError`, `CosignerError`, `KeyStoreError`.
    """
    if keys is None or sealer is None:
        return Cosigner(ledger)
    secret = keyfile.unseal(keys, sealer)
    public = bls.sk_to_pk(secret)

    def memory(ledger_id: bytes) -> Memory:
        found = Memory(keys, ledger_id=ledger_id, bls_key=public, new=not keyfile.started(keys))
        keyfile.mark_started(keys)
        return found

    return Cosigner(ledger, memory=memory, secret=secret)


@contextmanager
def at_work(cosigner: Cosigner, peers: Sequence[str]) -> Iterator[None]:
    """Its threads."""
    worker = threading.Thread(target=cosigner.run, name="cosigner", daemon=True)
    asked = [Peer(url, cosigner) for url in peers]
    worker.start()
    for each in asked:
        each.start()
    try:
        yield
    finally:
        for each in asked:
            each.stop()
        cosigner.close()
        worker.join()
        cosigner.release()


def run(cosigner: Cosigner, *, peers: Sequence[str], host: str, port: int, ready: Callable[[str], None]) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit status."""
    door = Door(cosigner)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with at_work(cosigner, peers):
        return serve(door, host=host, port=port, ready=ready, closing=door.close)
