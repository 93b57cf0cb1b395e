"""What is erased, and when."""

from __future__ import annotations

from consent.actions.erase_expired import erase_expired
from consent.models import Grant, PresentationRequest, PresentationResponse
from gov_chain import clock
from tests.world import World

DAY = 86400


def test_claims_go_after_ten_minutes_answers_after_the_retention_period(world: World) -> None:
    world.present(world.citizen(), world.ask())
    response = PresentationResponse.objects.get()
    assert response.visible_until == response.received_at + 600 or response.visible_until <= clock.now() + 600
    assert response.erase_at == response.received_at + 30 * DAY
    assert erase_expired().claims == 0

    PresentationResponse.objects.update(visible_until=clock.now())
    assert (erase_expired().claims, erase_expired().claims) == (1, 0)

    PresentationResponse.objects.update(erase_at=clock.now())
    assert erase_expired().answers == 1
    assert PresentationResponse.objects.get().ciphertext == ""


def test_the_home_agencys_key_goes_a_day_after_the_grant_ended(world: World) -> None:
    world.present(world.citizen(), world.ask())
    Grant.objects.update(not_after=clock.now() - DAY + 60)
    assert erase_expired().keys == 0
    Grant.objects.update(not_after=clock.now() - DAY - 60)
    assert erase_expired().keys == 1


def test_unanswered_requests_go_after_a_day(world: World) -> None:
    world.ask()
    assert erase_expired().requests == 0
    PresentationRequest.objects.update(expires_at=clock.now() - DAY - 1)
    assert erase_expired().requests == 1
    assert not PresentationRequest.objects.exists()


def test_sealed_rows_hold_no_claim_in_the_clear(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    for model in (PresentationRequest, PresentationResponse, Grant):
        for row in model.objects.values():
            for value in row.values():
                text = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                assert ana.id_number.encode() not in text
                assert ana.name.encode() not in text
