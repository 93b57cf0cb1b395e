"""Shares as cosigners hand them to each other: JSON, every field checked before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gov_chain.ledger.core import bls, quorum

MOST = 512
"""Shares of one answer."""


@dataclass(frozen=True, slots=True)
class Share:
    """One validator's signature of a checkpoint's statement. Nothing is verified until `verifies` said so."""

    bls_key: bytes
    size: int
    set_digest: bytes
    body_digest: bytes
    signature: bytes

    @property
    def statement(self) -> bytes:
        return quorum.statement(self.set_digest, self.size, self.body_digest)

    def verifies(self) -> bool:
        return bls.verify(self.bls_key, self.statement, self.signature)

    def as_json(self) -> dict[str, Any]:
        return {
            "bls_key": self.bls_key.hex(),
            "size": self.size,
            "set": self.set_digest.hex(),
            "body": self.body_digest.hex(),
            "signature": self.signature.hex(),
        }


def from_json(value: Any) -> Share:
    """Raises ValueError for what is not of the form."""
    if not isinstance(value, dict):
        raise ValueError("not a share")
    size = value.get("size")
    if type(size) is not int or not 0 < size < 2**40:
        raise ValueError("size")
    return Share(
        _hex(value, "bls_key", bls.PUBLIC_KEY),
        size,
        _hex(value, "set", 32),
        _hex(value, "body", 32),
        _hex(value, "signature", bls.SIGNATURE),
    )


def _hex(value: dict[str, Any], name: str, size: int) -> bytes:
    text = value.get(name)
    if not isinstance(text, str) or len(text) != 2 * size:
        raise ValueError(name)
    data = bytes.fromhex(text)
    if len(data) != size:  # it passes over spaces
        raise ValueError(name)
    return data
