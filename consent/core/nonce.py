"""The nonce of a presentation request: a commitment to what the citizen agrees to.

    nonce = base64url(SHA-256("govchain/request/v1\\n" ‖ matter u16 ‖ version u16 ‖ request id ‖ salt))

integers big-endian, the request id as its 16 UUID bytes, the salt 16 random bytes. A wallet that
knows nothing of consent still signs this nonce in its key-binding JWT, so the issuer's node can check
which matter and which request a forwarded signature was made for.
"""

from __future__ import annotations

import uuid

from gov_chain.core.codec import b64url, sha256

PREFIX = b"govchain/request/v1\n"
SALT_BYTES = 16


def derive(*, matter: int, version: int, request_id: uuid.UUID, salt: bytes) -> str:
    """The nonce text; `salt` is 16 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError("the salt of a request nonce has 16 bytes")
    return b64url(sha256(PREFIX, matter.to_bytes(2, "big"), version.to_bytes(2, "big"), request_id.bytes, salt))
