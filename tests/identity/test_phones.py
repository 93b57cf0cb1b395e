"""A citizen's own phones over HTTP: list, name, add, end; and the backup that only the recovery code opens."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from gov_chain.core.codec import b64url, sha256
from identity.models import Activation, Backup, Wallet
from identity.seed import SeededIdentity
from tests.identity.actors import Phone

LOCATOR = "7KQM3F"
RECOVERY = "/agencies/data/recovery"


def bearer(phone: Phone) -> dict[str, str]:
    return {"Authorization": f"Bearer {phone.unlock().json()['token']}"}


def get(phone: Phone, tail: str = "/phones") -> Any:
    return phone.client.get(phone.wallet_path(tail), headers=bearer(phone))


def post(phone: Phone, tail: str, body: Any) -> Any:
    return phone.post(phone.wallet_path(tail), body, **bearer(phone))


def second(phone: Phone) -> Phone:
    """Another phone of the same person, added from the first."""
    other = Phone()
    assert other.activate(post(phone, "/activations", {}).json()["code"]).status_code == 201
    return other


def test_a_phone_is_listed_with_name_level_and_when_it_was_seen(phone: Phone) -> None:
    (listed,) = get(phone).json()["phones"]
    assert listed["this"] is True
    assert (listed["state"], listed["ended_as"], listed["assurance"]["level"]) == ("active", "", 2)
    assert "演示" in listed["assurance"]["check"]["zh"]
    assert listed["last_seen"] >= listed["activated"]


def test_a_phone_is_named_when_activated_and_later(seeded: SeededIdentity) -> None:
    phone = Phone()
    phone.activate(seeded.citizens[0].code, name=" 旧手机 ")
    assert get(phone).json()["phones"][0]["name"] == "旧手机"
    assert post(phone, "/name", {"name": "新手机"}).json()["phones"][0]["name"] == "新手机"
    assert post(phone, "/name", {"name": "长" * 41}).status_code == 400


def test_a_phone_adds_another_at_its_own_level(phone: Phone) -> None:
    other = second(phone)
    phones = get(phone).json()["phones"]
    assert [each["state"] for each in phones] == ["active", "active"]
    added = Wallet.objects.get(id=other.wallet_id)
    assert (added.assurance_level, added.check_id) == (2, "own-phone")
    assert Activation.objects.latest("id").issued_by is None


def test_a_code_for_another_phone_lasts_a_quarter_of_an_hour(phone: Phone) -> None:
    post(phone, "/activations", {})
    activation = Activation.objects.latest("id")
    assert (activation.expires_at - activation.created_at).total_seconds() == pytest.approx(900, abs=5)


def test_a_sixth_phone_is_refused(phone: Phone) -> None:
    for _ in range(4):
        second(phone)
    code = post(phone, "/activations", {}).json()["code"]
    answer = Phone().activate(code)
    assert (answer.status_code, answer.json()["code"]) == (409, "phones-too-many")


def test_the_database_has_no_place_for_a_sixth_phone(phone: Phone) -> None:
    wallet = Wallet.objects.get()
    for slot, thumbprint in ((1, "a"), (6, "b"), (0, "c")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Wallet.objects.create(
                citizen=wallet.citizen, slot=slot, thumbprint=thumbprint, device_jwk={}, assurance_level=2
            )


@pytest.mark.parametrize(("lost", "ended_as"), [(True, "lost"), (False, "closed")])
def test_one_phone_ends_another_at_once(phone: Phone, lost: bool, ended_as: str) -> None:
    other = second(phone)
    token = other.unlock().json()["token"]
    answer = post(phone, f"/phones/{other.wallet_id}/end", {"lost": lost})
    assert [each["ended_as"] for each in answer.json()["phones"]] == ["", ended_as]
    assert other.unlock().json()["code"] == "wallet-unknown"
    gone = other.client.get(other.wallet_path("/phones"), headers={"Authorization": f"Bearer {token}"})
    assert gone.json()["code"] == "session-missing"


def test_the_phone_in_hand_is_not_ended(phone: Phone) -> None:
    assert post(phone, f"/phones/{phone.wallet_id}/end", {"lost": False}).json()["code"] == "phone-in-hand"


def test_a_strangers_phone_is_not_ended(seeded: SeededIdentity, phone: Phone) -> None:
    stranger = Phone()
    stranger.activate(seeded.citizens[1].code)
    assert post(phone, f"/phones/{stranger.wallet_id}/end", {"lost": True}).json()["code"] == "phone-unknown"
    assert stranger.unlock().status_code == 200


def test_a_strangers_session_sees_none_of_my_phones(seeded: SeededIdentity, phone: Phone) -> None:
    stranger = Phone()
    stranger.activate(seeded.citizens[1].code)
    answer = phone.client.get(phone.wallet_path("/phones"), headers=bearer(stranger))
    assert answer.json()["code"] == "session-missing"


# Backup and recovery


def keep(phone: Phone, key: bytes, *, locator: str = LOCATOR, content: bytes = b"ciphertext") -> Any:
    body = {"locator": locator, "verifier": b64url(sha256(key)), "content": b64url(content)}
    return post(phone, "/backup", body)


def recover(key: bytes, *, locator: str = LOCATOR, lost: bool = False) -> Any:
    return Phone().post(RECOVERY, {"locator": locator, "asking_key": b64url(key), "lost": lost})


@pytest.fixture
def key(phone: Phone) -> bytes:
    """The asking key of a kept backup."""
    key = secrets.token_bytes(32)
    assert keep(phone, key).status_code == 201
    return key


def test_the_right_code_gets_the_ciphertext_back_unchanged(key: bytes) -> None:
    answer = recover(key).json()
    assert answer == {"content": b64url(b"ciphertext"), "ended": False}


def test_the_agency_keeps_no_key(key: bytes) -> None:
    assert key not in bytes(Backup.objects.get().verifier)


def test_a_newer_backup_takes_the_place_of_the_older(phone: Phone, key: bytes) -> None:
    keep(phone, key, content=b"newer")
    assert recover(key).json()["content"] == b64url(b"newer")
    assert Backup.objects.count() == 1


def test_five_wrong_codes_lock_the_backup_for_the_right_one_too(key: bytes) -> None:
    answers = [recover(bytes(32)).json()["code"] for _ in range(5)]
    assert answers == ["recovery-wrong"] * 5
    assert recover(key).json()["code"] == "recovery-locked"


def test_the_right_code_gives_the_tries_back(key: bytes) -> None:
    for _ in range(4):
        recover(bytes(32))
    assert recover(key).status_code == 200
    assert Backup.objects.get().tries_left == 5


def test_a_code_nobody_has_answers_like_a_wrong_one(key: bytes) -> None:
    assert recover(key, locator="000000").json()["code"] == "recovery-wrong"


def test_guessing_codes_from_one_address_is_throttled(key: bytes) -> None:
    codes = [recover(bytes(32), locator=f"00000{number % 10}").json()["code"] for number in range(21)]
    assert codes == ["recovery-wrong"] * 20 + ["recovery-throttled"]


def test_the_code_ends_a_lost_phone(phone: Phone, key: bytes) -> None:
    assert recover(key, lost=True).json()["ended"] is True
    assert phone.unlock().json()["code"] == "wallet-unknown"
    assert Wallet.objects.get().ended_as == "lost"
    assert recover(key, lost=True).json() == {"content": b64url(b"ciphertext"), "ended": False}


def test_a_wrong_code_ends_no_phone(phone: Phone, key: bytes) -> None:
    recover(bytes(32), lost=True)
    assert phone.unlock().status_code == 200


def test_a_taken_locator_is_refused(seeded: SeededIdentity, key: bytes) -> None:
    other = Phone()
    other.activate(seeded.citizens[1].code)
    answer = keep(other, key)
    assert (answer.status_code, answer.json()["code"]) == (409, "recovery-taken")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("locator", "7kqm3f"),
        ("locator", "7KQM3U"),
        ("verifier", "x" * 42 + "!"),
        ("content", ""),
        ("content", "*"),
        ("content", "A" * (64 * 1024 * 4 // 3 + 5)),
        ("content", 1),
    ],
)
def test_a_malformed_backup_is_refused(phone: Phone, name: str, value: Any) -> None:
    body = {"locator": LOCATOR, "verifier": b64url(bytes(32)), "content": b64url(b"x"), name: value}
    answer = post(phone, "/backup", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "input-invalid")
    assert not Backup.objects.exists()
