"""A wallet that posts a request object with a certificate of its own making: refused in words, never a 500."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from consent.models import Grant
from demo.holder import HolderKey
from gov_chain.core.codec import b64url, b64url_decode
from tests.consent.hostile import Consent, code, consent
from tests.world import World

EC_KEY = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")


@pytest.fixture
def phone(world: World) -> Consent:
    return consent(world.citizen().wallet, world.ask())


def _posted(phone: Consent, leaf: str) -> str:
    """The refusal of the phone's consent to a request whose certificate is `leaf`."""
    header, claims, _ = (phone.request.jws + "..").split(".")[:3]
    digest = hashlib.sha256(base64.b64decode(leaf) if len(leaf) > 4 else b"").digest()
    forged = json.loads(b64url_decode(claims)) | {"client_id": f"x509_hash:{b64url(digest)}"}
    request = HolderKey().jws(json.loads(b64url_decode(header)) | {"x5c": [leaf]}, forged)
    return code(phone.record(phone.signed() | {"request": request}))


def test_a_certificate_that_is_no_base64_or_no_certificate(phone: Consent) -> None:
    for leaf in ("A", "AAAA", "=", "é", "", base64.b64encode(b"0" * 80).decode()):
        assert (leaf, _posted(phone, leaf)) == (leaf, "request-forged")
    assert not Grant.objects.exists()


def test_a_certificate_of_an_unknown_kind_of_key(phone: Consent) -> None:
    der = base64.b64decode(json.loads(b64url_decode(phone.request.jws.split(".")[0]))["x5c"][0])
    for known, last in ((EC_KEY, b"\x09"), (P256, b"\x55")):
        assert known in der
        leaf = base64.b64encode(der.replace(known, known[:-1] + last)).decode()
        assert _posted(phone, leaf) == "request-forged"
    assert not Grant.objects.exists()
