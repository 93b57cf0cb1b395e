"""An account is deleted: grants withdrawn, rows gone, digests alone on the ledger, a signed proof for the citizen."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from consent.models import Grant, PresentationResponse
from demo.standard_wallet import RefusedError
from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.ledger import node
from identity import accounts, agencies, citizens
from identity.actions import delete_account as deleting
from identity.core import jose
from identity.core import jwk as jwks
from identity.models import Citizen, ErasureProof, Wallet
from tests.consent.test_lost_phone import HomeDesk
from tests.world import PIN, World
from tests.world import Citizen as Person

SALT = b64url(bytes(range(16)))


def delete(person: Person, *, pin: str = PIN, number: str | None = None) -> Any:
    wallet = person.wallet
    headers = {"Authorization": f"Bearer {wallet.unlock(PIN)}"}
    body = {"pin": pin, "number": number or str(uuid.uuid4()), "salt": SALT}
    return wallet.http.post(f"{wallet.home}/wallets/{wallet.wallet_id}/account/delete", json=body, headers=headers)


def claims_of(proof: str) -> dict[str, Any]:
    """Under the key the ledger has for the home agency."""
    key = jwks.from_public_key(node.ledger().agency(2).request_key)
    return jose.verify(proof, key, typ=deleting.TYP).claims


def known(person: Person) -> bool:
    home = agencies.by_slug("data")
    return Citizen.objects.filter(id_index=citizens.id_index(home, person.id_number)).exists()


def test_what_goes_and_what_stays_is_said_before(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    headers = {"Authorization": f"Bearer {ana.wallet.unlock(PIN)}"}
    told = ana.wallet.http.get(f"{ana.wallet.home}/wallets/{ana.wallet.wallet_id}/account", headers=headers).json()
    assert {"phones": 1, "grants": 1}.items() <= {part["id"]: part["count"] for part in told["goes"]}.items()
    assert all(kept["why"]["zh"] and kept["why"]["en"] for kept in told["stays"])


def test_the_account_goes_and_the_proof_is_signed(world: World) -> None:
    ana, bai = world.citizen(0), world.citizen(1)
    kept = world.present(ana, desk := world.ask())
    number = str(uuid.uuid4())
    proof = delete(ana, number=number).json()["proof"]

    claims = claims_of(proof)
    assert claims["iss"] == agencies.by_slug("data").did
    assert (claims["jti"], claims["erased"]["grants"]) == (number, 1)
    assert claims["subject"] == deleting.subject(b64url_decode(SALT), ana.id_number)
    assert [kept["id"] for kept in accounts.overview(Citizen.objects.first())["stays"]] == claims["kept"]

    assert world.reader.grant(kept.handle).withdrawn
    assert "市民已撤回授权" in desk.page().text
    with pytest.raises(RefusedError, match="wallet-unknown"):
        ana.wallet.unlock(PIN)
    assert bai.wallet.unlock(PIN)
    assert world.http.get(f"/agencies/data/erasures/{number}").json()["proof"] == proof


def test_no_row_of_the_home_agency_names_the_person_afterwards(world: World) -> None:
    ana = world.citizen()
    world.present(ana, world.ask())
    citizen = citizens.by_id_number(agencies.by_slug("data"), ana.id_number)
    secrets = [str(citizen.pk), citizen.pk.hex, bytes(citizen.data_key_sealed).hex()]
    delete(ana)
    for model in apps.get_app_config("identity").get_models():
        assert not _holds(model, [ana.name, ana.id_number, *secrets])
    grant = Grant.objects.get()
    assert (grant.owner_tag, bytes(grant.artefact_sealed), grant.one_time_key_sealed) == (None, b"", None)
    assert PresentationResponse.objects.exclude(claims_sealed=None).count() == 0


def _holds(model: type[models.Model], texts: list[str]) -> bool:
    rows = [[_text(value) for value in row] for row in model._default_manager.values_list()]
    return any(text in value for row in rows for value in row for text in texts)


def _text(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def test_a_wrong_pin_deletes_nothing(world: World) -> None:
    ana = world.citizen()
    answer = delete(ana, pin="918273")
    assert (answer.status_code, answer.json()["code"]) == (403, "pin-wrong")
    assert Wallet.objects.count() == 1


def test_a_number_serves_one_deletion(world: World) -> None:
    ana, bai = world.citizen(0), world.citizen(1)
    number = str(uuid.uuid4())
    delete(ana, number=number)
    answer = delete(bai, number=number)
    assert (answer.status_code, answer.json()["code"]) == (409, "erasure-known")
    assert known(bai)
    assert world.http.get(f"/agencies/data/erasures/{uuid.uuid4()}").status_code == 404


def test_a_failure_on_the_way_leaves_the_account_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = world.citizen()
    kept = world.present(ana, world.ask())

    def fails(citizen: Citizen) -> None:
        raise LookupError("the disk is gone")

    broken = accounts.Part("broken", "坏", "broken", count=lambda citizen: 0, erase=fails)
    monkeypatch.setattr(accounts, "_parts", {**accounts._parts, "broken": broken})
    with pytest.raises(LookupError):
        deleting.delete_account(
            citizen=citizens.by_id_number(agencies.by_slug("data"), ana.id_number), number=uuid.uuid4(), salt=bytes(16)
        )
    assert not ErasureProof.objects.exists()
    assert ana.wallet.unlock(PIN)
    assert Grant.objects.get(handle=kept.handle).owner_tag is not None


def test_the_counter_deletes_after_a_check_and_hands_out_the_proof(world: World) -> None:
    ana = world.citizen()
    home = HomeDesk(world, ana)
    told = home.post("account").text
    assert "依法保留" in told
    page = home.post("delete").text
    claims = claims_of(re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", page)[0])
    salt = re.findall(r"盐值 ([\w-]{22})", page)[0]
    assert claims["subject"] == deleting.subject(b64url_decode(salt), ana.id_number)
    assert not known(ana)


def test_the_counter_deletes_nothing_without_a_check(world: World) -> None:
    ana = world.citizen()
    with pytest.raises(RefusedError, match="403"):
        HomeDesk(world, ana).post("delete", statement="")
    assert ana.wallet.unlock(PIN)


def test_the_person_may_have_an_account_again(world: World) -> None:
    ana = world.citizen()
    delete(ana)
    citizens.enrol(home=agencies.by_slug("data"), name=ana.name, id_number=ana.id_number).save()
    assert known(ana)
