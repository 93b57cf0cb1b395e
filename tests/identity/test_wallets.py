"""Wallets over HTTP: activation, PIN, sessions, device proofs."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from identity import wallets
from identity.actions.issue_activation import issue_activation
from identity.actions.unlock_wallet import unlock_wallet
from identity.core.assurance import Level, Verified
from identity.errors import IdentityError
from identity.models import Activation, Wallet, WalletSession
from identity.seed import SeededIdentity
from tests.identity.actors import PIN, CountingHasher, Phone


def test_a_code_a_pin_and_a_proof_make_a_wallet(seeded: SeededIdentity) -> None:
    answer = Phone().activate(seeded.citizens[0].code)
    assert answer.status_code == 201
    assert answer.json()["citizen"] == {"name": "安若素"}
    assert answer.json()["home"]["slug"] == "data"


def test_a_code_is_forgiving_about_case_and_hyphens(seeded: SeededIdentity) -> None:
    assert Phone().activate(seeded.citizens[0].code.lower().replace("-", " ")).status_code == 201


def test_a_code_works_once(seeded: SeededIdentity, phone: Phone) -> None:
    answer = Phone().activate(seeded.citizens[0].code)
    assert (answer.status_code, answer.json()["code"]) == (403, "activation-wrong")
    assert Wallet.objects.count() == 1


def test_of_eight_phones_with_one_code_one_is_activated(committed: SeededIdentity) -> None:
    def activate(phone: Phone) -> int:
        try:
            return int(phone.activate(committed.citizens[0].code).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(activate, [Phone() for _ in range(8)])) == [201] + [403] * 7
    assert Wallet.objects.count() == 1


def test_an_expired_code_is_refused(seeded: SeededIdentity) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(days=8)):
        assert Phone().activate(seeded.citizens[0].code).json()["code"] == "activation-wrong"


def test_after_five_wrong_tries_the_right_code_is_refused(seeded: SeededIdentity) -> None:
    code = seeded.citizens[0].code
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for _ in range(5):
        assert Phone().activate(wrong).json()["code"] == "activation-wrong"
    assert Phone().activate(code).json()["code"] == "activation-wrong"
    assert not Wallet.objects.exists()


def test_guessing_codes_from_one_address_is_throttled(seeded: SeededIdentity) -> None:
    codes = {Phone().activate("0000-0000-0000").json()["code"] for _ in range(20)}
    assert codes == {"activation-wrong"}
    answer = Phone().activate(seeded.citizens[0].code)
    assert (answer.status_code, answer.json()["code"]) == (429, "activation-throttled")


def test_the_database_keeps_no_activation_code(seeded: SeededIdentity) -> None:
    code = seeded.citizens[0].code.replace("-", "")
    for row in Activation.objects.all():
        assert code not in f"{row.locator}{bytes(row.code_digest)!r}"


@pytest.mark.parametrize("pin", ["000000", "123456", "654321", "121212", "123123", "900307", "199003", "030790"])
def test_an_obvious_pin_is_refused_and_costs_no_try(seeded: SeededIdentity, pin: str) -> None:
    code = seeded.citizens[0].code  # born 1990-03-07
    assert [Phone().activate(code, pin=pin).json()["code"] for _ in range(6)] == ["pin-weak"] * 6
    assert Phone().activate(code).status_code == 201


@pytest.mark.parametrize("pin", ["12345", "1234567", "abcdef", "１２３４５６", 730159, None, "73015\n"])
def test_a_pin_is_six_digits(seeded: SeededIdentity, pin: object) -> None:
    answer = Phone().activate(seeded.citizens[0].code, pin=pin)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (400, "input-invalid")


def test_a_new_phone_ends_the_old_one(seeded: SeededIdentity, phone: Phone) -> None:
    token = phone.unlock().json()["token"]
    verified = Verified(check="in-person", level=Level.HIGH)
    code = issue_activation(citizen=seeded.citizens[0].citizen, verified=verified, officer=None).code
    assert Phone().activate(code).status_code == 201
    assert phone.unlock().json()["code"] == "wallet-unknown"
    assert _code_of(token) == "session-missing"


def test_a_phone_key_serves_one_citizen(seeded: SeededIdentity, phone: Phone) -> None:
    answer = phone.activate(seeded.citizens[1].code)
    assert (answer.status_code, answer.json()["code"]) == (409, "device-taken")
    assert Wallet.objects.count() == 1


def test_the_right_pin_opens_a_session_of_ten_minutes(phone: Phone) -> None:
    answer = phone.unlock()
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 600
    assert _code_of(answer.json()["token"]) == "open"
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=601)):
        assert _code_of(answer.json()["token"]) == "session-missing"


def test_the_database_keeps_no_session_token(phone: Phone) -> None:
    token = phone.unlock().json()["token"]
    assert token.encode() not in bytes(WalletSession.objects.get().token_digest)


def test_a_wrong_pin_says_how_many_tries_are_left(phone: Phone) -> None:
    answer = phone.unlock("730158")
    assert (answer.status_code, answer.json()["code"], answer.json()["tries_left"]) == (403, "pin-wrong", 4)


def test_the_right_pin_gives_the_tries_back(phone: Phone) -> None:
    phone.unlock("730158")
    phone.unlock()
    assert phone.unlock("730158").json()["tries_left"] == 4


def test_the_fifth_wrong_pin_locks_the_wallet_and_its_sessions(phone: Phone) -> None:
    token = phone.unlock().json()["token"]
    answers = [phone.unlock("730158") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 423]
    assert phone.unlock().json()["code"] == "wallet-locked"
    assert _code_of(token) == "wallet-locked"


def test_twenty_guesses_at_once_get_five_tries(committed: SeededIdentity, settings: Settings) -> None:
    phone = Phone()
    phone.activate(committed.citizens[0].code)
    settings.PASSWORD_HASHERS = ["tests.identity.actors.CountingHasher"]
    wallet = Wallet.objects.get()
    wallet.pin_hash = make_password(PIN)
    wallet.save()

    def guess(number: int) -> str:
        try:
            unlock_wallet(wallet=Wallet.objects.get(pk=wallet.pk), pin=f"8402{number:02}")
            return "open"
        except IdentityError as error:
            return error.code
        finally:
            connection.close()

    CountingHasher.looked_at.clear()
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(guess, range(20)))
    assert len(CountingHasher.looked_at) == 5
    assert set(results) <= {"pin-wrong", "wallet-locked"}
    assert Wallet.objects.get().state == "locked"


def test_another_citizens_wallet_does_not_open_with_my_phone(seeded: SeededIdentity, phone: Phone) -> None:
    other = Phone()
    other.activate(seeded.citizens[1].code, pin=PIN)
    path = phone.wallet_path("/unlock")
    answer = other.post(path, {"pin": PIN}, DPoP=other.proof(path))
    assert (answer.status_code, answer.json()["code"]) == (401, "device-proof-invalid")
    assert Wallet.objects.get(id=phone.wallet_id).tries_left == 5


def test_my_session_adds_no_passkey_to_another_wallet(seeded: SeededIdentity, phone: Phone) -> None:
    other = Phone()
    other.activate(seeded.citizens[1].code)
    token = other.unlock().json()["token"]
    answer = other.post(phone.wallet_path("/passkeys/options"), {}, Authorization=f"Bearer {token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "session-missing")


def test_a_device_proof_counts_once(phone: Phone) -> None:
    proof = phone.proof(phone.wallet_path("/unlock"))
    assert phone.unlock(proof=proof).status_code == 200
    answer = phone.unlock(proof=proof)
    assert (answer.status_code, answer.json()["code"]) == (401, "device-proof-invalid")


def test_no_device_proof_no_try(phone: Phone) -> None:
    answer = phone.post(phone.wallet_path("/unlock"), {"pin": PIN})
    assert (answer.status_code, answer.json()["code"]) == (401, "device-proof-invalid")
    assert Wallet.objects.get().tries_left == 5


@pytest.mark.parametrize("slug", ["psb", "street", "nobody"])
def test_only_the_home_agency_has_wallets(phone: Phone, slug: str) -> None:
    answer = phone.post(f"/agencies/{slug}/wallets/{phone.wallet_id}/unlock", {"pin": PIN})
    assert (answer.status_code, answer.json()["code"]) == (404, "agency-unknown")


@pytest.mark.parametrize("body", [{}, {"pin": PIN, "passkey": {}}])
def test_unlocking_takes_exactly_one_of_pin_and_passkey(phone: Phone, body: dict[str, object]) -> None:
    path = phone.wallet_path("/unlock")
    assert phone.post(path, body, DPoP=phone.proof(path)).json()["code"] == "unlock-unclear"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eA==", "Bearer 中文", "Bearer " + "x" * 5000])
def test_an_authorization_that_is_no_token_opens_nothing(seeded: SeededIdentity, header: str) -> None:
    with pytest.raises(IdentityError, match="session-missing"):
        wallets.wallet_of(RequestFactory().get("/", headers={"authorization": header}))


def _code_of(token: str) -> str:
    try:
        wallets.wallet_of(RequestFactory().get("/", headers={"authorization": f"Bearer {token}"}))
    except IdentityError as error:
        return error.code
    return "open"
