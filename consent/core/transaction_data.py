"""The terms offered to a wallet that knows them, as one OpenID4VP 1.0 `transaction_data` entry (§5.1, §8.4).

The entry names the registered matter by digest; the readable text is the registered document, which
the wallet fetches by that digest. The wallet signs SHA-256 of the exact entry text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from consent.core.matter import MatterTerms
from gov_chain.core.codec import b64url, b64url_decode, canonical_json, sha256

TYPE = "urn:govchain:consent:1"


def entry(terms: MatterTerms, *, request_id: str, expires: int) -> str:
    """The one entry of a request: the same bytes however often the request is fetched."""
    return b64url(
        canonical_json(
            {
                "type": TYPE,
                "credential_ids": [requested.slug for requested in terms.types],
                "matter": {"number": terms.number, "version": terms.version, "digest": terms.digest.hex()},
                "agency": {"number": terms.agency},
                "request_id": request_id,
                "expires": expires,
                "transaction_data_hashes_alg": ["sha-256"],
            }
        )
    )


def entry_hash(text: str) -> str:
    """What a key-binding JWT's `transaction_data_hashes` holds for this entry."""
    return b64url(sha256(text.encode("ascii")))


def parse(text: object) -> dict[str, Any]:
    """The object inside an entry; raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("transaction data is text")
    try:
        value = json.loads(b64url_decode(text))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("transaction data is an object")
    return value


def offered(wallet_metadata: Mapping[str, Any] | None) -> bool:
    """Whether the wallet said it knows our terms. Others must refuse what they do not know, so get none."""
    supported = (wallet_metadata or {}).get("transaction_data_types_supported")
    return isinstance(supported, list) and TYPE in supported
