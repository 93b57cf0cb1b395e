"""What any holder of an SD-JWT VC can do, from the published specifications alone.

JWS (RFC 7515, ES256), JWE (RFC 7516, ECDH-ES and dir with A256GCM), SD-JWT and key binding
(RFC 9901 §4, §7.2). Written apart from the platform's own code on purpose: the demo is also a
second opinion on what goes over the wire.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from gov_chain.core.codec import b64url, b64url_decode

Json = dict[str, Any]


class UnacceptableError(Exception):
    """The wallet will not go on: what it was shown does not hold."""


class HolderKey:
    """A P-256 key that signs and shows its public half."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64url(numbers.x.to_bytes(32)),
            "y": b64url(numbers.y.to_bytes(32)),
        }

    def jws(self, header: Json, claims: Json) -> str:
        """Compact JWS, ES256."""
        signed = f"{_part({'alg': 'ES256', **header})}.{_part(claims)}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64url(r.to_bytes(32) + s.to_bytes(32))}"


def _part(value: Json) -> str:
    return b64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def read_jws(token: str) -> tuple[Json, Json]:
    """Header and claims, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(b64url_decode(header)), json.loads(b64url_decode(claims))


def verify_jws(token: str, key: ec.EllipticCurvePublicKey) -> Json:
    """Claims of an ES256 JWS; raises InvalidSignature."""
    signed, _, signature = token.rpartition(".")
    raw = b64url_decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    return read_jws(token)[1]


def encrypt_to(jwk: Json, plaintext: bytes, *, header: Json | None = None) -> str:
    """Compact JWE to a P-256 key: ECDH-ES, A256GCM."""
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], **(header or {})}
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    return jwe.encrypt_compact(protected, plaintext, ECKey.import_key(public))


def encrypt_under(key: bytes, plaintext: bytes, *, header: Json) -> str:
    """Compact JWE under a symmetric key: dir, A256GCM. `header` may carry `kid` and `iss`."""
    registry = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)
    protected = {"alg": "dir", "enc": "A256GCM", **header}
    return jwe.encrypt_compact(protected, plaintext, OctKey.import_key(key), registry=registry)


@dataclass(frozen=True, slots=True)
class Held:
    """One SD-JWT VC as issued."""

    issuer_jwt: str
    disclosures: tuple[str, ...]
    claims: Json

    @classmethod
    def parse(cls, text: str) -> Held:
        issuer_jwt, *disclosures, tail = text.split("~")
        if tail:
            raise UnacceptableError("a freshly issued certificate carries no key binding")
        payload = read_jws(issuer_jwt)[1]
        digests = set(payload.get("_sd", []))
        for disclosure in disclosures:
            if b64url(hashlib.sha256(disclosure.encode()).digest()) not in digests:
                raise UnacceptableError("a disclosure no digest of the certificate covers")
        return cls(issuer_jwt, tuple(disclosures), payload)

    def fields(self) -> Json:
        """Every selectively disclosable claim."""
        return {name: value for _, name, value in map(_disclosure, self.disclosures)}

    def shown(self, names: list[str]) -> str:
        """The SD-JWT with only `names` disclosed, ending in `~` (what `sd_hash` covers)."""
        kept = [item for item in self.disclosures if _disclosure(item)[1] in names]
        return "~".join([self.issuer_jwt, *kept]) + "~"


def _disclosure(text: str) -> list[Any]:
    value: list[Any] = json.loads(b64url_decode(text))
    return value


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request whose signature and client id held (OpenID4VP 1.0 §5)."""

    jws: str
    claims: Json
    leaf: x509.Certificate

    @property
    def leaf_key(self) -> bytes:
        """The signing key, 33 bytes (SEC 1 compressed)."""
        key = self.leaf.public_key()
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def read_request(jws: str, *, client_id: str, wallet_nonce: str | None) -> Request:
    """Check a request object against its own certificate and the `x509_hash` client id."""
    header, _ = read_jws(jws)
    if header.get("typ") != "oauth-authz-req+jwt" or header.get("alg") != "ES256":
        raise UnacceptableError("not a signed request object")
    der = base64.b64decode(header["x5c"][0])
    leaf = x509.load_der_x509_certificate(der)
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    claims = verify_jws(jws, key)
    if client_id != f"x509_hash:{b64url(hashlib.sha256(der).digest())}" or claims["client_id"] != client_id:
        raise UnacceptableError("the client id is not the digest of the request's certificate")
    if claims["aud"] != "https://self-issued.me/v2" or claims["response_mode"] != "direct_post.jwt":
        raise UnacceptableError("a request of another kind")
    if claims.get("wallet_nonce") != wallet_nonce:
        raise UnacceptableError("the request does not answer this wallet's nonce")
    if claims.get("exp", time.time() + 1) <= time.time():
        raise UnacceptableError("the request has expired")
    return Request(jws, claims, leaf)


def wanted(request: Request, held: Held) -> tuple[str, list[list[str]]]:
    """The DCQL query this certificate answers: its id, and the claim sets from most to least."""
    for query in request.claims["dcql_query"]["credentials"]:
        if query["format"] == "dc+sd-jwt" and held.claims["vct"] in query["meta"]["vct_values"]:
            by_id = {claim["id"]: claim["path"][0] for claim in query["claims"]}
            sets = query.get("claim_sets") or [list(by_id)]
            return query["id"], [[by_id[name] for name in chosen] for chosen in sets]
    raise UnacceptableError("no certificate here answers the request")


def key_binding(key: HolderKey, shown: str, request: Request, extra: Json | None = None) -> str:
    """KB-JWT over exactly the bytes shown (RFC 9901 §4.3)."""
    claims = {
        "iat": int(time.time()),
        "aud": request.claims["client_id"],
        "nonce": request.claims["nonce"],
        "sd_hash": b64url(hashlib.sha256(shown.encode()).digest()),
        **(extra or {}),
    }
    return key.jws({"typ": "kb+jwt"}, claims)


def random_text() -> str:
    return secrets.token_urlsafe(24)
