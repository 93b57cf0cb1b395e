"""Compact JWS (RFC 7515) with the algorithm fixed by the key, never by the token (RFC 8725 §3.1).

Verifying, in this order:

1. the token is at most 64 KiB: three canonical base64url parts
2. the header is one JSON object without repeated members
3. nothing in it that brings a key or an extension of its own: `crit`, `b64`, `jku`, `x5u`, and
   also `jwk` and `x5c` unless the caller said it looks at them itself
4. `typ` is the expected one; `alg` is the key's algorithm
5. the signature verifies under the key the caller chose
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError as LibraryError
from joserfc.jwk import ECKey, OKPKey

from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.keys import Signer
from identity.core import jwk as jwks

MAX_TOKEN = 64 * 1024

NEVER = frozenset({"crit", "b64", "jku", "x5u"})
"""Header members that are refused whoever asks."""

KEY_BEARING = frozenset({"jwk", "x5c"})
"""Header members that carry a key: refused unless the caller handles them."""


class _Registry(jws.JWSRegistry):
    """Ours bounds the whole token; the library's 512 bytes of header would not hold an `x5c`."""

    max_header_length = MAX_TOKEN
    max_payload_length = MAX_TOKEN


class JoseError(ValueError):
    """The token is malformed, of another kind, or not signed by the expected key."""


@dataclass(frozen=True, slots=True)
class Jws:
    header: dict[str, Any]
    payload: bytes

    @property
    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object; raises `JoseError` if it is none."""
        return _object(self.payload)


def sign(header: Mapping[str, Any], payload: bytes | Mapping[str, Any], signer: Signer) -> str:
    """A compact JWS over `payload` (an object is written as JSON); `alg` is the signer's."""
    body = payload if isinstance(payload, bytes) else _json(payload)
    signing_input = f"{b64url(_json({'alg': signer.algorithm, **header}))}.{b64url(body)}"
    return f"{signing_input}.{b64url(signer.sign(signing_input.encode()))}"


def peek(token: str, *, allow: Collection[str] = ()) -> Jws:
    """Checks 1–3 without a key: for choosing the key. Nothing in the result is proven yet."""
    if len(token) > MAX_TOKEN:
        raise JoseError("token too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise JoseError("a compact JWS has three parts")
    try:
        header, payload, _ = (b64url_decode(part) for part in parts)
    except ValueError as error:
        raise JoseError("a part is not base64url") from error
    members = _object(header)
    refused = (NEVER | (KEY_BEARING - set(allow))) & members.keys()
    if refused:
        raise JoseError(f"header member not accepted: {', '.join(sorted(refused))}")
    return Jws(members, payload)


def verify(
    token: str, public_key: Mapping[str, Any], *, typ: str | Collection[str], allow: Collection[str] = ()
) -> Jws:
    """The proven content of `token` under the public JWK `public_key`; raises `JoseError`."""
    token_peeked = peek(token, allow=allow)
    expected = [typ] if isinstance(typ, str) else typ
    if token_peeked.header.get("typ") not in expected:
        raise JoseError("another typ than expected")
    try:
        key = jwks.public(public_key)
    except jwks.JwkError as error:
        raise JoseError(str(error)) from error
    algorithm = jwks.algorithm(key)
    if token_peeked.header.get("alg") != algorithm:
        raise JoseError("the algorithm is not the key's")
    imported = OKPKey.import_key(dict(key)) if algorithm == "EdDSA" else ECKey.import_key(dict(key))
    try:
        jws.deserialize_compact(token, imported, registry=_Registry(algorithms=[algorithm], strict_check_header=False))
    except (LibraryError, ValueError) as error:
        raise JoseError("the signature does not verify") from error
    return token_peeked


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _object(data: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise JoseError("a member is repeated")
        return members

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=_no_constant)
        _json({"": value})  # refuses lone surrogates, which no column and no digest takes
    except JoseError:
        raise
    except (ValueError, RecursionError) as error:
        raise JoseError("not JSON") from error
    if not isinstance(value, dict):
        raise JoseError("not a JSON object")
    return value


def _no_constant(name: str) -> None:
    raise JoseError(f"{name} is not JSON")
