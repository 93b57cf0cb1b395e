"""The second key leaves the home agency only against a final usage record of the agency that asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from certificates import verification
from consent.models import PresentationResponse, Usage
from gov_chain.core.codec import b64url
from gov_chain.ledger import delivery, outbox, relay
from gov_chain.ledger.core import records
from gov_chain.ledger.core.errors import LedgerError
from identity import agencies, peers
from identity.errors import IdentityError
from tests.consent.hostile import REQUIRED, Consent, consent
from tests.world import World


def release(phone: Consent, desk: Any, *, sender: str = "street", **changes: Any) -> dict[str, Any]:
    body = {"handle": b64url(phone.handle), "usage_index": 1, "request_id": desk.request_id, **changes}
    return peers.call(
        sender=agencies.by_slug(sender),
        to=agencies.by_slug("data"),
        path="/agencies/data/grants/release",
        body=body,
    )


def refused(phone: Consent, desk: Any, **changes: Any) -> str:
    with pytest.raises(peers.PeerRefusedError) as error:
        release(phone, desk, **changes)
    return error.value.remote_code


def test_no_key_before_the_use_is_final(world: World) -> None:
    phone = consent(world.citizen().wallet, desk := world.ask())
    phone.record()
    phone.send()  # the use waits in the outbox
    for index in (0, 1, world.reader.grant(phone.handle).index, world.reader.size, 2**40):
        assert refused(phone, desk, usage_index=index) == "release-not-recorded"


def test_key_for_the_agency_and_request_of_the_record_alone(world: World) -> None:
    phone = consent(world.citizen().wallet, desk := world.ask())
    phone.record()
    phone.send()
    world.settle()
    index = Usage.objects.get().index

    assert release(phone, desk, usage_index=index)["key"] == b64url(phone.key)
    assert refused(phone, desk, usage_index=index, sender="psb") == "release-foreign"
    assert refused(phone, desk, usage_index=index, request_id=world.ask().request_id) == "release-unknown"
    other = consent(world.citizen(1).wallet, world.ask())
    other.record()
    assert refused(other, desk, usage_index=index) == "release-not-recorded"


def test_the_ledger_refuses_the_asking_agencys_own_grant_and_wider_use(world: World) -> None:
    phone = consent(world.citizen().wallet, world.ask())
    phone.record()
    grant = world.reader.grant(phone.handle)
    common = {"matter": 1, "version": 1}
    own = records.grant(
        handle=b"\1" * 32,
        masks=[REQUIRED],
        not_after=grant.not_after,
        uses=1,
        consent_digest=b"\0" * 32,
        **common,
    )
    wider = records.usage(handle=phone.handle, masks=[REQUIRED | 1 << 7], context_digest=b"\0" * 32, **common)
    foreign = records.usage(handle=phone.handle, masks=[REQUIRED], context_digest=b"\0" * 32, **common)
    assert _decided(3, own) == "recorder-is-asker"
    assert _decided(3, wider) == "fields-beyond-grant"
    assert _decided(1, foreign) == "not-the-asker"


def test_crash_after_the_use_is_final_is_made_good_by_the_relay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, desk := world.ask())
    phone.record()
    phone.send()
    # The home agency cannot be reached when the use becomes final: as after a crash, only the ledger knows it.
    with monkeypatch.context() as patch:
        patch.setattr(peers, "call", _unreachable)
        world.settle()
    assert PresentationResponse.objects.get().state == "used"
    assert ana.id_number not in desk.page().text

    delivery.forget_leases()  # what a restarted relay does first
    world.settle()
    assert ana.id_number in desk.page().text
    assert Usage.objects.count() == 1


def test_an_undetermined_check_opens_nothing_until_it_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, desk := world.ask())
    phone.record()
    phone.send()
    with monkeypatch.context() as patch:
        patch.setattr(verification, "documents", _Nothing)
        world.settle()
        page = desk.page().text
    assert "暂时无法确定" in page
    assert ana.id_number not in page

    delivery.forget_leases()  # the time of the next attempt has come
    world.settle()
    assert ana.id_number in desk.page().text
    assert Usage.objects.count() == 1


def test_another_persons_certificate_does_not_open_under_my_grant(world: World) -> None:
    """A friend signs the same terms and the same handle: his history would not know of the use."""
    friend = world.citizen(1)
    phone = consent(world.citizen().wallet, desk := world.ask())
    phone.record()
    swapped = Consent(friend.wallet, phone.request, secret=phone.secret, key=phone.key)
    swapped.signed()
    swapped.send()
    world.settle()
    page = desk.page().text
    assert "核验未通过" in page
    assert friend.id_number not in page


def test_a_stranger_is_no_peer(world: World) -> None:
    answer = world.http.post("/agencies/data/grants/release", json={})
    assert answer.json()["code"] == "peer-unauthenticated"


def _unreachable(*, to: Any, **_: Any) -> Any:
    raise IdentityError("peer-unreachable", name=to.name_zh)


class _Nothing:
    """Documents out of reach of the verification."""

    @staticmethod
    def load(digest: bytes) -> Any:
        raise LedgerError("document-unknown", log=digest.hex())


def _decided(agency: int, record: bytes) -> str:
    with transaction.atomic():
        row = outbox.enqueue(agency=agency, record=record, subject="test.record:1")
    (outcome,) = relay.settle([row])
    return outcome.code
