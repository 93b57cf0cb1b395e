"""How a certificate with a holder key of its own still belongs to one phone: a commitment only the phone can open.

Each certificate has its own holder key, so that nobody who sees two of them can tell they are one person's. The
home agency must nevertheless know that a certificate belongs to the phone it opened: else a stolen phone's certificates
could be used through a thief's own wallet, and ending the phone would end nothing.

When it claims a certificate the phone puts into its proof of possession

    holder_binding = SHA-256("govchain/holder-binding/v1\\n" ‖ 16 random bytes ‖ RFC 7638 thumbprint of the device key)

and the issuer copies it into what it signs. To the issuer and to every verifier it is 32 random-looking bytes, fresh
for each certificate. With a grant the phone shows the 16 bytes to its home agency, which knows the device key and
compares. It needs to know no holder key in advance, and no other phone can be made to fit.
"""

from __future__ import annotations

import hmac

from gov_chain.core.codec import b64url, sha256

CLAIM = "holder_binding"
SALT_BYTES = 16
LENGTH = 43
_LABEL = b"govchain/holder-binding/v1\n"


def commitment(salt: bytes, device_thumbprint: str) -> str:
    """The claim's value, base64url."""
    return b64url(sha256(_LABEL, salt, device_thumbprint.encode("ascii")))


def opens(claim: str, *, salt: bytes, device_thumbprint: str) -> bool:
    if len(salt) != SALT_BYTES:
        return False
    return hmac.compare_digest(commitment(salt, device_thumbprint).encode(), claim.encode())
