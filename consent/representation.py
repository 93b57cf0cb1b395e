"""Acting for somebody else, as the agent's home agency checks it (docs/decisions/0073).

Before the grant (`check`):

1. a mandate stands beside the consent exactly if the consent names one, and it is that one
2. it is anchored, its issuer's signature holds, it is of a type for acting for others, and in time
3. the matter admits that kind, and is among the mandate's matters
4. it belongs to the open wallet, and its own key binding was made for this very request
5. its issuer says that it counts, for this agent, and has written the use down (`announce`)

and once the grant is final its issuer is asked again (`confirm`).
"""

from __future__ import annotations

from dataclasses import dataclass

from certificates.core import anchors
from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from consent import registry
from consent.core import agreement
from consent.core.agreement import Agreement, AskedTerms
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from gov_chain.core.codec import b64url
from identity import agencies, assurance, peers
from identity.core import jose
from identity.models import Agency, Wallet


@dataclass(frozen=True, slots=True)
class Shown:
    """A mandate as a wallet gives it to its home agency: no names, no numbers."""

    issuer_jwt: str
    kb_jwt: str
    holder_salt: bytes


@dataclass(frozen=True, slots=True)
class Representation:
    issuer: Agency
    commitment: bytes


def check(
    shown: Shown | None, *, agreed: Agreement, asked: AskedTerms, terms: MatterTerms, wallet: Wallet, now: int
) -> Representation | None:
    """Checks 1–4; raises `ConsentError`."""
    if shown is None and agreed.on_behalf_of is None:
        return None
    if shown is None or agreed.on_behalf_of is None:
        raise ConsentError("consent-terms", log="a mandate named and not shown, or shown and not named")
    try:
        _, payload = sd_jwt.peek(shown.issuer_jwt)
    except SdJwtError as error:
        raise ConsentError("certificate-untrusted", log="malformed") from error
    if anchors.commitment_of(payload, shown.issuer_jwt) != agreed.on_behalf_of:
        raise ConsentError("consent-terms", log="another mandate was named")
    certificate = registry.certificate(shown.issuer_jwt)
    kind = registry.type_document(certificate.type, certificate.version)
    if "representation" not in kind:
        raise ConsentError("mandate-not-admitted", log="not a type for acting for others")
    if certificate.expires <= now:
        raise ConsentError("mandate-expired")
    if kind["representation"] not in terms.representation:
        raise ConsentError("mandate-not-admitted")
    require_scope(payload.get("matters"), terms)
    assurance.require(wallet, kind.get("min_assurance", 1))
    try:
        registry.require_holder(certificate, wallet, shown.holder_salt)
        claims = jose.verify(shown.kb_jwt, certificate.holder_jwk, typ="kb+jwt").claims
    except (ConsentError, jose.JoseError) as error:
        raise ConsentError("mandate-not-holder", log=str(error)) from error
    agreement.check_beside(claims, asked=asked, now=now)
    return Representation(issuer=agencies.by_number(certificate.agency), commitment=agreed.on_behalf_of)


def announce(
    representation: Representation, *, home: Agency, wallet: Wallet, terms: MatterTerms, secret: bytes
) -> None:
    """Check 5; raises `ConsentError`, or `IdentityError` peer-unreachable."""
    _ask(
        representation.issuer,
        home,
        "use",
        {
            "commitment": b64url(representation.commitment),
            "agent_number": wallet.citizen.id_number,
            "matter": terms.number,
            "asker": terms.agency,
            "secret": b64url(secret),
        },
    )


def confirm(issuer: Agency, *, home: Agency, handle: bytes) -> None:
    """Raises as `announce` does."""
    _ask(issuer, home, "confirm", {"handle": b64url(handle)})


def require_scope(matters: object, terms: MatterTerms) -> None:
    """`matters` is what is open in the mandate: none listed are all; raises `ConsentError` mandate-other-matter."""
    if not isinstance(matters, list) or (matters and terms.number not in matters):
        raise ConsentError("mandate-other-matter")


def _ask(issuer: Agency, home: Agency, question: str, body: dict[str, object]) -> None:
    try:
        peers.call(sender=home, to=issuer, path=f"/agencies/{issuer.slug}/mandates/{question}", body=body)
    except peers.PeerRefusedError as error:
        if error.remote_code in ConsentError.messages:
            raise ConsentError(error.remote_code, where=question) from error
        raise
