"""Passkeys: another way to open a wallet, as strict as the PIN."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from identity.models import Passkey
from tests.identity.actors import Phone
from tests.identity.authenticator import Authenticator


@pytest.fixture
def token(phone: Phone) -> str:
    return str(phone.unlock().json()["token"])


@pytest.fixture
def passkey(phone: Phone, token: str) -> Authenticator:
    authenticator = Authenticator()
    assert _register(phone, token, authenticator).status_code == 201
    return authenticator


def _register(phone: Phone, token: str, authenticator: Authenticator, **changes: Any) -> Any:
    bearer = f"Bearer {token}"
    options = phone.post(phone.wallet_path("/passkeys/options"), {}, Authorization=bearer).json()
    credential = authenticator.register(options, **changes)
    return phone.post(phone.wallet_path("/passkeys"), {"credential": credential}, Authorization=bearer)


def _options(phone: Phone) -> Any:
    path = phone.wallet_path("/unlock/options")
    return phone.post(path, {}, DPoP=phone.proof(path))


def _unlock(phone: Phone, assertion: Any) -> Any:
    path = phone.wallet_path("/unlock")
    return phone.post(path, {"passkey": assertion}, DPoP=phone.proof(path))


def test_a_passkey_opens_the_wallet(phone: Phone, passkey: Authenticator) -> None:
    answer = _unlock(phone, passkey.answer(_options(phone).json()))
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 600)


def test_a_passkey_is_added_only_to_an_open_wallet(phone: Phone) -> None:
    answer = phone.post(phone.wallet_path("/passkeys/options"), {})
    assert (answer.status_code, answer.json()["code"]) == (401, "session-missing")


def test_options_name_no_person(phone: Phone, token: str) -> None:
    options = phone.post(phone.wallet_path("/passkeys/options"), {}, Authorization=f"Bearer {token}")
    assert options.json()["rp"]["id"] == "localhost"
    assert "安若素" not in options.content.decode()


@pytest.mark.parametrize(
    "changes",
    [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"challenge": "AAAA"}, {"verified": False}],
)
def test_a_passkey_made_for_something_else_is_refused(phone: Phone, token: str, changes: dict[str, Any]) -> None:
    answer = _register(phone, token, Authenticator(), **changes)
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey-invalid")
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"challenge": "AAAA"}, {"verified": False}],
)
def test_an_assertion_for_something_else_is_refused(
    phone: Phone, passkey: Authenticator, changes: dict[str, Any]
) -> None:
    answer = _unlock(phone, passkey.answer(_options(phone).json(), **changes))
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey-invalid")


@pytest.mark.parametrize(
    "changes",
    [
        {"cose": 5},
        {"cose": {1: 2}},
        {"cose": [1]},
        {"cose": {1: 2, 3: [], -1: {}, -2: None}},
        {"fmt": 1},
        {"fmt": "packed", "statement": {"sig": b"1", "alg": -7, "x5c": [b"1"]}},
        {"fmt": "fido-u2f", "statement": {"sig": b"1", "x5c": [b"1"]}},
        {"fmt": "tpm", "statement": {"ver": "2.0", "sig": b"1", "x5c": [b"1"]}},
        {"fmt": "apple", "statement": {"x5c": [b"1"]}},
        {"fmt": "android-key", "statement": {"sig": b"1", "alg": -7, "x5c": [b"1"]}},
        {"fmt": "android-safetynet", "statement": {"ver": "1", "response": b"a.b.c"}},
    ],
)
def test_a_passkey_of_any_shape_is_refused_in_words(phone: Phone, token: str, changes: dict[str, Any]) -> None:
    answer = _register(phone, token, Authenticator(), **changes)
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey-invalid")
    assert not Passkey.objects.exists()


def test_a_passkey_whose_key_is_no_point_opens_nothing(phone: Phone, token: str) -> None:
    authenticator = Authenticator()
    made = _register(phone, token, authenticator, cose={1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32})
    assert made.status_code == 201  # only using it shows that
    answer = _unlock(phone, authenticator.answer(_options(phone).json()))
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey-invalid")


def test_a_challenge_is_answered_once(phone: Phone, passkey: Authenticator) -> None:
    assertion = passkey.answer(_options(phone).json())
    assert [_unlock(phone, assertion).status_code for _ in range(2)] == [200, 403]


def test_a_copied_passkey_shows_by_its_count(phone: Phone, passkey: Authenticator) -> None:
    _unlock(phone, passkey.answer(_options(phone).json(), count=9))
    assert _unlock(phone, passkey.answer(_options(phone).json(), count=9)).json()["code"] == "passkey-invalid"


def test_another_passkey_does_not_open_the_wallet(phone: Phone, passkey: Authenticator) -> None:
    stranger = Authenticator()
    stranger.credential_id = passkey.credential_id
    assert _unlock(phone, stranger.answer(_options(phone).json())).json()["code"] == "passkey-invalid"


def test_a_passkey_is_no_way_around_the_lock(phone: Phone, passkey: Authenticator) -> None:
    options = _options(phone).json()
    for _ in range(5):
        phone.unlock("730158")
    answer = _unlock(phone, passkey.answer(options))
    assert (answer.status_code, answer.json()["code"]) == (423, "wallet-locked")


@pytest.mark.parametrize(
    "change",
    [
        {"rawId": 7},
        {"rawId": "é"},
        {"id": "x"},
        {"type": "x"},
        {"response": {}},
        {"response": None},
        {"response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"}},
        {"response": {"clientDataJSON": 1, "authenticatorData": [], "signature": {}}},
        {"response": {"clientDataJSON": "W10", "authenticatorData": "AAAA", "signature": "AAAA"}},
        {"response": {"clientDataJSON": "e30", "authenticatorData": "_w", "signature": "*"}},
    ],
)
def test_a_malformed_assertion_is_refused(phone: Phone, passkey: Authenticator, change: dict[str, Any]) -> None:
    answer = _unlock(phone, passkey.answer(_options(phone).json()) | change)
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey-invalid")


@pytest.mark.parametrize(
    "response",
    [
        {},
        None,
        {"attestationObject": "AAAA", "clientDataJSON": "e30"},
        {"attestationObject": "oA", "clientDataJSON": "W10"},
        {"attestationObject": "_____w", "clientDataJSON": "AAAA"},
        {"attestationObject": 5, "clientDataJSON": True},
    ],
)
def test_a_malformed_registration_is_refused(phone: Phone, token: str, response: Any) -> None:
    bearer = f"Bearer {token}"
    options = phone.post(phone.wallet_path("/passkeys/options"), {}, Authorization=bearer).json()
    credential = Authenticator().register(options) | {"response": response}
    answer = phone.post(phone.wallet_path("/passkeys"), {"credential": credential}, Authorization=bearer)
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey-invalid")


def test_no_passkey_under_an_ip_address(phone: Phone, token: str, settings: Settings) -> None:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, base_url="https://192.168.1.5:8443")
    answer = phone.post(phone.wallet_path("/passkeys/options"), {}, Authorization=f"Bearer {token}")
    assert (answer.status_code, answer.json()["code"]) == (409, "passkey-unavailable")
