"""What ties an engine to one ledger: the chain's id and the application's state in CometBFT's genesis.json.

Every node of a consortium has the same genesis.json; a node whose store is another ledger's must not take part.
"""

from __future__ import annotations

import json
from typing import Any

from gov_chain.ledger.core.errors import LedgerError

APP_VERSION = 1
"""CometBFT writes it into every header. It changes with what blocks mean, not with the software's version."""


def chain_id(ledger_id: bytes) -> str:
    """`chain_id` of genesis.json, at most 50 characters: the ledger id's first half."""
    return f"govchain-{ledger_id[:16].hex()}"


def app_state(ledger_id: bytes) -> dict[str, str]:
    """`app_state` of genesis.json: the whole ledger id."""
    return {"ledger_id": ledger_id.hex()}


def check(*, ledger_id: bytes, chain: str, state: bytes) -> None:
    """What genesis.json says is this ledger; raises `LedgerError("another-consortium")`."""
    try:
        stated: Any = json.loads(state)
    except (ValueError, RecursionError):
        stated = None
    if chain != chain_id(ledger_id) or stated != app_state(ledger_id):
        raise LedgerError("another-consortium", log=f"this is {chain_id(ledger_id)}, genesis.json is for {chain[:64]}")
