"""What a recorder checks before it puts a citizen's consent on the ledger.

The signed words of a wallet of our make, in this order (`read_agreement`):

1. audience: the client identifier of the asker's request, prefix included
2. nonce: the request's own
3. signed within five minutes of now, either way
4. exactly the one set of terms of that very request (hash of its transaction data)
5. `consent`: a 32-byte handle, one mask a type, a period, a number of uses, the recorder
6. recorder: the agency that is asked to record
7. masks: every required field, none outside the matter
8. period and uses: within the matter's limits
9. `on_behalf_of`, where somebody else is acted for: the 32-byte anchor commitment of the mandate

And the request they belong to (`read_request`), whose signature the caller has verified:

1. a request object for this wallet protocol, not expired
2. the client identifier is the hash of the signing certificate
3. one entry of our transaction data, of a matter of the signing agency, by number, version and digest
4. the query asks for that matter's fields and nothing else

A wallet of another make signs audience and nonce alone (`check_plain`): the nonce commits to matter,
version and request. The asker forwards its signature, at once or, where the issuer could not be reached,
up to a day later, and says when it received it: the signature must have been fresh then. An asker that
names an earlier time gains nothing: the nonce is bound to its one request, a request takes one answer, and
the same signature always leads to the same single-use grant, whose use is on the ledger at the time it
really happens. What a late forwarding can do is what a prompt one could; the day bounds for how long.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent.core import nonce, request_object, transaction_data
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from gov_chain.core.codec import b64url_decode

SIGNED_WITHIN = 300
FORWARDED_WITHIN = 86400
MATTER_MAX = 65535


@dataclass(frozen=True, slots=True)
class AskedTerms:
    """What the request object says is asked; nothing of it is believed before the matter was loaded."""

    matter: int
    version: int
    digest: str
    agency: int
    request_id: str
    entry: str
    client_id: str
    nonce: str
    response_uri: str


@dataclass(frozen=True, slots=True)
class Agreement:
    handle: bytes
    masks: tuple[int, ...]
    not_after: int
    uses: int
    given: int
    on_behalf_of: bytes | None = None
    """The anchor commitment of the mandate under which somebody else is acted for."""


def read_request(claims: Mapping[str, Any], *, leaf: str, now: int) -> AskedTerms:
    """Checks 1–3 of a request; raises `ConsentError`. The query is compared by `check_query`."""
    expires = claims.get("exp")
    if claims.get("aud") != request_object.AUDIENCE or type(expires) is not int:
        raise ConsentError("request-forged", log="not a request object")
    if expires <= now:
        raise ConsentError("request-expired")
    if claims.get("client_id") != request_object.client_id(leaf):
        raise ConsentError("request-forged", log="client_id is not the leaf's hash")
    entries = claims.get("transaction_data")
    if not isinstance(entries, list) or len(entries) != 1:
        raise ConsentError("consent-terms", log="one transaction_data entry expected")
    try:
        terms = transaction_data.parse(entries[0])
        matter, agency = terms["matter"], terms["agency"]
        asked = AskedTerms(
            matter=_integer(matter["number"], MATTER_MAX),
            version=_integer(matter["version"], MATTER_MAX),
            digest=str(matter["digest"]),
            agency=_integer(agency["number"], MATTER_MAX),
            request_id=str(uuid.UUID(terms["request_id"])),
            entry=entries[0],
            client_id=str(claims["client_id"]),
            nonce=str(claims["nonce"]),
            response_uri=str(claims["response_uri"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConsentError("consent-terms", log="terms are malformed") from error
    if terms.get("type") != transaction_data.TYPE or terms.get("expires") != expires:
        raise ConsentError("consent-terms", log="another type of terms")
    return asked


def check_query(claims: Mapping[str, Any], asked: AskedTerms, terms: MatterTerms) -> None:
    """Check 3 (the matter's part) and 4 of a request against the registered matter; raises `ConsentError`."""
    if asked.digest != terms.digest.hex() or asked.agency != terms.agency:
        raise ConsentError("consent-terms", log="another matter than the registered one")
    if claims.get("dcql_query") != request_object.dcql(terms):
        raise ConsentError("fields-beyond-matter", log="the query is not the matter's")


def read_agreement(
    claims: Mapping[str, Any], *, asked: AskedTerms, terms: MatterTerms, recorder: str, now: int
) -> Agreement:
    """The checked choices in a key-binding JWT's claims; raises `ConsentError`."""
    _check_binding(claims, client_id=asked.client_id, expected_nonce=asked.nonce, now=now)
    if (
        claims.get("transaction_data_hashes") != [transaction_data.entry_hash(asked.entry)]
        or claims.get("transaction_data_hashes_alg", "sha-256") != "sha-256"
    ):
        raise ConsentError("consent-terms", log="other terms were signed")
    consent = claims.get("consent")
    if not isinstance(consent, dict):
        raise ConsentError("consent-malformed")
    try:
        handle = b64url_decode(consent["handle"])
        masks = tuple(_integer(mask, 2**32 - 1) for mask in consent["masks"])
        not_after = _integer(consent["not_after"], 2**40 - 1)
        uses = _integer(consent["uses"], 1000)
        named = consent.get("on_behalf_of")
        on_behalf_of = None if named is None else b64url_decode(named)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConsentError("consent-malformed") from error
    if len(handle) != 32 or len(masks) != len(terms.types) or len(on_behalf_of or handle) != 32:
        raise ConsentError("consent-malformed")
    if consent.get("recorder") != recorder:
        raise ConsentError("recorder-mismatch")
    check_masks(masks, terms)
    if not now < not_after <= now + terms.max_life_s:
        raise ConsentError("period-beyond-matter")
    if not 1 <= uses <= terms.max_uses:
        raise ConsentError("uses-beyond-matter")
    return Agreement(
        handle=handle, masks=masks, not_after=not_after, uses=uses, given=claims["iat"], on_behalf_of=on_behalf_of
    )


def check_plain(
    claims: Mapping[str, Any],
    *,
    client_id: str,
    matter: int,
    version: int,
    request_id: uuid.UUID,
    salt: bytes,
    received_at: int,
    now: int,
) -> None:
    """The key binding of a wallet that knows no terms: its nonce must commit to this matter and request.

    `received_at` is when the asker says it received it. Raises `ConsentError`; consent-stale for one that was not
    fresh then, or is forwarded too late.
    """
    if not now - FORWARDED_WITHIN <= received_at <= now + SIGNED_WITHIN:
        raise ConsentError("consent-stale", log="forwarded too late")
    expected = nonce.derive(matter=matter, version=version, request_id=request_id, salt=salt)
    _check_binding(claims, client_id=client_id, expected_nonce=expected, now=received_at)
    if "transaction_data_hashes" in claims or "consent" in claims:
        raise ConsentError("consent-terms", log="terms were signed, none were forwarded")


def check_beside(claims: Mapping[str, Any], *, asked: AskedTerms, now: int) -> None:
    """The key binding of what is shown beside the certificate (a mandate): made for this very request."""
    _check_binding(claims, client_id=asked.client_id, expected_nonce=asked.nonce, now=now)


def check_masks(masks: Sequence[int], terms: MatterTerms) -> None:
    """Every required field and none outside the matter; raises `ConsentError`."""
    for mask, requested in zip(masks, terms.types, strict=True):
        if mask & ~requested.whole or requested.required & ~mask:
            raise ConsentError("fields-beyond-matter")


def _check_binding(claims: Mapping[str, Any], *, client_id: str, expected_nonce: str, now: int) -> None:
    if claims.get("aud") != client_id:
        raise ConsentError("consent-audience")
    if claims.get("nonce") != expected_nonce:
        raise ConsentError("consent-nonce")
    issued = claims.get("iat")
    if type(issued) is not int or abs(now - issued) > SIGNED_WITHIN:
        raise ConsentError("consent-stale")
    if not isinstance(claims.get("sd_hash"), str):
        raise ConsentError("consent-malformed", log="sd_hash is missing")


def _integer(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not an integer in range")
    return value
