"""`local:` keys: files nobody else reads, refused in production."""

from __future__ import annotations

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pytest_django.fixtures import Settings

from gov_chain import keys
from gov_chain.keys import KeyStoreError, local


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, data=tmp_path)
    return tmp_path / "keys"


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "A256GCM"])
def test_a_key_file_is_readable_by_its_owner_only(folder: Path, algorithm: keys.Algorithm) -> None:
    keys.create("local:psb/issue", algorithm)
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.key")] == [0o600]
    assert stat.S_IMODE((folder / "psb").stat().st_mode) == 0o700


def test_creating_again_keeps_the_key() -> None:
    keys.create("local:psb/issue", "ES256")
    before = keys.signer("local:psb/issue").public_key
    keys.create("local:psb/issue", "ES256")
    assert keys.signer("local:psb/issue").public_key == before


def test_of_many_creating_at_once_all_end_up_with_one_key(folder: Path) -> None:
    def create(_: int) -> bytes:
        keys.create("local:psb/issue", "ES256")
        return keys.signer("local:psb/issue").public_key

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(16)))) == 1
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["issue.key"]


def test_an_ed25519_signature_verifies() -> None:
    keys.create("local:psb/ledger", "EdDSA")
    signer = keys.signer("local:psb/ledger")
    assert (signer.algorithm, len(signer.public_key)) == ("EdDSA", 32)
    ed25519.Ed25519PublicKey.from_public_bytes(signer.public_key).verify(signer.sign(b"text"), b"text")


def test_an_es256_signature_is_raw_r_and_s() -> None:
    keys.create("local:psb/issue", "ES256")
    signer = keys.signer("local:psb/issue")
    (signature,) = signer.sign_many([b"text"])
    assert (signer.algorithm, len(signer.public_key), len(signature)) == ("ES256", 33, 64)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), signer.public_key)
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    public.verify(der, b"text", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("damage", ["bit", "context", "short", "empty"])
def test_sealed_data_opens_only_unaltered_and_in_its_context(damage: str) -> None:
    keys.create("local:data/seal", "A256GCM")
    sealer = keys.sealer("local:data/seal")
    sealed = sealer.seal(b"secret", b"purpose")
    assert sealer.open(sealed, b"purpose") == b"secret"
    damaged = {"bit": sealed[:-1] + bytes([sealed[-1] ^ 1]), "context": sealed, "short": sealed[:20], "empty": b""}
    with pytest.raises(KeyStoreError, match="seal-broken"):
        sealer.open(damaged[damage], b"other" if damage == "context" else b"purpose")


def test_a_key_others_can_read_is_not_used(folder: Path) -> None:
    keys.create("local:psb/issue", "ES256")
    (folder / "psb" / "issue.key").chmod(0o640)
    with pytest.raises(KeyStoreError, match="key-exposed"):
        keys.signer("local:psb/issue")


def test_a_missing_key_is_said_to_be_missing() -> None:
    with pytest.raises(KeyStoreError, match="key-missing"):
        keys.signer("local:psb/absent")


@pytest.mark.parametrize(
    "uri", ["local:../etc/passwd", "local:/abs", "local:", "local:a/../b", "file:x", "x", "local:a b"]
)
def test_an_address_that_names_no_key_is_refused(uri: str) -> None:
    with pytest.raises(KeyStoreError, match="key-store-unknown"):
        keys.create(uri, "ES256")


def test_production_refuses_key_files(settings: Settings, folder: Path) -> None:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, name="production")
    with pytest.raises(KeyStoreError, match="key-store-refused"):
        keys.create("local:psb/issue", "ES256")
    assert not folder.exists()


def test_using_key_files_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    local._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        keys.create("local:psb/issue", "ES256")
        keys.create("local:psb/request", "ES256")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
