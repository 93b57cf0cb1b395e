"""The world itself: what every other test leans on."""

from __future__ import annotations

from tests.world import World


def test_a_world_has_a_matter_in_force(world: World) -> None:
    assert world.reader.matter(1).in_force


def test_a_citizen_claims_a_certificate(world: World) -> None:
    citizen = world.citizen()
    assert citizen.wallet.certificates[-1].fields()["id_number"] == citizen.id_number


def test_each_test_has_a_world_of_its_own(world: World) -> None:
    assert "issue" not in [row.entry.name for row in world.reader.entries()]
