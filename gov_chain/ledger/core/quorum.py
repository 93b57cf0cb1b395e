"""Quorum certificates: what a validator's BLS key signs of a checkpoint.

A statement is `DOMAIN` ‖ digest of the validator set ‖ size (8 bytes) ‖ SHA-256 of the checkpoint's text. Set and size
stand in it by themselves, so that two statements can be held against each other without the texts.
"""

from __future__ import annotations

DOMAIN = b"govchain/quorum/v1\n"


def statement(set_digest: bytes, size: int, body_digest: bytes) -> bytes:
    """The message to sign."""
    return DOMAIN + set_digest + size.to_bytes(8) + body_digest
