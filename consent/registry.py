"""What consent believes: matters, grants, usages and certificates as the ledger has them.

Definition texts come from content-addressed documents whose digest the ledger holds; a page or a
database row is never the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from certificates import issuer_signature
from certificates.core import anchors
from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from consent.core import matter as matter_core
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import Matter
from gov_chain.ledger import documents, following, node
from gov_chain.ledger.core import entries
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.records import USAGE
from identity.core import holder_binding
from identity.core import jwk as jwks
from identity.models import Wallet


def load_terms(number: int, version: int) -> MatterTerms:
    """The matter as registered; raises `ConsentError` matter-unknown or matter-not-in-force."""
    state = node.ledger().matter(number, version)
    if state is None:
        raise ConsentError("matter-unknown")
    if not state.in_force:
        raise ConsentError("matter-not-in-force")
    return _terms(state.digest)


def terms_of(matter: Matter) -> MatterTerms:
    """The matter's registered text, whether in force or not."""
    return _terms(bytes(matter.digest))


def require_in_force(matter: Matter) -> None:
    """Raises `ConsentError` matter-not-in-force unless every issuer has approved it."""
    state = node.ledger().matter(matter.number, matter.version)
    if state is None or not state.in_force:
        raise ConsentError("matter-not-in-force")


def _terms(digest: bytes) -> MatterTerms:
    document = documents.load(digest)
    types = {
        (item["type"], item["version"]): type_document(item["type"], item["version"]) for item in document["types"]
    }
    return matter_core.read(document, digest=digest, types=types)


def type_document(number: int, version: int) -> dict[str, Any]:
    """The registered definition of a type; raises `ConsentError` matter-not-in-force."""
    state = node.ledger().type(number, version)
    if state is None:
        raise ConsentError("matter-not-in-force", log="type unknown to the ledger")
    document: dict[str, Any] = documents.load(state.digest)
    return document


def granted_masks(handle: bytes, *, matter: Matter, recorder: int, now: int) -> list[int]:
    """The fields of a live grant for this matter.

    Raises `ConsentError` grant-unknown, grant-elsewhere, grant-withdrawn or grant-expired. The ledger has the
    last word when the use is recorded: a withdrawal may come in between.
    """
    grant = node.ledger().grant(handle)
    if grant is None:
        raise ConsentError("grant-unknown")
    if (grant.matter, grant.version, grant.recorder) != (matter.number, matter.version, recorder):
        raise ConsentError("grant-elsewhere")
    if grant.withdrawn:
        raise ConsentError("grant-withdrawn")
    if grant.not_after < now:
        raise ConsentError("grant-expired")
    return list(grant.masks)


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant as far as a further use goes."""

    uses_left: int
    closed: str
    """Why no further use can be recorded: the ledger's code; empty while one can."""

    @property
    def withdrawn(self) -> bool:
        return self.closed == "grant-withdrawn"


def standing(handle: bytes, *, now: int) -> Standing:
    """In the ledger's own order. It has the last word when a use is recorded."""
    grant = node.ledger().grant(handle)
    if grant is None:
        return Standing(0, "grant-unknown")
    if grant.withdrawn:
        return Standing(grant.uses_left, "grant-withdrawn")
    if grant.not_after < now:
        return Standing(grant.uses_left, "grant-expired")
    return Standing(grant.uses_left, "" if grant.uses_left else "uses-spent")


def granted_at(index: int) -> bytes:
    """The handle of the grant recorded as entry `index`."""
    return bytes(entries.parse(node.ledger().entry(index)).values["handle"])


def require_usage(*, index: int, handle: bytes, agency: int) -> None:
    """Entry `index` is a final usage record of `handle` by `agency`, and names every field that was granted.

    The key opens all of them: a use that names fewer would keep the others out of the citizen's history.
    Raises `ConsentError` release-not-recorded or release-foreign.
    """
    try:
        entry = entries.parse(node.ledger().entry(index))
    except LedgerError as error:
        raise ConsentError("release-not-recorded", log=error.code) from error
    if entry.kind != USAGE or entry.values["handle"] != handle:
        raise ConsentError("release-not-recorded")
    if entry.agency != agency:
        raise ConsentError("release-foreign")
    grant = node.ledger().grant(handle)
    if grant is None or list(entry.values["masks"]) != list(grant.masks):
        raise ConsentError("release-not-recorded", log="names fewer fields than the key opens")


def request_key(agency: int) -> bytes:
    """The request-signing key of an agency (33 bytes); raises `ConsentError` request-forged."""
    try:
        return node.ledger().agency(agency).request_key
    except LedgerError as error:
        raise ConsentError("request-forged", log=error.code) from error


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    agency: int
    type: int
    version: int
    holder_jwk: dict[str, Any]
    holder_binding: str
    """What ties the holder key to a phone (`identity.core.holder_binding`); empty where nothing does."""
    expires: int


def certificate(issuer_jwt: str) -> IssuedCertificate:
    """An issuer-signed JWT whose anchor is on the ledger and whose signature is that issuer's.

    Raises `ConsentError` certificate-untrusted. Times are the caller's to check.
    """
    try:
        _, payload = sd_jwt.peek(issuer_jwt)
    except SdJwtError as error:
        raise ConsentError("certificate-untrusted", log="malformed") from error
    commitment = anchors.commitment_of(payload, issuer_jwt)
    # The certificate may have been issued on another node this very moment.
    issue = following.within_reach(lambda: node.ledger().issue(commitment)) if commitment else None
    if issue is None:
        raise ConsentError("certificate-untrusted", log="no anchor")
    signed = sd_jwt.SdJwt(issuer_jwt, (), None)
    try:
        claims = issuer_signature.verify(signed, reader=node.ledger(), agency=issue.agency, anchor=issue.index).claims
    except SdJwtError as error:
        raise ConsentError("certificate-untrusted", log=error.code) from error
    confirmation, expires = claims.get("cnf"), claims.get("exp")
    holder = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if not isinstance(holder, dict) or type(expires) is not int:
        raise ConsentError("certificate-untrusted", log="cnf or exp")
    binding = claims.get(holder_binding.CLAIM, "")
    if not isinstance(binding, str) or not binding.isascii():
        raise ConsentError("certificate-untrusted", log=holder_binding.CLAIM)
    return IssuedCertificate(
        agency=issue.agency,
        type=issue.type,
        version=issue.version,
        holder_jwk=holder,
        holder_binding=binding,
        expires=expires,
    )


def require_holder(certificate: IssuedCertificate, wallet: Wallet, holder_salt: bytes) -> None:
    """The certificate belongs to this phone: its key is the device key, or committed to it when it was claimed.

    Raises `ConsentError` holder-mismatch.
    """
    if jwks.thumbprint(certificate.holder_jwk) == wallet.thumbprint:
        return
    if not holder_binding.opens(certificate.holder_binding, salt=holder_salt, device_thumbprint=wallet.thumbprint):
        raise ConsentError("holder-mismatch")
