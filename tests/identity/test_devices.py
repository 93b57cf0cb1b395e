"""Devices of an agency: enrolled by key, heard while they live, refused afterwards."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.test import Client
from django.utils import timezone

from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from gov_chain.keys.local import LocalSigner
from identity import agencies
from identity.actions.enrol_device import enrol_device
from identity.actions.revoke_device import revoke_device
from identity.core import device_request, jose
from identity.core.dids import key as did_key
from identity.core.dids import multikey
from identity.errors import IdentityError
from identity.models import Device
from identity.seed import SeededIdentity

PATH = "/agencies/street/devices/heartbeat"
PAGE = {"accept": "text/html"}


class Sensor:
    def __init__(self, kind: str = "P-256") -> None:
        made = ec.generate_private_key(ec.SECP256R1()) if kind == "P-256" else ed25519.Ed25519PrivateKey.generate()
        self.signer = LocalSigner(made)
        self.did = did_key.of(multikey.key(kind, self.signer.public_key))  # type: ignore[arg-type]

    def post(self, *, body: bytes = b"{}", signed_body: bytes | None = None, header: Any = None, **claims: Any) -> Any:
        usual = {
            "aud": "street",
            "iat": clock.now(),
            "jti": secrets.token_hex(8),
            "htu": PATH,
            "body_sha256": b64url(sha256(body if signed_body is None else signed_body)),
        }
        token = jose.sign({"typ": device_request.TYP, "kid": self.did} | (header or {}), usual | claims, self.signer)
        headers = {"Authorization": f"GovChain-Device {token}"}
        return Client().post(PATH, data=body, content_type="application/json", headers=headers)


@pytest.fixture
def sensor(seeded: SeededIdentity) -> Sensor:
    sensor = Sensor()
    enrol(sensor.did)
    return sensor


def enrol(did: str, *, days: float = 30, label: str = "门口扫码器", slug: str = "street") -> Device:
    until = timezone.now() + dt.timedelta(days=days)
    return enrol_device(agency=agencies.by_slug(slug), label=label, did=did, valid_until=until)


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_an_enrolled_device_is_heard_and_seen(seeded: SeededIdentity, kind: str) -> None:
    sensor = Sensor(kind)
    enrol(sensor.did)
    answer = sensor.post()
    assert (answer.status_code, answer.json()["label"]) == (200, "门口扫码器")
    assert Device.objects.get().last_seen_at is not None


def test_a_device_nobody_enrolled_is_refused(seeded: SeededIdentity) -> None:
    assert Sensor().post().json()["code"] == "device-unknown"


def test_a_revoked_device_is_refused(sensor: Sensor) -> None:
    revoke_device(agency=agencies.by_slug("street"), device_id=Device.objects.get().pk)
    answer = sensor.post()
    assert (answer.status_code, answer.json()["code"]) == (403, "device-revoked")
    assert Device.objects.get().last_seen_at is None


def test_an_expired_device_is_refused(sensor: Sensor) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(days=31)):
        assert sensor.post().json()["code"] == "device-expired"


def test_a_device_of_another_agency_is_refused(seeded: SeededIdentity) -> None:
    sensor = Sensor()
    enrol(sensor.did, slug="psb")
    assert sensor.post().json()["code"] == "device-unknown"


def test_a_request_counts_once(sensor: Sensor) -> None:
    jti = secrets.token_hex(8)
    assert sensor.post(jti=jti).status_code == 200
    assert sensor.post(jti=jti).json()["code"] == "device-unauthenticated"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "psb"},
        {"htu": "/agencies/street/devices/other"},
        {"signed_body": b"[]"},
        {"iat": 1},
        {"iat": "now"},
        {"jti": "short"},
        {"jti": None},
        {"header": {"typ": "JWT"}},
        {"header": {"kid": 7}},
        {"header": {"kid": "did:web:street"}},
        {"header": {"kid": "did:key:z0"}},
        {"header": {"alg": "none"}},
    ],
)
def test_a_request_signed_for_something_else_is_refused(sensor: Sensor, change: dict[str, Any]) -> None:
    answer = sensor.post(**change)
    assert (answer.status_code, answer.json()["code"]) == (401, "device-unauthenticated")


def test_another_devices_name_under_my_key_is_refused(sensor: Sensor) -> None:
    thief = Sensor()
    thief.did = sensor.did
    assert thief.post().json()["code"] == "device-unauthenticated"


@pytest.mark.parametrize("header", ["", "GovChain-Device", "Bearer x", "GovChain-Device a.b.c"])
def test_without_a_signature_nobody_is_heard(seeded: SeededIdentity, header: str) -> None:
    answer = Client().post(PATH, data=b"{}", content_type="application/json", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "device-unauthenticated")


@pytest.mark.parametrize(
    ("did", "days", "label", "code"),
    [
        ("did:key:z0", 30, "x", "device-key-invalid"),
        ("did:web:street", 30, "x", "device-key-invalid"),
        ("", 30, "x", "device-key-invalid"),
        ("good", 0, "x", "device-validity-invalid"),
        ("good", 6 * 366, "x", "device-validity-invalid"),
        ("good", 30, " ", "device-label-missing"),
        ("good", 30, "长" * 61, "device-label-missing"),
    ],
)
def test_what_is_not_in_order_is_not_enrolled(
    seeded: SeededIdentity, did: str, days: float, label: str, code: str
) -> None:
    with pytest.raises(IdentityError, match=code):
        enrol(Sensor().did if did == "good" else did, days=days, label=label)
    assert not Device.objects.exists()


def test_a_key_is_enrolled_once_and_anew_after_it_was_revoked(sensor: Sensor) -> None:
    with pytest.raises(IdentityError, match="device-known"):
        enrol(sensor.did, slug="psb")
    revoke_device(agency=agencies.by_slug("street"), device_id=Device.objects.get().pk)
    enrol(sensor.did)
    assert sensor.post().status_code == 200


def test_the_administrator_enrols_and_revokes_on_the_page(home_officer: Client) -> None:
    sensor = Sensor()
    until = (timezone.localdate() + dt.timedelta(days=9)).isoformat()
    data = {"label": "扫码器", "did": sensor.did, "until": until}
    assert home_officer.post("/devices/enrol", data, headers=PAGE).status_code == 302
    page = home_officer.get("/devices/", headers=PAGE).content.decode()
    assert "扫码器" in page
    assert "尚未请求" in page
    home_officer.post(f"/devices/{Device.objects.get().pk}/revoke", headers=PAGE)
    assert "已停用" in home_officer.get("/devices/", headers=PAGE).content.decode()


@pytest.mark.parametrize("change", [{"label": ""}, {"did": "x"}, {"until": "x"}, {"until": "2020-01-01"}])
def test_the_page_says_beside_the_field_what_is_wrong(home_officer: Client, change: dict[str, str]) -> None:
    until = (timezone.localdate() + dt.timedelta(days=9)).isoformat()
    data = {"label": "扫码器", "did": Sensor().did, "until": until} | change
    answer = home_officer.post("/devices/enrol", data, headers=PAGE)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == list(change)
    assert not Device.objects.exists()


def test_another_agencys_device_is_not_revoked(sensor: Sensor, home_officer: Client) -> None:
    answer = home_officer.post(f"/devices/{Device.objects.get().pk}/revoke", headers=PAGE)
    assert answer.status_code == 404
    assert sensor.post().status_code == 200
