"""Which transactions may enter a mempool, and a block: what refuses one whole, found out without executing a record.

One function decides for CheckTx, PrepareProposal and ProcessProposal, so that an honest proposer never proposes what
others reject. It looks at the header alone, whatever the batch's size, and at bytes it has parsed before;
of the records, only at those that may need a pairing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import sha256

from gov_chain.core.codec import encode
from gov_chain.ledger.core import machine, records, state, transaction
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import View
from gov_chain.ledger.core.transaction import Transaction

MAX_RECORDS = 8192
"""Records in one block: bounds the time a block takes, whoever proposes it."""
MAX_PAIRINGS = 512
"""Records in one block that need a pairing: a second or two, where a block full of them would take minutes."""
REMEMBERED = 32 * 2**20
"""Bytes of transactions that are kept parsed."""


def admit(view: View, parsed: Transaction, *, ledger_id: bytes, time: int) -> None:
    """Judge a transaction at block time `time` after those admitted to this view before; raises `LedgerError`."""
    header = parsed.header
    window = machine.admit(view, header, parsed.header_bytes, parsed.signature, ledger_id=ledger_id, time=time)
    view.put(state.sequence_key(header.agency, header.key_no), window)


class Parsed:
    """Transactions by their bytes, parsed once: a node is shown each by CheckTx, in a proposal, and in its block."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[bytes, tuple[int, Transaction]] = OrderedDict()

    def __call__(self, data: bytes) -> Transaction:
        """Raises `LedgerError`: transaction-too-large, transaction-malformed, root-wrong."""
        if len(data) > transaction.MAX_BYTES:
            raise LedgerError("transaction-too-large", log=f"{len(data)} bytes")
        key = sha256(data).digest()
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found[1]
        parsed = transaction.parse(data)
        self._kept[key] = len(data), parsed
        self._bytes += len(data)
        while self._bytes > self._limit:
            _, (size, _) = self._kept.popitem(last=False)
            self._bytes -= size
        return parsed


def proposal(
    txs: Iterable[bytes], parse: Parsed, view: View, *, ledger_id: bytes, time: int, max_bytes: int
) -> list[bytes]:
    """What of a mempool goes into the next block: in its order, without what would be refused, within the limits."""
    chosen = []
    left, room, pairings = max_bytes, MAX_RECORDS, MAX_PAIRINGS
    for tx in txs:
        try:
            parsed = parse(tx)
            size, count, costly = proto_size(tx), len(parsed.records), pairings_of(parsed)
            if size > left or count > room or costly > pairings:
                break  # not the next one that would fit: an agency's transactions keep their order
            admit(view, parsed, ledger_id=ledger_id, time=time)
        except LedgerError:
            continue
        chosen.append(tx)
        left, room, pairings = left - size, room - count, pairings - costly
    return chosen


def check_proposal(txs: Sequence[bytes], parse: Parsed, view: View, *, ledger_id: bytes, time: int) -> None:
    """Raises `LedgerError` for the first transaction that no honest proposer would have put there."""
    count = pairings = 0
    for tx in txs:
        parsed = parse(tx)
        admit(view, parsed, ledger_id=ledger_id, time=time)
        count += len(parsed.records)
        pairings += pairings_of(parsed)
        if count > MAX_RECORDS or pairings > MAX_PAIRINGS:
            raise LedgerError("transaction-too-large", log=f"a block of {count} records, {pairings} pairings")


_COSTLY = tuple(encode([kind])[1:] for kind in (records.EQUIVOCATION, records.PROPOSE))


def pairings_of(parsed: Transaction) -> int:
    """Records of a transaction for which `machine` may have to work out a pairing."""
    maybe = [each for each in parsed.records if each[1:].startswith(_COSTLY)]
    judged = [each for each in records.decode_all(maybe) if not isinstance(each, str)]
    return min(sum(map(records.needs_pairing, judged)), machine.MAX_PAIRINGS)


def proto_size(tx: bytes) -> int:
    """Bytes a transaction takes in a block: protobuf's tag and length before it."""
    return 1 + max(1, -(-len(tx).bit_length() // 7)) + len(tx)
