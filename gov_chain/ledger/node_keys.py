"""Which key this node signs with for an agency: the one the ledger says is in force, followed without being told.

Keys of one agency are numbered as on the ledger; number 1 lives under the URI the agency is hosted with, a later one
under that URI and its number (`keys.numbered`). `govchain agency rotate-key` makes them before it proposes them.
"""

from __future__ import annotations

from gov_chain import keys
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.models import NodeKey, SignedTransaction
from gov_chain.ledger.reader import Reader


def in_force(agency: int, reader: Reader) -> NodeKey:
    """The key to sign with; raises `LedgerError("outbox-key-missing")` if this node does not hold it.

    A new number starts after the highest sequence the ledger has seen of it, so that a database restored from before
    the rotation repeats none.
    """
    key = NodeKey.objects.filter(agency=agency).first()
    if key is None:
        raise LedgerError("outbox-key-missing", log=f"agency {agency}")
    number, public_key = _on_ledger(agency, reader)
    if number <= key.key_no:
        return key
    if _held(keys.numbered(key.signer, number)) != public_key:
        raise LedgerError("outbox-key-missing", log=f"agency {agency}: its key {number} here is not the ledger's")
    NodeKey.objects.filter(agency=agency, key_no=key.key_no).update(
        key_no=number, next_sequence=reader.highest_sequence(agency, number) + 1
    )
    return NodeKey.objects.get(agency=agency)


def _held(uri: str) -> bytes | None:
    """Its public key; None if nobody ever made it here. A key store that is away raises: that is another matter."""
    try:
        return keys.signer(uri).public_key
    except keys.KeyStoreError as error:
        if error.code != "key-missing":
            raise
        return None


def signer(key: NodeKey) -> keys.Signer:
    return keys.signer(keys.numbered(key.signer, key.key_no))


def former_key_undecided(key: NodeKey) -> bool:
    """Whether something its former key signed has no outcome yet: later records must not overtake it."""
    signed = SignedTransaction.objects.filter(state=SignedTransaction.State.SIGNED, agency=key.agency)
    return signed.exclude(key_no=key.key_no).exists()


def retired_for_good(agency: int, key_no: int, reader: Reader) -> bool:
    """Whether the committed ledger has retired the key: numbers only rise, so nothing it signed is taken any more."""
    known = reader.key(agency, key_no)
    return known is not None and known.until != 0


def _on_ledger(agency: int, reader: Reader) -> tuple[int, bytes]:
    try:
        known = reader.agency(agency)
    except LedgerError as error:
        if error.code != "agency-unknown":
            raise
        return 1, b""  # Not enrolled: whatever it signs, the ledger will say so.
    return known.key_no, known.ledger_key
