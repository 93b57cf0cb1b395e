"""DIDs: what they say about keys. Pure: a DID, or a document somebody fetched, in; keys and documents out.

    key    did:key   Ed25519, P-256, P-384, BLS12-381 G2 (multicodec, base58btc)
    jwk    did:jwk   Ed25519, P-256
    web    did:web   the address of its document; the document itself comes from `identity.did_resolver`

A DID document here only repeats what the ledger holds; the ledger decides whether a key counts.
"""

from __future__ import annotations


class DidError(ValueError):
    """Not a DID of these methods, or not a document of it. `code` says which, `str` why."""

    def __init__(self, code: str, why: str) -> None:
        self.code = code
        super().__init__(why)


MAX_DID = 1024
"""Characters: far above any key's."""


def method_of(did: str) -> str:
    """`key`, `jwk` or `web`; raises `DidError`: did-malformed, did-method-unknown."""
    parts = did.split(":", 2)
    if len(did) > MAX_DID or len(parts) != 3 or parts[0] != "did" or not parts[2] or not did.isascii():
        raise DidError("did-malformed", "not did:<method>:<identifier>")
    if parts[1] not in ("key", "jwk", "web"):
        raise DidError("did-method-unknown", f"did:{parts[1][:20]} is not known here")
    return parts[1]
