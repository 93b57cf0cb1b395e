"""The two locks on a presentation, as compact JWEs (RFC 7516, RFC 7518 §4.5, §4.6).

    inner   ECDH-ES to the request's own key       only the asking agency opens it
    outer   dir under the one-time key             only after the home agency released that key

A wallet of another make sends the inner one alone. Compression is refused (a bomb needs no key),
and only the algorithms named here are accepted, whatever the header says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

from gov_chain.core.codec import b64url_decode

MAX_CHARS = 48 * 1024
ONE_TIME_KEY_BYTES = 32


class MalformedEnvelopeError(ValueError):
    """Not a JWE of the two accepted forms."""


class LockedEnvelopeError(ValueError):
    """The key does not open it."""


@dataclass(frozen=True, slots=True)
class OuterHeader:
    handle: bytes
    recorder: str


class _Registry(jwe.JWERegistry):
    max_ciphertext_length = MAX_CHARS


def _registry(algorithm: str) -> jwe.JWERegistry:
    return _Registry(algorithms=[algorithm, "A256GCM", "A128GCM"], strict_check_header=False)


def header(token: str) -> dict[str, Any]:
    """The unauthenticated protected header; raises `MalformedEnvelopeError`."""
    if len(token) > MAX_CHARS or token.count(".") != 4:
        raise MalformedEnvelopeError("not a compact JWE")
    try:
        value = json.loads(b64url_decode(token.split(".", 1)[0]))
    except (ValueError, RecursionError) as error:
        raise MalformedEnvelopeError("not a compact JWE") from error
    if not isinstance(value, dict) or "zip" in value or "crit" in value:
        raise MalformedEnvelopeError("header not accepted")
    return value


def is_outer(head: dict[str, Any]) -> bool:
    """Whether this is the form with two locks."""
    return head.get("alg") == "dir"


def outer_header(head: dict[str, Any]) -> OuterHeader:
    """Which grant and which home agency the outer lock names; raises `MalformedEnvelopeError`."""
    handle, recorder = head.get("kid"), head.get("iss")
    if head.get("enc") != "A256GCM" or not isinstance(handle, str) or not isinstance(recorder, str):
        raise MalformedEnvelopeError("header not accepted")
    try:
        raw = b64url_decode(handle)
    except ValueError as error:
        raise MalformedEnvelopeError("handle") from error
    if len(raw) != 32:
        raise MalformedEnvelopeError("handle")
    return OuterHeader(handle=raw, recorder=recorder)


def seal_inner(plaintext: bytes, *, key: dict[str, Any], kid: str) -> str:
    """Encrypt to a public P-256 JWK."""
    head = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": kid}
    return jwe.encrypt_compact(head, plaintext, ECKey.import_key(key), registry=_registry("ECDH-ES"))


def open_inner(token: str, *, key: dict[str, Any]) -> bytes:
    """Decrypt with a private P-256 JWK; raises `MalformedEnvelopeError` or `LockedEnvelopeError`."""
    if header(token).get("alg") != "ECDH-ES":
        raise MalformedEnvelopeError("header not accepted")
    return _open(token, ECKey.import_key(key), "ECDH-ES")


def seal_outer(plaintext: str, *, key: bytes, handle: str, recorder: str) -> str:
    """Encrypt an inner JWE once more, under the one-time key."""
    head = {"alg": "dir", "enc": "A256GCM", "kid": handle, "iss": recorder}
    return jwe.encrypt_compact(head, plaintext.encode(), OctKey.import_key(key), registry=_registry("dir"))


def open_outer(token: str, *, key: bytes) -> str:
    """The inner JWE; raises `MalformedEnvelopeError` or `LockedEnvelopeError`."""
    if header(token).get("alg") != "dir":
        raise MalformedEnvelopeError("header not accepted")
    try:
        return _open(token, OctKey.import_key(key), "dir").decode("ascii")
    except UnicodeDecodeError as error:
        raise LockedEnvelopeError("inner") from error


def _open(token: str, key: ECKey | OctKey, algorithm: str) -> bytes:
    try:
        opened = jwe.decrypt_compact(token, key, registry=_registry(algorithm)).plaintext
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise LockedEnvelopeError("not opened by this key") from error
    if opened is None:
        raise LockedEnvelopeError("empty")
    return opened
