"""Frames of an ABCI connection: each message after its length as an unsigned varint. Bytes in, bytes out.

Source: CometBFT spec/abci, "Client and Server": socket protocol; the varint is protobuf's. Strict: a length above
`limit`, one of more than ten bytes, or one spelt longer than it has to be ends the connection.
"""

from __future__ import annotations

MAX_FRAME = 100 * 2**20
"""Bytes of one message; CometBFT's own reader stops there too."""
_MAX_VARINT = 10


class FrameError(Exception):
    """The peer does not speak this protocol; nothing after it can be made sense of."""


def frame(message: bytes) -> bytes:
    """A message as it goes over the wire."""
    length = len(message)
    head = bytearray()
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + message


class Frames:
    """Cuts what arrives, in whatever pieces, into messages."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now; raises `FrameError`."""
        waiting = self._waiting
        waiting += data
        found = []
        start = 0
        while (head := self._length(start)) is not None:
            length, body = head
            if len(waiting) - body < length:
                break
            found.append(bytes(waiting[body : body + length]))
            start = body + length
        del waiting[:start]
        return found

    def end(self) -> None:
        """The peer has closed; raises `FrameError` if it did so within a message."""
        if self._waiting:
            raise FrameError(f"closed within a message, after {len(self._waiting)} bytes of it")

    def _length(self, at: int) -> tuple[int, int] | None:
        """(length, where the message begins); None while the varint is incomplete."""
        length = 0
        for position, byte in enumerate(self._waiting[at : at + _MAX_VARINT]):
            length |= (byte & 0x7F) << 7 * position
            if length > self._limit:
                raise FrameError(f"a message of {length} bytes or more")
            if byte < 0x80:
                if position and not byte:
                    raise FrameError("a length spelt longer than it has to be")
                return length, at + position + 1
        if len(self._waiting) - at >= _MAX_VARINT:
            raise FrameError("a length of more than ten bytes")
        return None
