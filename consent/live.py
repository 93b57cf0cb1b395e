"""What the screens are told when something moves: that it moved, and never whose it is."""

from __future__ import annotations

import uuid

from consent.models import PresentationRequest
from gov_chain.web import live
from identity import officers
from identity.models import Officer

TOPIC = "request"


def announce(request: PresentationRequest) -> None:
    """Tell every screen that watches this request to look again."""
    live.announce(f"{TOPIC}/{request.id}", {"changed": True})


def may_watch_request(user: object, key: str) -> bool:
    """Counter officers of the request's own agency (I6)."""
    if not isinstance(user, Officer) or not officers.may(user, "counter.read"):
        return False
    try:
        request_id = uuid.UUID(key)
    except ValueError:
        return False
    return PresentationRequest.objects.filter(id=request_id, agency=user.agency_id).exists()


def may_watch_ledger(user: object, key: str) -> bool:
    return officers.may(user, "audit.read")
