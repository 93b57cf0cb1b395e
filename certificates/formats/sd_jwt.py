"""Selective Disclosure for JWTs: RFC 9901, compact serialization, with the SD-JWT VC rules on top.

    <issuer-signed JWT>~<disclosure>~…~[<key binding JWT>]

Pure: keys, time and randomness come as arguments. What `verify` refuses, in the order of RFC 9901 §7.1:

1. more than one reading of the text: bad base64url, duplicate JSON names, trailing parts;
2. an issuer signature that is not ES256 under the expected key, a `typ` that is not a certificate's;
3. an `_sd_alg` other than sha-256, or below the top level;
4. a disclosure that is no array of three (property) or two (element); a property named `_sd` or `...`,
   or already present at its level;
5. a digest met more than once, anywhere, also inside disclosures;
6. a disclosure no digest refers to, or disclosures inside disclosures deeper than plain JSON may nest;
7. a claim that SD-JWT VC wants in the open (§2.2.2.2: iss, nbf, exp, cnf, vct, status …) but was concealed.

Key binding (§4.3, §7.3): `typ` kb+jwt, ES256 under `cnf.jwk`, aud, nonce, a window around iat, and `sd_hash`
over the exact bytes presented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from certificates.core import strict_json
from certificates.core.errors import SdJwtError
from gov_chain.core.codec import b64url, b64url_decode, sha256
from gov_chain.keys import Signer
from identity.core import jose, jwk

TYPES = ("dc+sd-jwt", "vc+sd-jwt")
OPEN_CLAIMS = frozenset(
    {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "anchor_salt", "holder_binding", "_sd_alg"}
)
SALT_BYTES = 16
MAX_TEXT = 64 * 1024
MAX_DISCLOSURES = 256

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Disclosure:
    encoded: str
    name: str | None
    """The property's name; None for an array element."""
    value: Any

    @property
    def digest(self) -> str:
        return b64url(sha256(self.encoded.encode("ascii")))


@dataclass(frozen=True, slots=True)
class SdJwt:
    issuer_jwt: str
    disclosures: tuple[Disclosure, ...]
    key_binding_jwt: str | None

    @property
    def presented(self) -> str:
        """The bytes `sd_hash` covers: everything up to and including the last tilde before the key binding JWT."""
        return "~".join([self.issuer_jwt, *(item.encoded for item in self.disclosures), ""])

    @property
    def text(self) -> str:
        return self.presented + (self.key_binding_jwt or "")


@dataclass(frozen=True, slots=True)
class Verified:
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    """The processed payload: open and disclosed claims, digests removed."""
    disclosed: frozenset[str]
    """Names of the top-level claims that came by disclosure."""


# Issuing


def issue(
    *,
    claims: Mapping[str, Any],
    disclosable: Collection[str],
    header: Mapping[str, Any],
    signer: Signer,
    random: Random,
    decoys: int = 0,
) -> SdJwt:
    """Sign `claims`, with those named in `disclosable` behind salted digests among `decoys` more.

    Digests are sorted, so that their order says nothing of the claims'. Raises `SdJwtError("claim-concealed")`
    or `("claim-reserved")` for names that may not be selectively disclosable.
    """
    for name in disclosable:
        _check_name(name)
        if name in OPEN_CLAIMS:
            raise SdJwtError("claim-concealed", log=name)
    made = [_disclose(name, value, random) for name, value in claims.items() if name in disclosable]
    digests = [item.digest for item in made] + [b64url(sha256(random(32))) for _ in range(decoys)]
    payload: dict[str, Any] = {name: value for name, value in claims.items() if name not in disclosable}
    if set(payload) & {"_sd", "...", "_sd_alg"}:
        raise SdJwtError("claim-reserved")
    if digests:
        payload |= {"_sd": sorted(digests), "_sd_alg": "sha-256"}
    return SdJwt(jose.sign({"typ": TYPES[0], **header}, payload, signer), tuple(made), None)


def _disclose(name: str, value: Any, random: Random) -> Disclosure:
    array = [b64url(random(SALT_BYTES)), name, value]
    return Disclosure(b64url(json.dumps(array, ensure_ascii=False).encode()), name, value)


# Reading


def parse(text: str) -> SdJwt:
    """Take the parts apart; nothing is trusted yet. Raises `SdJwtError`."""
    if len(text) > MAX_TEXT or not text.isascii():
        raise SdJwtError("sd-jwt-malformed", log="size or characters")
    issuer_jwt, *rest = text.split("~")
    if not rest or issuer_jwt.count(".") != 2:
        raise SdJwtError("sd-jwt-malformed", log="parts")
    *encoded, key_binding = rest
    if len(encoded) > MAX_DISCLOSURES:
        raise SdJwtError("sd-jwt-malformed", log="too many disclosures")
    return SdJwt(issuer_jwt, tuple(_disclosure(item) for item in encoded), key_binding or None)


