"""A dishonest asker that records less than it opens, or asks twice for what was agreed to once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from consent import requests
from consent.models import Grant, PresentationRequest
from demo.holder import key_binding
from demo.standard_wallet import StandardWallet
from gov_chain import clock
from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.ledger import outbox, relay
from gov_chain.ledger.core import records
from identity import agencies, certificates_x509, peers
from tests.consent.hostile import NAMES, REQUIRED, consent
from tests.world import Desk, World

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize("mask", [0, 1, REQUIRED & ~0b100000])
def test_a_use_of_fewer_fields_does_not_release_the_key_to_all(world: World, mask: int) -> None:
    phone = consent(world.citizen().wallet, desk := world.ask(), consent={"uses": 2})
    phone.record()
    understated = _use(phone.handle, mask)
    with pytest.raises(peers.PeerRefusedError) as error:
        _release(desk, phone.handle, understated)
    assert error.value.remote_code == "release-not-recorded"
    assert _release(desk, phone.handle, _use(phone.handle, REQUIRED))["key"] == b64url(phone.key)


def test_a_signature_in_its_other_form_is_no_second_consent(world: World) -> None:
    wallet, desk = world.standard_wallet(), world.ask()
    binding = _binding(wallet, desk)
    words, _, signature = binding.rpartition(".")
    raw = b64url_decode(signature)
    other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    issuer_jwt = wallet.certificates[-1].issuer_jwt
    first = _forward(desk, issuer_jwt, binding)
    assert _forward(desk, issuer_jwt, f"{words}.{b64url(other)}") == first
    assert Grant.objects.count() == 1


def test_another_certificate_of_the_same_holder_is_no_second_consent(world: World) -> None:
    wallet, desk = world.standard_wallet(), world.ask()
    offer = world.offer(world.people[1][1])
    wallet.claim(offer.standard_uri, offer.tx_code)
    older, newer = wallet.certificates
    binding = _binding(wallet, desk)
    first = _forward(desk, newer.issuer_jwt, binding)
    assert _forward(desk, older.issuer_jwt, binding) == first
    assert Grant.objects.count() == 1


def _use(handle: bytes, mask: int) -> int:
    """Recorded by the asker past its own software; the index of its record."""
    record = records.usage(handle=handle, matter=1, version=1, masks=[mask], context_digest=b"\0" * 32)
    with transaction.atomic():
        row = outbox.enqueue(agency=3, record=record, subject="test.record:1")
    (outcome,) = relay.settle([row])
    # A ledger that refuses such a use leaves no record to name: any index will do then.
    return 0 if outcome.index is None else outcome.index


def _release(desk: Desk, handle: bytes, index: int) -> dict[str, Any]:
    body = {"handle": b64url(handle), "usage_index": index, "request_id": desk.request_id}
    return _call("data", "/agencies/data/grants/release", body)


def _binding(wallet: StandardWallet, desk: Desk) -> str:
    request = wallet.fetch_request(desk.standard_uri)
    return key_binding(wallet.key, wallet.certificates[-1].shown(NAMES), request)


def _forward(desk: Desk, issuer_jwt: str, binding: str) -> dict[str, Any]:
    request = PresentationRequest.objects.get(id=desk.request_id)
    leaf = certificates_x509.chain(request.agency, "request")[0]
    body = {
        "issuer_jwt": issuer_jwt,
        "kb_jwt": binding,
        "matter": 1,
        "version": 1,
        "request_id": desk.request_id,
        "nonce_salt": b64url(bytes(request.nonce_salt)),
        "client_id": requests.request_object.client_id(leaf),
        "leaf": leaf,
        "received_at": clock.now(),
    }
    return _call("psb", "/agencies/psb/grants/forwarded", body)


def _call(to: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return peers.call(sender=agencies.by_slug("street"), to=agencies.by_slug(to), path=path, body=body)
