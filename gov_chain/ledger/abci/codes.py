"""The number of each refusal as CometBFT carries it: in a CheckTx answer, and in a block's results.

Results are hashed into the next header, so a number never changes its meaning. 0 is success. What is not here is no
refusal but this node's own failure, such as rules it does not know yet: it stops.
"""

from __future__ import annotations

CODESPACE = "govchain"
CODES = {
    "transaction-malformed": 1,
    "transaction-too-large": 2,
    "root-wrong": 3,
    "ledger-id-wrong": 4,
    "key-unknown": 5,
    "key-retired": 6,
    "signature-wrong": 7,
    "agency-suspended": 8,
    "sequence-too-far": 9,
    "sequence-too-old": 10,
    "sequence-used": 11,
    "transaction-expired": 12,
    "valid-until-too-far": 13,
    "too-many-refused": 14,
}
NAMES = {number: code for code, number in CODES.items()}
