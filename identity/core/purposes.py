"""What an agency's keys are for, and their algorithms."""

from __future__ import annotations

from typing import Literal

from gov_chain.keys import Algorithm

Purpose = Literal["ledger", "issue", "request", "seal"]

ALGORITHMS: dict[Purpose, Algorithm] = {
    "ledger": "EdDSA",
    "issue": "ES256",
    "request": "ES256",
    "seal": "A256GCM",
}
