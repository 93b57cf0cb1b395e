"""The signed request of an OpenID4VP 1.0 verifier, built from a registered matter and from nothing else.

§5 (request), §5.10 (request_uri), §6 (DCQL), §8.3 (direct_post.jwt), §5.9 (x509_hash); HAIP 1.0 §5.
The client identifier carries its prefix everywhere, also in the audience of the answer.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from consent.core.matter import MatterTerms, RequestedType
from gov_chain.core.codec import b64url, sha256

TYP = "oauth-authz-req+jwt"
AUDIENCE = "https://self-issued.me/v2"
ENC_VALUES = ("A256GCM", "A128GCM")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParts:
    client_id: str
    response_uri: str
    nonce: str
    state: str
    response_key: dict[str, Any]
    """Public JWK (P-256) with `kid`."""
    issued: int
    expires: int


def client_id(leaf: str) -> str:
    """`x509_hash:` client identifier of a leaf certificate given as base64 DER (the form of `x5c`)."""
    return f"x509_hash:{b64url(sha256(base64.b64decode(leaf)))}"


def claims(
    terms: MatterTerms, parts: RequestParts, *, wallet_nonce: str | None = None, transaction_data: str | None = None
) -> dict[str, Any]:
    """The claims of the request object."""
    body: dict[str, Any] = {
        "client_id": parts.client_id,
        "aud": AUDIENCE,
        "response_type": "vp_token",
        "response_mode": "direct_post.jwt",
        "response_uri": parts.response_uri,
        "nonce": parts.nonce,
        "state": parts.state,
        "iat": parts.issued,
        "exp": parts.expires,
        "dcql_query": dcql(terms),
        "client_metadata": {
            "jwks": {"keys": [{**parts.response_key, "use": "enc", "alg": "ECDH-ES"}]},
            "encrypted_response_enc_values_supported": list(ENC_VALUES),
            "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}},
        },
    }
    if wallet_nonce is not None:
        body["wallet_nonce"] = wallet_nonce
    if transaction_data is not None:
        body["transaction_data"] = [transaction_data]
    return body


def dcql(terms: MatterTerms) -> dict[str, Any]:
    """The query: exactly the matter's types and fields, with and without the optional ones."""
    return {"credentials": [_credential(requested) for requested in terms.types]}


def _credential(requested: RequestedType) -> dict[str, Any]:
    required = [field.id for field in requested.named(requested.required)]
    optional = [field.id for field in requested.named(requested.optional)]
    query: dict[str, Any] = {
        "id": requested.slug,
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [requested.vct]},
        "claims": [{"id": name, "path": [name]} for name in required + optional],
    }
    if optional:
        query["claim_sets"] = [required + optional, required]
    return query
