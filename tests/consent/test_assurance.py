"""A matter, or a type it asks for, may demand that the phone was bound at a level; the home agency holds it to that."""

from __future__ import annotations

from typing import Any

import pytest

from certificates.core.definitions import RESIDENT_ID
from consent import matters
from consent.core import matter
from consent.seed import RESIDENCE_PERMIT
from gov_chain.ledger import relay
from identity import agencies
from identity.models import Wallet
from tests.consent.hostile import consent
from tests.consent.test_refusals import code, nothing_written
from tests.world import World


def register(document: dict[str, Any]) -> None:
    """A further version of the matter, in force."""
    types = {RESIDENT_ID["number"]: RESIDENT_ID}
    relay.settle(matters.register(document, agency=agencies.by_slug("street"), types=types))
    relay.settle(
        [matters.approve(document["number"], document["version"], issuer=agencies.by_slug("psb"), type_number=1)]
    )


def test_a_phone_bound_too_low_records_no_grant(world: World) -> None:
    register({**RESIDENCE_PERMIT, "version": 2, "min_assurance": 3})
    phone = consent(world.citizen().wallet, world.ask())
    with nothing_written(world):
        assert code(phone.record()) == "assurance-too-low"
    Wallet.objects.update(assurance_level=3)
    assert phone.record().status_code == 201


@pytest.mark.parametrize(("of_matter", "of_type", "expected"), [({}, {}, 1), ({"min_assurance": 2}, {}, 2)])
def test_the_higher_demand_counts(of_matter: dict[str, Any], of_type: dict[str, Any], expected: int) -> None:
    assert _demand(of_matter, of_type) == expected
    assert _demand(of_matter, {"min_assurance": 3}) == 3


def _demand(of_matter: dict[str, Any], of_type: dict[str, Any]) -> int:
    document, kind = {**RESIDENCE_PERMIT, **of_matter}, {**RESIDENT_ID, **of_type}
    return matter.read(document, digest=bytes(32), types={(1, 1): kind}).min_assurance
