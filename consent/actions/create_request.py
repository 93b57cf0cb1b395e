"""Ask one citizen for one matter's fields: nothing but a registered, approved matter can be asked for."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from joserfc.jwk import ECKey

from consent import registry, requests
from consent.core import nonce, request_object
from consent.models import Matter, PresentationRequest
from gov_chain import clock
from gov_chain.core.codec import b64url
from identity import agencies, certificates_x509

REQUEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class CreatedRequest:
    request: PresentationRequest
    wallet_url: str
    standard_uri: str


def create_request(*, matter: Matter, browser_digest: bytes | None = None) -> CreatedRequest:
    """A fresh request of the matter's agency, open for five minutes.

    `browser_digest` ties a same-device request to the browser that started it. Raises `ConsentError`
    matter-not-in-force.
    """
    registry.require_in_force(matter)
    now = clock.now()
    request_id = uuid.uuid4()
    salt = secrets.token_bytes(nonce.SALT_BYTES)
    key = ECKey.generate_key("P-256", private=True)
    leaf = certificates_x509.leaf(matter.agency, "request")
    request = PresentationRequest(
        id=request_id,
        agency=matter.agency,
        matter=matter,
        client_id=request_object.client_id(base64.b64encode(leaf).decode()),
        leaf=leaf,
        nonce=nonce.derive(matter=matter.number, version=matter.version, request_id=request_id, salt=salt),
        nonce_salt=salt,
        wallet_state=b64url(secrets.token_bytes(32)),
        response_jwk={**key.as_dict(private=False), "kid": b64url(secrets.token_bytes(9))},
        created_at=now,
        expires_at=now + REQUEST_SECONDS,
        browser_digest=browser_digest,
    )
    private = json.dumps(key.as_dict(private=True)).encode()
    request.response_key_sealed = agencies.sealer(matter.agency).seal(private, requests.seal_context(request))
    request.save(force_insert=True)
    return CreatedRequest(
        request=request, wallet_url=requests.wallet_url(request), standard_uri=requests.standard_uri(request)
    )