def peek(issuer_jwt: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and payload of an issuer-signed JWT, **unverified**: only to find whose key to check it with."""
    try:
        token = jose.peek(issuer_jwt, allow=("x5c",))
        return token.header, _claims(token)
    except ValueError as error:
        raise SdJwtError("sd-jwt-malformed", log=str(error)) from error


def _claims(token: jose.Jws) -> dict[str, Any]:
    claims = strict_json.loads(token.payload)
    if not isinstance(claims, dict):
        raise ValueError("the payload is no object")
    return claims


def _disclosure(encoded: str) -> Disclosure:
    try:
        array = strict_json.loads(b64url_decode(encoded))
    except ValueError as error:
        raise SdJwtError("disclosure-malformed", log=str(error)) from error
    if not isinstance(array, list) or not 2 <= len(array) <= 3 or not isinstance(array[0], str):
        raise SdJwtError("disclosure-malformed")
    if len(array) == 2:
        return Disclosure(encoded, None, array[1])
    if not isinstance(array[1], str):
        raise SdJwtError("disclosure-malformed")
    _check_name(array[1])
    return Disclosure(encoded, array[1], array[2])


def _check_name(name: str) -> None:
    if name in ("_sd", "...", "_sd_alg"):
        raise SdJwtError("claim-reserved", log=name)


# Verifying


def verify(sd_jwt: SdJwt, *, issuer_key: bytes, types: Collection[str] = TYPES) -> Verified:
    """The claims, once the issuer's signature and every rule above holds.

    `issuer_key`: P-256 point, SEC 1 compressed. Times, issuer and key binding are the caller's to check.
    """
    header, payload = peek(sd_jwt.issuer_jwt)
    if header.get("typ") not in types:
        raise SdJwtError("sd-jwt-typ")
    try:
        jose.verify(sd_jwt.issuer_jwt, jwk.from_public_key(issuer_key), typ=types, allow=("x5c",))
    except ValueError as error:
        raise SdJwtError("sd-jwt-signature", log=str(error)) from error
    claims, disclosed = _unpack(sd_jwt, payload)
    return Verified(header, claims, disclosed)


def check_disclosures(sd_jwt: SdJwt) -> None:
    """Every rule of `verify` but the signature: raises `SdJwtError`. What holds here is not proven by anyone."""
    _, payload = peek(sd_jwt.issuer_jwt)
    _unpack(sd_jwt, payload)


def _unpack(sd_jwt: SdJwt, payload: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    unpacking = _Unpacking(sd_jwt.disclosures)
    claims = unpacking.top(payload)
    if concealed := unpacking.top_names & OPEN_CLAIMS:
        raise SdJwtError("claim-concealed", log=",".join(sorted(concealed)))
    return claims, frozenset(unpacking.top_names)


class _Unpacking:
    """Puts disclosed values in the place of their digests (RFC 9901 §7.1, step 3), remembering what it met."""

    def __init__(self, disclosures: Iterable[Disclosure]) -> None:
        self._by_digest: dict[str, Disclosure] = {}
        for item in disclosures:
            if item.digest in self._by_digest:
                raise SdJwtError("digest-duplicate", log="the same disclosure twice")
            self._by_digest[item.digest] = item
        self._met: set[str] = set()
        self._depth = 0
        self.top_names: set[str] = set()

    def top(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        if payload.get("_sd_alg", "sha-256") != "sha-256":
            raise SdJwtError("sd-alg-unknown")
        opened = {name: value for name, value in payload.items() if name != "_sd_alg"}
        claims = self._object(opened)
        self.top_names = set(claims) - set(opened)
        if set(self._by_digest) - self._met:
            raise SdJwtError("disclosure-unreferenced")
        return claims

    def _value(self, value: Any) -> Any:
        # Each disclosure keeps the limit by itself; nested in one another they could still exhaust the stack.
        if self._depth == strict_json.MAX_DEPTH:
            raise SdJwtError("sd-jwt-malformed", log="nested too deeply")
        self._depth += 1
        if isinstance(value, dict):
            value = self._object(value)
        elif isinstance(value, list):
            value = [kept for item in value for kept in self._element(item)]
        self._depth -= 1
        return value

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        if "..." in value or "_sd_alg" in value:
            raise SdJwtError("claim-reserved", log="out of place")
        found = {name: self._value(item) for name, item in value.items() if name != "_sd"}
        digests = value.get("_sd", [])
        if not isinstance(digests, list):
            raise SdJwtError("sd-jwt-malformed", log="_sd is no array")
        for digest in digests:
            item = self._meet(digest)
            if item is None:
                continue
            if item.name is None:
                raise SdJwtError("disclosure-malformed", log="an element's disclosure in an object")
            if item.name in found:
                raise SdJwtError("claim-collision", log=item.name)
            found[item.name] = self._value(item.value)
        return found

    def _element(self, item: Any) -> list[Any]:
        """What stands for one array element: itself, what was disclosed, or nothing."""
        if not isinstance(item, dict) or "..." not in item:
            return [self._value(item)]
        if len(item) != 1:
            raise SdJwtError("claim-reserved", log="... beside other names")
        disclosed = self._meet(item["..."])
        if disclosed is None:
            return []
        if disclosed.name is not None:
            raise SdJwtError("disclosure-malformed", log="a property's disclosure in an array")
        return [self._value(disclosed.value)]

    def _meet(self, digest: Any) -> Disclosure | None:
        if not isinstance(digest, str):
            raise SdJwtError("sd-jwt-malformed", log="a digest is no string")
        if digest in self._met:
            raise SdJwtError("digest-duplicate")
        self._met.add(digest)
        return self._by_digest.get(digest)


# Presenting


def present(sd_jwt: SdJwt, selected: Collection[str]) -> SdJwt:
    """Keep the disclosures of the top-level claims in `selected`, and those their values refer to."""
    digests = {item.digest: item for item in sd_jwt.disclosures}
    _, payload = peek(sd_jwt.issuer_jwt)
    kept: set[str] = set()

    def keep(value: Any) -> None:
        for digest in _digests(value):
            if digest in digests and digest not in kept:
                kept.add(digest)
                keep(digests[digest].value)

    for digest in payload.get("_sd", []):
        if digest in digests and digests[digest].name in selected:
            kept.add(digest)
            keep(digests[digest].value)
    for name, value in payload.items():
        if name in selected:
            keep(value)
    return SdJwt(sd_jwt.issuer_jwt, tuple(item for item in sd_jwt.disclosures if item.digest in kept), None)


def _digests(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            yield from _digests(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "_sd":
                yield from item
            elif name == "...":
                yield item
            else:
                yield from _digests(item)


def without_key_binding(sd_jwt: SdJwt) -> SdJwt:
    return SdJwt(sd_jwt.issuer_jwt, sd_jwt.disclosures, None)


def without_disclosures(sd_jwt: SdJwt) -> SdJwt:
    """What may be forwarded where nobody is to read: the issuer-signed JWT and the key binding JWT alone."""
    return SdJwt(sd_jwt.issuer_jwt, (), sd_jwt.key_binding_jwt)


# Key binding


def bind(
    sd_jwt: SdJwt,
    *,
    audience: str,
    nonce: str,
    issued_at: int,
    signer: Signer,
    extra: Mapping[str, Any] | None = None,
) -> SdJwt:
    """Add the holder's signature over exactly this presentation."""
    payload = {
        **(extra or {}),
        "iat": issued_at,
        "aud": audience,
        "nonce": nonce,
        "sd_hash": sd_hash(sd_jwt),
    }
    token = jose.sign({"typ": "kb+jwt"}, payload, signer)
    return SdJwt(sd_jwt.issuer_jwt, sd_jwt.disclosures, token)


def sd_hash(sd_jwt: SdJwt) -> str:
    return b64url(sha256(sd_jwt.presented.encode("ascii")))


def verify_key_binding(
    sd_jwt: SdJwt,
    *,
    holder_jwk: Mapping[str, Any],
    expected_audience: str,
    expected_nonce: str,
    now: int,
    max_age: int = 600,
    leeway: int = 60,
    disclosures_present: bool = True,
) -> Mapping[str, Any]:
    """The key binding JWT's claims. `disclosures_present=False` for a forwarded pair, whose `sd_hash` the
    forwarder has checked: the disclosures it covers are not there."""
    if sd_jwt.key_binding_jwt is None:
        raise SdJwtError("key-binding-missing")
    try:
        token = jose.peek(sd_jwt.key_binding_jwt)
        claims = _claims(token)
    except ValueError as error:
        raise SdJwtError("key-binding-malformed", log=str(error)) from error
    if token.header.get("typ") != "kb+jwt":
        raise SdJwtError("key-binding-malformed", log="typ")
    try:
        jose.verify(sd_jwt.key_binding_jwt, holder_jwk, typ="kb+jwt")
    except ValueError as error:
        raise SdJwtError("key-binding-signature", log=str(error)) from error
    if claims.get("aud") != expected_audience:
        raise SdJwtError("key-binding-audience")
    if claims.get("nonce") != expected_nonce:
        raise SdJwtError("key-binding-nonce")
    issued_at = claims.get("iat")
    if type(issued_at) is not int or not now - max_age - leeway <= issued_at <= now + leeway:
        raise SdJwtError("key-binding-stale")
    if not isinstance(claims.get("sd_hash"), str):
        raise SdJwtError("key-binding-malformed", log="sd_hash")
    if disclosures_present and claims["sd_hash"] != sd_hash(sd_jwt):
        raise SdJwtError("key-binding-hash")
    return claims
