"""Devices of an agency, such as sensors and scanners: enrolled by their did:key, for a time, until revoked.

A device signs each request (`identity.core.device_request`). It acts for its agency alone and is no officer: what it
may send is the endpoint's business.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from gov_chain import clock
from identity import tokens
from identity.core import device_request
from identity.core.jose import JoseError
from identity.errors import IdentityError
from identity.models import Agency, Device

SCHEME = "GovChain-Device"


def authenticate(request: HttpRequest, *, to: Agency) -> Device:
    """The living device of agency `to` that signed `request`; notes that it was seen.

    Raises `IdentityError`: device-unauthenticated, device-unknown, device-revoked, device-expired.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != SCHEME:
        raise IdentityError("device-unauthenticated", log="no device signature")
    try:
        signed = device_request.verify(token, audience=to.slug, path=request.path, body=request.body, now=clock.now())
    except JoseError as error:
        raise IdentityError("device-unauthenticated", log=str(error)) from error
    device = Device.objects.filter(agency=to, did=signed.did).order_by("-enrolled_at").first()
    if device is None:
        raise IdentityError("device-unknown")
    if device.state != "active":
        raise IdentityError(f"device-{device.state}")
    if not tokens.take_once(f"device-request:{device.pk}", signed.jti, expires=signed.expires):
        raise IdentityError("device-unauthenticated", log="used before")
    Device.objects.filter(pk=device.pk).update(last_seen_at=timezone.now())
    return device


def of_agency(agency: Agency) -> list[Device]:
    """Newest first."""
    return list(Device.objects.filter(agency=agency).order_by("-enrolled_at"))
