"""Whose signature a certificate bears: by a key its issuer had when it anchored the certificate, and not a void one.

Two keys stand behind a certificate: the issue key that signed it and the ledger key that anchored it. If either was
revoked from an entry at or before the anchor, the certificate is not good, whoever made it: docs/decisions/0031.
"""

from __future__ import annotations

from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from certificates.formats.sd_jwt import SdJwt, Verified
from gov_chain.ledger import registry
from gov_chain.ledger.reader import Reader


def verify(shown: SdJwt, *, reader: Reader, agency: int, anchor: int | None) -> Verified:
    """`anchor` is the entry that anchors it; None: it is not anchored, and only the key in force now is asked.

    Raises `SdJwtError`: issuer-key-revoked, or what `sd_jwt.verify` says under the key in force at the anchor; and
    `LedgerError("agency-unknown")`.
    """
    keys = registry.keys_by(reader, agency, reader.size if anchor is None else anchor)
    first: SdJwtError | None = None
    for key in keys if anchor is not None else keys[:1]:
        try:
            verified = sd_jwt.verify(shown, issuer_key=key.issue_key)
        except SdJwtError as error:
            first = first or error
            continue
        if anchor is not None and any(registry.void_at(each, anchor) for each in (key, keys[0])):
            raise SdJwtError("issuer-key-revoked", log=f"agency {agency}, entry {anchor}")
        return verified
    raise first or SdJwtError("sd-jwt-signature", log=f"agency {agency} has no key")
