"""X.509 for the keys that sign credentials and requests (RFC 5280; HAIP 1.0 §4.5, §5).

The consortium's CA certifies each agency's P-256 keys. `x5c` carries the leaf alone: it is not
self-signed, and a trust anchor never travels with what it anchors. A leaf is kept, so that its
digest (`x509_hash` client ids) stays the same; a new one is made each calendar year and is valid
for two, and whenever the key, the CA's key or the agency's address changes.

The CA's key is on the node of the consortium's first home agency. Another node asks there for its agencies' leaves
(`POST /agencies/<home>/certificates`, signed as between agencies); what is certified is the key that the ledger has.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any, Literal, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils import timezone

from gov_chain import keys
from gov_chain.core.codec import canonical_json, sha256
from identity import agencies, peers
from identity.core import jwk as jwks
from identity.errors import IdentityError
from identity.models import Agency, KeyCertificate

Purpose = Literal["issue", "request"]

CA_NAME = "GovChain Consortium CA"
CA_YEARS = 20
LEAF_YEARS = 2


def ca_uri() -> str:
    return f"{settings.GOVCHAIN.keys}:consortium/ca"


def authority() -> Agency | None:
    """The agency that runs the CA; None before any is known."""
    return Agency.objects.filter(home=True).order_by("number").first()


def holds_ca() -> bool:
    """Whether the CA's key is on this node."""
    agency = authority()
    return agency is None or agency.hosted


def chain(agency: Agency, purpose: Purpose) -> list[str]:
    """The `x5c` value for the agency's key: base64 DER of the leaf, without the trust anchor."""
    return [base64.b64encode(leaf(agency, purpose)).decode()]


def leaf(agency: Agency, purpose: Purpose) -> bytes:
    """DER of the certificate of the agency's current key. Not in a transaction: the CA may be on another node.

    Raises `IdentityError` peer-unreachable, or `PeerRefusedError`.
    """
    public_key = agencies.signer(agency, purpose).public_key
    above = authority()
    if above is None or above.hosted:
        return certify(agency, purpose, public_key)
    content = ["leaf from", above.slug, *_subject(agency, purpose, public_key), timezone.now().year]
    return _kept(content, agency.slug, purpose, lambda: _asked_for(agency, purpose, public_key, above))


def certify(agency: Agency, purpose: Purpose, public_key: bytes) -> bytes:
    """DER of a certificate of `public_key` (33 bytes) under the CA on this node."""
    authority = keys.signer(ca_uri())
    anchor = x509.load_der_x509_certificate(ca_certificate())
    year = timezone.now().year
    content = ["leaf", *_subject(agency, purpose, public_key), authority.key_id, year]

    def build() -> x509.Certificate:
        return (
            _builder(public_key, authority.public_key, year, LEAF_YEARS)
            .subject_name(_name(agency.slug, agency.name_zh))
            .issuer_name(anchor.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(agency.url)]), critical=False)
            .sign(_SignerKey(authority), hashes.SHA256())
        )

    return _kept(content, agency.slug, purpose, build)


def _subject(agency: Agency, purpose: Purpose, public_key: bytes) -> list[str]:
    return [agency.slug, agency.name_zh, agency.url, purpose, public_key.hex()]


def _asked_for(agency: Agency, purpose: Purpose, public_key: bytes, above: Agency) -> x509.Certificate:
    path = f"/agencies/{above.slug}/certificates"
    answer = peers.call(sender=agency, to=above, path=path, body={"purpose": purpose})
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(answer["certificate"], validate=True))
        key = certificate.public_key()
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise IdentityError("peer-unreachable", name=above.name_zh, log="no certificate in the answer") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or jwks.compressed(key) != public_key:
        raise IdentityError("peer-unreachable", name=above.name_zh, log="a certificate of another key")
    return certificate


def ca_certificate() -> bytes:
    """DER of the consortium's trust anchor."""
    authority = keys.signer(ca_uri())

    def build() -> x509.Certificate:
        return (
            _builder(authority.public_key, authority.public_key, timezone.now().year, CA_YEARS)
            .subject_name(_name(CA_NAME, settings.GOVCHAIN.ledger_origin))
            .issuer_name(_name(CA_NAME, settings.GOVCHAIN.ledger_origin))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(_SignerKey(authority), hashes.SHA256())
        )

    return _kept(["ca", authority.public_key.hex(), settings.GOVCHAIN.ledger_origin], "consortium", "ca", build)


def _kept(content: list[Any], subject: str, purpose: str, build: Any) -> bytes:
    """The certificate made for `content` earlier, or a new one; of two makers at once the first wins."""
    digest = sha256(canonical_json(content))
    row = KeyCertificate.objects.filter(content_digest=digest).first()
    if row is None:
        certificate: x509.Certificate = build()
        row, _ = KeyCertificate.objects.get_or_create(
            content_digest=digest,
            defaults={
                "subject": subject,
                "purpose": purpose,
                "der": certificate.public_bytes(serialization.Encoding.DER),
                "not_after": certificate.not_valid_after_utc,
            },
        )
    return bytes(row.der)


def _builder(public_key: bytes, authority: bytes, year: int, years: int) -> x509.CertificateBuilder:
    key = jwks.p256(public_key)
    return (
        x509.CertificateBuilder()
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(year, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(year + years, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(jwks.p256(authority)), critical=False)
    )


def _name(common_name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class _SignerKey(ec.EllipticCurvePrivateKey):
    """Lets the certificate builder sign with a key that never leaves its store."""

    def __init__(self, signer: keys.Signer) -> None:
        self._signer = signer

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return jwks.p256(self._signer.public_key)

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        signature = self._signer.sign(bytes(data))
        return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))

    @property
    def curve(self) -> ec.EllipticCurve:
        return ec.SECP256R1()

    @property
    def key_size(self) -> int:
        return 256

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        raise NotImplementedError("this key only signs")

    def private_numbers(self) -> NoReturn:
        raise NotImplementedError("the key stays in its store")

    def private_bytes(self, *args: object) -> NoReturn:
        raise NotImplementedError("the key stays in its store")

    def __copy__(self) -> _SignerKey:
        return self

    def __deepcopy__(self, memo: object) -> _SignerKey:
        return self
