"""Status lists: one bit array, published as Token Status List (IETF draft) and as Bitstring Status List 1.0 (W3C).

The two put entry 0 at different ends of a byte: Token Status List counts from the least significant bit (§4.1),
Bitstring Status List from the most significant (§2.2). `Statuses` holds what both are made from. Decoders cap what
they decompress, and an index outside the list is an error, never "valid".
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from gov_chain.core.codec import b64url, b64url_decode

MIN_ENTRIES = 131_072
"""Bitstring Status List §6.1: fewer would tell holders apart. Any list here has at least as many."""
MAX_BYTES = 4 * 1024 * 1024
"""A decompressed list: 32 million entries of one bit."""

Status = Literal["valid", "revoked", "suspended"]
TOKEN_STATUS: Mapping[int, Status] = {0: "valid", 1: "revoked", 2: "suspended"}
"""Token Status List §7.1: 0x00 VALID, 0x01 INVALID, 0x02 SUSPENDED."""

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SPREAD = [sum((byte >> at & 1) << 2 * at for at in range(8)) for byte in range(256)]


class StatusListError(ValueError):
    """Not a status list, or no such entry."""


class Statuses:
    """Two bits an entry, revoked and suspended, least significant bit first. Revoked wins over suspended."""

    def __init__(self, size: int, revoked: bytes | None = None, suspended: bytes | None = None) -> None:
        if size < MIN_ENTRIES or size % 8 or size > MAX_BYTES * 2:
            raise StatusListError(f"a list has {MIN_ENTRIES} entries or more, a multiple of 8")
        self.size = size
        self.revoked = bytearray(size // 8 if revoked is None else revoked)
        self.suspended = bytearray(size // 8 if suspended is None else suspended)
        if len(self.revoked) != size // 8 or len(self.suspended) != size // 8:
            raise StatusListError("the bits are not as many as the entries")

    def __getitem__(self, index: int) -> Status:
        at, bit = self._place(index)
        return "revoked" if self.revoked[at] & bit else "suspended" if self.suspended[at] & bit else "valid"

    def put(self, status: Status, indexes: Iterable[int]) -> None:
        """Give entries a status."""
        for index in indexes:
            at, bit = self._place(index)
            self.revoked[at] = self.revoked[at] | bit if status == "revoked" else self.revoked[at] & ~bit
            self.suspended[at] = self.suspended[at] | bit if status == "suspended" else self.suspended[at] & ~bit

    def token(self) -> dict[str, Any]:
        """The `status_list` claim (§5.1): two bits an entry."""
        pairs = zip(self.revoked, self.suspended, strict=True)
        wide = b"".join((_SPREAD[r] | _SPREAD[s & ~r] << 1).to_bytes(2, "little") for r, s in pairs)
        return {"bits": 2, "lst": token_encode(wide)}

    def bitstring(self, purpose: Literal["revocation", "suspension"]) -> str:
        """The `encodedList` of a BitstringStatusList for one purpose."""
        bits = self.revoked if purpose == "revocation" else self.suspended
        return bitstring_encode(bytes(bits).translate(_REVERSED))

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self.size:
            raise StatusListError(f"entry {index} of a list of {self.size}")
        return index >> 3, 1 << (index & 7)


# Token Status List


def token_encode(data: bytes) -> str:
    """§4.1: ZLIB at the highest level, base64url without padding."""
    return b64url(zlib.compress(data, 9))


def token_status(status_list: Mapping[str, Any], index: int) -> int:
    """The value of an entry of a `status_list` claim; raises `StatusListError`."""
    bits, text = status_list.get("bits"), status_list.get("lst")
    if bits not in (1, 2, 4, 8) or type(bits) is not int or not isinstance(text, str):
        raise StatusListError("bits or lst")
    data = _inflated(_decoded(text), zlib.MAX_WBITS)
    if index < 0 or index * bits >= len(data) * 8:
        raise StatusListError(f"entry {index} is outside the list")
    byte = data[index * bits >> 3]
    return byte >> (index * bits & 7) & (1 << bits) - 1


# Bitstring Status List


def bitstring_encode(data: bytes) -> str:
    """§3.3: GZIP, multibase base64url. The same bits always give the same text."""
    return "u" + b64url(gzip.compress(data, 9, mtime=0))


def bitstring_bit(encoded: str, index: int, *, size: int = 1) -> int:
    """The value of an entry of `size` bits; raises `StatusListError`, also for a list that is too short (§3.2)."""
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise StatusListError("encodedList is not multibase base64url")
    data = _inflated(_decoded(encoded[1:]), zlib.MAX_WBITS | 16)
    if len(data) * 8 < MIN_ENTRIES * size:
        raise StatusListError("the list has fewer entries than allowed")
    if index < 0 or size < 1 or (index + 1) * size > len(data) * 8:
        raise StatusListError(f"entry {index} is outside the list")
    value = 0
    for at in range(index * size, (index + 1) * size):
        value = value << 1 | data[at >> 3] >> (7 - (at & 7)) & 1
    return value


def _decoded(text: str) -> bytes:
    if len(text) > MAX_BYTES:
        raise StatusListError("the list is too large")
    try:
        return b64url_decode(text)
    except ValueError as error:
        raise StatusListError("not base64url") from error


def _inflated(data: bytes, wbits: int) -> bytes:
    """Decompressed up to the cap, one member, nothing after it."""
    inflater = zlib.decompressobj(wbits)
    try:
        found = inflater.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise StatusListError("not compressed as it should be") from error
    if inflater.unconsumed_tail:
        raise StatusListError("the list is too large")
    if not inflater.eof or inflater.unused_data:
        raise StatusListError("cut short, or followed by something else")
    return found
