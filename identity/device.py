"""Takes the phone's proof from a request: right key, right request, first time seen."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from gov_chain import clock
from identity import tokens
from identity.core import device_proof
from identity.core.jose import JoseError
from identity.errors import IdentityError
from identity.models import Wallet


def prove(request: HttpRequest, token: str, *, wallet: Wallet | None = None) -> device_proof.DeviceProof:
    """The proof in `token`, made for this request (by `wallet`'s key, when given).

    `htu` is compared with the configured base URL and the path, never with the Host header.
    Raises `IdentityError("device-proof-invalid")`.
    """
    try:
        proof = device_proof.verify(
            token, method=request.method or "", url=settings.GOVCHAIN.base_url + request.path, now=clock.now()
        )
    except JoseError as error:
        raise IdentityError("device-proof-invalid", log=str(error)) from error
    if wallet is not None and proof.thumbprint != wallet.thumbprint:
        raise IdentityError("device-proof-invalid", log="another phone's key")
    if not tokens.take_once(f"device:{proof.thumbprint}", proof.jti, expires=proof.expires):
        raise IdentityError("device-proof-invalid", log="used before")
    return proof
