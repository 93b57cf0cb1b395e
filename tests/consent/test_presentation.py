"""The main job at the counter, through public doors."""

from __future__ import annotations

from tests.world import PIN, World


def test_claims_open_after_the_use_is_on_the_ledger(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    kept = ana.wallet.consent(desk.wallet_url, PIN)
    assert ana.id_number not in desk.page().text

    ana.wallet.send(kept)
    world.settle()

    page = desk.page()
    assert ana.id_number in page.text
    assert "核验通过" in page.text
    assert world.reader.grant(kept.handle).uses_left == 0
