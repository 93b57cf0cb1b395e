"""Key attestations (OpenID4VCI 1.0 Appendix D): believed from a trusted provider for the very key, else refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django.fixtures import Settings

from certificates.core import key_attestation, proofs
from certificates.models import Certificate
from gov_chain import clock
from gov_chain.environment import UnsafeSettings, _wallet_providers
from gov_chain.keys.local import LocalSigner
from identity.core import jose
from identity.core import jwk as jwks
from identity.core.dids import key as did_key
from identity.core.dids import multikey
from tests.certificates.conftest import ISSUER, Desk, Phone


class Provider:
    """A maker of wallets that vouches for keys."""

    def __init__(self) -> None:
        self.signer = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
        self.did = did_key.of(multikey.key("P-256", self.signer.public_key))

    def attest(self, *keys: Any, header: Any = None, **claims: Any) -> str:
        usual = {
            "iat": clock.now(),
            "exp": clock.now() + 600,
            "attested_keys": list(keys),
            "key_storage": ["iso_18045_high", "iso_18045_moderate"],
            "user_authentication": ["iso_18045_moderate"],
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return jose.sign({"typ": key_attestation.TYPE} | (header or {}), said, self.signer)


@pytest.fixture
def provider(settings: Settings) -> Provider:
    provider = Provider()
    settings.GOVCHAIN = replace(settings.GOVCHAIN, wallet_providers=(provider.did,))
    return provider


def claim(desk: Desk, given: dict[str, list[str]]) -> Any:
    body = {"credential_configuration_id": "resident-id", "proofs": given}
    return desk.post("/credential", body, desk.token())


def proof(desk: Desk, phone: Phone, attestation: object) -> str:
    claims = {"aud": ISSUER, "iat": clock.now(), "nonce": desk.nonce()}
    return jose.sign({"typ": proofs.TYPE, "jwk": phone.jwk, "key_attestation": attestation}, claims, phone.key)


def test_an_attested_key_is_taken_and_its_level_kept(desk: Desk, phone: Phone, provider: Provider) -> None:
    answer = claim(desk, {"jwt": [proof(desk, phone, provider.attest(phone.jwk))]})
    assert answer.status_code == 200
    kept = Certificate.objects.get()
    assert (kept.key_storage, kept.user_authentication) == ("iso_18045_high", "iso_18045_moderate")


def test_the_attestation_proof_type_needs_no_signature_of_the_key(desk: Desk, phone: Phone, provider: Provider) -> None:
    answer = claim(desk, {"attestation": [provider.attest(phone.jwk, nonce=desk.nonce(), exp=None)]})
    assert answer.status_code == 200
    assert Certificate.objects.get().holder_thumbprint == jwks.thumbprint(phone.jwk)


def test_the_attestation_proof_type_is_offered_only_where_a_provider_is_trusted(
    desk: Desk, settings: Settings, provider: Provider
) -> None:
    def offered() -> set[str]:
        answer = desk.client.get("/.well-known/openid-credential-issuer/agencies/psb").json()
        return set(answer["credential_configurations_supported"]["resident-id"]["proof_types_supported"])

    assert offered() == {"jwt", "attestation"}
    settings.GOVCHAIN = replace(settings.GOVCHAIN, wallet_providers=())
    assert offered() == {"jwt"}


def test_by_default_nobodys_attestation_is_believed(desk: Desk, phone: Phone) -> None:
    for given in (
        {"jwt": [proof(desk, phone, Provider().attest(phone.jwk))]},
        {"attestation": [Provider().attest(phone.jwk, nonce=desk.nonce())]},
    ):
        answer = claim(desk, given)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_proof")
    assert not Certificate.objects.exists()


BAD: list[dict[str, Any]] = [
    {"exp": None},
    {"exp": 1},
    {"exp": "never"},
    {"iat": None},
    {"iat": 4_000_000_000},
    {"attested_keys": []},
    {"attested_keys": None},
    {"attested_keys": [{"kty": "oct", "k": "AA"}]},
    {"attested_keys": "key"},
    {"nonce": "another"},
    {"nonce": 7},
    {"key_storage": "iso_18045_high"},
    {"key_storage": []},
    {"user_authentication": ["x" * 41]},
    {"header": {"typ": "JWT"}},
    {"header": {"alg": "none"}},
]


def test_a_bad_attestation_is_an_invalid_proof(desk: Desk, phone: Phone, provider: Provider) -> None:
    attestations = [provider.attest(phone.jwk, **change) for change in BAD]
    for attestation in (*attestations, 7, None, "", "a.b.c", ["x"]):
        answer = claim(desk, {"jwt": [proof(desk, phone, attestation)]})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_proof"), attestation
    assert not Certificate.objects.exists()


def test_an_attestation_of_another_key_or_another_provider_is_refused(
    desk: Desk, phone: Phone, provider: Provider
) -> None:
    other = jwks.from_public_key(Provider().signer.public_key)
    for attestation in (provider.attest(other), Provider().attest(phone.jwk)):
        assert claim(desk, {"jwt": [proof(desk, phone, attestation)]}).json()["error"] == "invalid_proof"


def test_the_attestation_proof_type_is_fresh_and_about_one_key(desk: Desk, phone: Phone, provider: Provider) -> None:
    other = jwks.from_public_key(Provider().signer.public_key)
    for attestation, error in (
        (provider.attest(phone.jwk), "invalid_proof"),
        (provider.attest(phone.jwk, other, nonce=desk.nonce()), "invalid_proof"),
        (provider.attest(phone.jwk, nonce="made up"), "invalid_nonce"),
        (provider.attest(phone.jwk, nonce="中"), "invalid_nonce"),
    ):
        assert claim(desk, {"attestation": [attestation]}).json()["error"] == error
    assert not Certificate.objects.exists()


def test_a_nonce_counts_once_for_an_attestation_too(desk: Desk, phone: Phone, provider: Provider) -> None:
    attestation = provider.attest(phone.jwk, nonce=desk.nonce())
    assert claim(desk, {"attestation": [attestation]}).status_code == 200
    assert claim(desk, {"attestation": [attestation]}).json()["error"] == "invalid_nonce"


def test_the_setting_takes_keys_alone() -> None:
    did = Provider().did
    assert list(_wallet_providers(f"{did}, {did}")) == [did, did]
    assert list(_wallet_providers("")) == []
    for text in ("did:web:provider.example", "did:key:z0", "https://provider.example"):
        with pytest.raises(UnsafeSettings):
            list(_wallet_providers(text))
