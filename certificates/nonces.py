"""`c_nonce` values of the Nonce Endpoint (OpenID4VCI 1.0 §7).

Anyone may ask for one, so asking must cost no storage: a nonce carries its own end and a keyed digest. Only
using one leaves a trace, by which it cannot be used again.
"""

from __future__ import annotations

import hmac
import secrets

from certificates.core.errors import CertificateError
from gov_chain import clock
from gov_chain.core.codec import b64url, b64url_decode
from identity.models import Agency
from identity.tokens import keyed_digest, take_once

LIFETIME = 300
_RANDOM, _TIME, _MARK = 16, 5, 16


def fresh(agency: Agency) -> str:
    body = secrets.token_bytes(_RANDOM) + (clock.now() + LIFETIME).to_bytes(_TIME)
    return b64url(body + _mark(agency, body))


def spend(agency: Agency, nonce: str) -> None:
    """Use up a nonce of this agency; raises `CertificateError("nonce-invalid")` the second time."""
    try:
        data = b64url_decode(nonce)
    except ValueError as error:
        raise CertificateError("nonce-invalid") from error
    body, mark = data[: _RANDOM + _TIME], data[_RANDOM + _TIME :]
    if len(body) != _RANDOM + _TIME or not hmac.compare_digest(mark, _mark(agency, body)):
        raise CertificateError("nonce-invalid")
    ends = int.from_bytes(body[_RANDOM:])
    if ends <= clock.now() or not take_once(f"c_nonce:{agency.number}", nonce, expires=ends):
        raise CertificateError("nonce-invalid")


def _mark(agency: Agency, body: bytes) -> bytes:
    return keyed_digest("c_nonce", str(agency.number), body.hex())[:_MARK]
