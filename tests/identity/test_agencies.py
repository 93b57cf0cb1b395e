"""Agencies seen from outside (DID document, directory, certificates), and the seed that makes them."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine
from cryptography import x509
from cryptography.x509.oid import NameOID
from django.test import Client
from pytest_django.fixtures import Settings

from gov_chain.environment import UnsafeSettings
from gov_chain.keys import KeyStoreError, local
from gov_chain.ledger import node
from gov_chain.ledger.models import NodeKey
from identity import agencies, certificates_x509, citizens, seed
from identity.core import jwk as jwks
from identity.errors import IdentityError
from identity.models import Activation, Agency, Citizen, Officer
from tests.identity.actors import BASE, Phone
from tests.identity.conftest import PEOPLE


def test_the_did_document_repeats_the_ledgers_keys(seeded: seed.SeededIdentity) -> None:
    document = Client().get("/agencies/psb/did.json").json()
    assert document["id"] == "did:web:localhost%3A8000:agencies:psb"
    keys = {jwks.to_public_key(method["publicKeyJwk"]) for method in document["verificationMethod"]}
    state = node.ledger().agency(1)
    assert keys == {state.issue_key, state.request_key, state.ledger_key}
    assert all(entry in {m["id"] for m in document["verificationMethod"]} for entry in document["assertionMethod"])


def test_there_is_no_did_document_of_a_stranger(seeded: seed.SeededIdentity) -> None:
    assert Client().get("/agencies/nobody/did.json").status_code == 404


def test_the_directory_carries_the_digests_that_the_ledger_holds(seeded: seed.SeededIdentity) -> None:
    directory = Client().get("/directory.json").json()
    assert directory["home"] == "data"
    assert [row["slug"] for row in directory["agencies"]] == ["psb", "data", "street", "audit"]
    for row in directory["agencies"]:
        assert row["profile_digest"] == node.ledger().agency(row["number"]).profile_digest.hex()


def test_the_wallet_learns_its_home_and_the_ledgers_key(seeded: seed.SeededIdentity) -> None:
    config = Client().get("/wallet/config.json").json()
    assert config["home"] == {"slug": "data", "base_url": BASE}
    assert config["ledger"] == {"vkey": node.ledger().vkey, "origin": "ledger.yunzhou.example"}


@pytest.mark.parametrize("purpose", ["issue", "request"])
def test_x5c_is_one_leaf_under_the_consortiums_ca(seeded: seed.SeededIdentity, purpose: str) -> None:
    agency = agencies.by_slug("psb")
    (encoded,) = certificates_x509.chain(agency, purpose)  # type: ignore[arg-type]
    leaf = x509.load_der_x509_certificate(base64.b64decode(encoded))
    anchor = x509.load_der_x509_certificate(Client().get("/consortium-ca.crt").content)
    leaf.verify_directly_issued_by(anchor)
    assert leaf.issuer != leaf.subject
    assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "psb"
    assert leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "云州市公安局"
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert jwks.compressed(leaf.public_key()) == getattr(node.ledger().agency(1), f"{purpose}_key")  # type: ignore[arg-type]


def test_a_leaf_stays_the_same_until_the_year_ends(seeded: seed.SeededIdentity) -> None:
    agency = agencies.by_slug("street")
    with time_machine.travel("2026-12-30T00:00:00Z"):
        leaf = certificates_x509.leaf(agency, "request")
        assert certificates_x509.leaf(agency, "request") == leaf
    with time_machine.travel("2027-01-02T00:00:00Z"):
        assert certificates_x509.leaf(agency, "request") != leaf
        assert x509.load_der_x509_certificate(leaf).not_valid_after_utc.year == 2028


def test_seeding_again_changes_nothing(seeded: seed.SeededIdentity) -> None:
    before = _everything()
    again = seed.seed(base_url=BASE, people=PEOPLE)
    assert _everything() == before
    assert Phone().activate(again.citizens[0].code).status_code == 201
    assert [row.citizen.name for row in seed.seed(base_url=BASE, people=PEOPLE).citizens] == ["白知秋"]


def _everything() -> list[object]:
    models = (Agency, Officer, Citizen, NodeKey)
    return [*(list(model.objects.order_by("pk").values()) for model in models), node.ledger().size]


def test_seeding_keeps_no_plain_activation_code(seeded: seed.SeededIdentity) -> None:
    assert Activation.objects.filter(closed_at__isnull=True).count() == 2
    assert len({row.code for row in seeded.citizens}) == 2


def test_seeding_refuses_production(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, name="production", data=tmp_path)
    with pytest.raises(UnsafeSettings, match="GOVCHAIN_ENV"):
        seed.seed(base_url=BASE)
    assert not Agency.objects.exists()


def test_seeding_beside_a_ledger_with_other_keys_stops(seeded: seed.SeededIdentity, settings: Settings) -> None:
    (settings.GOVCHAIN.data / "keys" / "psb").rename(settings.GOVCHAIN.data / "keys" / "lost")
    local._signer.cache_clear()
    with pytest.raises(UnsafeSettings, match="another key"):
        seed.seed(base_url=BASE)


def test_each_citizen_has_a_data_key_of_their_own(seeded: seed.SeededIdentity) -> None:
    one, other = (row.citizen for row in seeded.citizens)
    assert len(citizens.data_key(one)) == 32
    assert citizens.data_key(one) == citizens.data_key(Citizen.objects.get(pk=one.pk))
    assert citizens.data_key(one) != citizens.data_key(other)
    assert citizens.owner_tag(one) != citizens.owner_tag(other)


def test_a_data_key_moved_to_another_citizen_does_not_open(seeded: seed.SeededIdentity) -> None:
    one, other = (row.citizen for row in seeded.citizens)
    other.data_key_sealed = one.data_key_sealed
    with pytest.raises(KeyStoreError, match="seal-broken"):
        citizens.data_key(other)


def test_an_agency_not_hosted_here_has_no_endpoints(seeded: seed.SeededIdentity) -> None:
    Agency.objects.filter(slug="psb").update(hosted=False)
    with pytest.raises(IdentityError, match="agency-unknown"):
        agencies.by_slug("psb", hosted=True)
    assert Client().get("/agencies/psb/did.json").status_code == 404
