"""`vault:` keys, against a real Vault: algorithms, batches, rotation, log-in, policies, what its audit log shows."""

from __future__ import annotations

import dataclasses
import json
import threading
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pytest_django.fixtures import Settings

from gov_chain import keys, vault_server
from gov_chain.keys import Algorithm, KeyStoreError
from gov_chain.keys import vault as vaults
from gov_chain.keys.provisioning import write_secret_id
from gov_chain.keys.vault import Vault
from tests.keys.conftest import Real


def holds(signer: keys.Signer, signature: bytes, data: bytes) -> bool:
    """Raises unless it does."""
    if signer.algorithm == "EdDSA":
        Ed25519PublicKey.from_public_bytes(signer.public_key).verify(signature, data)
    else:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), signer.public_key)
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(der, data, ec.ECDSA(hashes.SHA256()))
    return True


def code_of(act: object) -> str:
    with pytest.raises(KeyStoreError) as caught:
        act()  # type: ignore[operator]
    assert caught.value.status in (409, 503)
    return caught.value.code


@pytest.fixture(params=["EdDSA", "ES256"])
def signer(vault: Vault, request: pytest.FixtureRequest) -> vaults.VaultSigner:
    algorithm: Algorithm = request.param
    name = f"psb/{algorithm.lower()}"
    vault.create(name, algorithm)
    return vault.signer(name)


def test_a_signature_is_64_bytes_under_the_public_key(signer: vaults.VaultSigner) -> None:
    for data in (b"", b"x", bytes(70_000)):
        signature = signer.sign(data)
        assert len(signature) == 64
        assert holds(signer, signature, data)


def test_many_are_signed_in_order_over_several_calls(signer: vaults.VaultSigner) -> None:
    items = [str(number).encode() for number in range(vaults.BATCH * 2 + 3)]
    for item, signature in zip(items, signer.sign_many(items), strict=True):
        assert holds(signer, signature, item)
    assert signer.sign_many([]) == []


def test_a_batch_is_cut_by_bytes_too(signer: vaults.VaultSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "BATCH_BYTES", 4000)
    items = [bytes([number]) * 2000 for number in range(5)]
    assert all(map(lambda item, signature: holds(signer, signature, item), items, signer.sign_many(items)))


def test_creating_twice_keeps_the_key(vault: Vault, real: Real) -> None:
    vault.create("psb/again", "ES256")
    before = vault.signer("psb/again").public_key
    Vault(real.access).create("psb/again", "ES256")
    assert Vault(real.access).signer("psb/again").public_key == before
    assert code_of(lambda: vault.create("psb/again", "EdDSA")) == "key-missing"


def test_the_settings_name_the_store(real: Real, settings: Settings) -> None:
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, keys="vault", vault=real.access)
    keys.create("vault:psb/issue", "ES256")
    signer = keys.signer("vault:psb/issue")
    assert holds(signer, signer.sign(b"x"), b"x")
    settings.GOVCHAIN = dataclasses.replace(settings.GOVCHAIN, vault=None)
    assert code_of(lambda: keys.signer("vault:psb/issue")) == "key-store-unknown"


@pytest.mark.parametrize("name", ["psb", "psb/../x", "psb/a/b", "psb/Issue", "/x"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert code_of(lambda: vaults.place(name)) == "key-store-unknown"


# Versions


def test_a_rotation_is_a_version_and_the_old_one_goes_on_and_stays_published(vault: Vault) -> None:
    vault.create("psb/turning", "ES256")
    old = vault.signer("psb/turning")
    before = old.sign(b"x")
    vault.create("psb/turning-2", "ES256")
    new = vault.signer("psb/turning-2")
    assert new.public_key != old.public_key
    assert (old.key_id.partition(".")[0], new.key_id.partition(".")[0]) == ("v1", "v2")
    assert holds(old, before, b"x")
    assert holds(old, old.sign(b"y"), b"y")
    assert holds(new, new.sign(b"y"), b"y")
    assert vault.signer("psb/turning").public_key == old.public_key


def test_a_rotation_in_the_middle_of_a_batch_leaves_it_under_one_version(vault: Vault, real: Real) -> None:
    vault.create("psb/midway", "EdDSA")
    signer = vault.signer("psb/midway")
    items = [str(number).encode() for number in range(vaults.BATCH * 6)]
    begun, done = threading.Event(), threading.Event()
    rotated = 0

    def rotate() -> None:
        nonlocal rotated
        begun.wait()
        with vault_server.operator(real.folder) as operator:
            while not done.is_set():
                operator.ask("POST", "govchain/psb/keys/midway/rotate")
                rotated += 1

    thread = threading.Thread(target=rotate)
    thread.start()
    begun.set()
    try:
        signatures = signer.sign_many(items)
    finally:
        done.set()
        thread.join()
    assert rotated
    assert all(holds(signer, signature, item) for item, signature in zip(items, signatures, strict=True))


def test_a_retired_version_signs_nothing_and_says_so(vault: Vault, real: Real) -> None:
    vault.create("psb/retired-2", "ES256")
    old = vault.signer("psb/retired")
    with vault_server.operator(real.folder) as operator:
        operator.ask("POST", "govchain/psb/keys/retired/config", {"min_encryption_version": 2})
    assert code_of(lambda: old.sign(b"x")) == "key-version-refused"
    assert code_of(lambda: old.sign_many([b"x", b"y"])) == "key-version-refused"
    assert vault.signer("psb/retired-2").sign(b"x")


# Sealing


def test_what_is_sealed_opens_in_its_context_only(vault: Vault) -> None:
    vault.create("psb/seal", "A256GCM")
    sealer = vault.sealer("psb/seal")
    sealed = sealer.seal(b"secret", b"for this")
    assert sealer.open(sealed, b"for this") == b"secret"
    assert b"secret" not in sealed
    assert code_of(lambda: sealer.open(sealed, b"for that")) == "seal-broken"
    assert code_of(lambda: sealer.open(sealed[:-6] + b"AAAAA=", b"for this")) == "seal-broken"
    for none in (b"", b"\xff", b"vault:v1:", b"nonsense"):
        assert code_of(lambda none=none: sealer.open(none, b"for this")) == "seal-broken"


def test_a_thousand_are_sealed_and_opened(vault: Vault) -> None:
    vault.create("psb/seal", "A256GCM")
    sealer = vault.sealer("psb/seal")
    items = [(str(number).encode(), b"row %d" % number) for number in range(1000)]
    sealed = sealer.seal_many(items)
    assert sealer.open_many(list(zip(sealed, [context for _, context in items], strict=True))) == [p for p, _ in items]


def test_what_an_older_version_sealed_still_opens(vault: Vault, real: Real) -> None:
    vault.create("psb/old-seal", "A256GCM")
    sealer = vault.sealer("psb/old-seal")
    sealed = sealer.seal(b"secret", b"c")
    with vault_server.operator(real.folder) as operator:
        operator.ask("POST", "govchain/psb/keys/old-seal/rotate")
    assert sealer.seal(b"secret", b"c").startswith(b"vault:v2:")
    assert sealer.open(sealed, b"c") == b"secret"


def test_sealing_makes_no_key(vault: Vault, real: Real) -> None:
    assert code_of(lambda: vault.sealer("psb/never")) == "key-missing"
    made = vaults.VaultSealer(vault, vaults.place("psb/never"))
    assert code_of(lambda: made.seal(b"x", b"c")) in ("key-missing", "key-store-denied")
    assert code_of(lambda: vault.sealer("psb/never")) == "key-missing"


# Log-in


def test_a_token_that_was_revoked_is_replaced_unseen(vault: Vault, real: Real) -> None:
    vault.create("psb/issue", "ES256")
    signer = vault.signer("psb/issue")
    with vault_server.operator(real.folder) as operator:
        operator.ask("POST", "auth/token/revoke", {"token": vault._log_in.token})
    assert signer.sign(b"x")


def test_a_token_is_renewed_before_it_ends_and_replaced_near_its_longest_life(real: Real) -> None:
    vault = Vault(real.access)
    vault.create("psb/issue", "ES256")
    signer = vault.signer("psb/issue")
    held = vault._log_in
    vault._log_in = dataclasses.replace(held, renew_at=0.0)
    signer.sign(b"x")
    assert vault._log_in.token == held.token
    assert vault._log_in.renew_at > held.renew_at - 1
    vault._log_in = dataclasses.replace(held, renew_at=0.0, full=held.full * 10)
    signer.sign(b"x")
    assert vault._log_in.token != held.token


def test_expired_credentials_are_told_and_new_ones_count_without_a_restart(real: Real, tmp_path: Path) -> None:
    role = vault_server.role(real.folder, "expiring", ["psb"])
    file = tmp_path / "secret-id"
    write_secret_id(file, role.secret_id)
    vault = Vault(dataclasses.replace(real.access, role_id=role.role_id, secret_id_file=file))
    vault.create("psb/issue", "ES256")
    signer = vault.signer("psb/issue")
    with vault_server.operator(real.folder) as operator:
        operator.ask("POST", "auth/approle/role/govchain-expiring/secret-id/destroy", {"secret_id": role.secret_id})
        operator.ask("POST", "auth/token/revoke", {"token": vault._log_in.token})
    token = vault._log_in.token
    with pytest.raises(KeyStoreError) as caught:
        signer.sign(b"x")
    assert caught.value.code == "key-store-login"
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__) + repr(vault._log_in)
    assert token not in told
    assert role.secret_id not in told
    write_secret_id(file, vault_server.role(real.folder, "expiring", ["psb"]).secret_id)
    assert signer.sign(b"x")
    file.unlink()
    vault._log_in = vaults._LogIn()
    assert code_of(lambda: signer.sign(b"x")) == "key-store-login"


# What a node may do


def test_an_agencys_role_uses_its_own_keys_alone_and_exports_none(real: Real, vault: Vault, tmp_path: Path) -> None:
    vault.create("data/issue", "ES256")
    vault.create("psb/issue", "ES256")
    role = vault_server.role(real.folder, "psb-alone", ["psb"])
    file = tmp_path / "secret-id"
    write_secret_id(file, role.secret_id)
    psb = Vault(dataclasses.replace(real.access, role_id=role.role_id, secret_id_file=file))
    assert psb.signer("psb/issue").sign(b"x")
    denied = [
        ("GET", "/v1/govchain/data/keys/issue", None),
        ("POST", "/v1/govchain/data/sign/issue", {"input": "eA=="}),
        ("POST", "/v1/govchain/data/keys/new", {"type": "ed25519"}),
        ("POST", "/v1/govchain/ledger/sign/checkpoint", {"input": "eA=="}),
        ("GET", "/v1/govchain/psb/export/signing-key/issue", None),
        ("GET", "/v1/govchain/psb/export/signing-key/issue/1", None),
        ("GET", "/v1/govchain/psb/backup/issue", None),
        ("POST", "/v1/govchain/psb/keys/issue/config", {"exportable": True}),
        ("POST", "/v1/govchain/psb/keys/issue/config", {"min_encryption_version": 1}),
        ("DELETE", "/v1/govchain/psb/keys/issue", None),
        ("POST", "/v1/govchain/psb/keys/leak", {"type": "ed25519", "exportable": True}),
        ("POST", "/v1/govchain/psb/keys/leak", {"type": "ed25519", "allow_plaintext_backup": True}),
        ("POST", "/v1/govchain/psb/keys/leak", {"type": "rsa-2048"}),
        ("GET", "/v1/sys/mounts", None),
        ("POST", "/v1/sys/audit/more", {"type": "file"}),
        ("GET", "/v1/sys/policies/acl/govchain-keys-psb", None),
        ("POST", "/v1/auth/token/create", {}),
    ]
    for method, path, body in denied:
        assert code_of(lambda m=method, p=path, b=body: psb.call(m, p, b)) == "key-store-denied", path
    assert code_of(lambda: psb.signer("psb/leak")) == "key-missing"


def test_even_an_operator_cannot_export_a_key(real: Real, vault: Vault) -> None:
    vault.create("psb/issue", "ES256")
    with vault_server.operator(real.folder) as operator:
        assert code_of(lambda: operator.ask("GET", "govchain/psb/export/signing-key/issue")) == "key-store-failed"
        assert code_of(lambda: operator.ask("GET", "govchain/psb/backup/issue")) == "key-store-failed"
        told = operator.ask("GET", "govchain/psb/keys/issue")
    assert (told["exportable"], told["allow_plaintext_backup"]) == (False, False)


def test_the_audit_log_shows_each_signature_and_nothing_that_was_signed(real: Real, vault: Vault) -> None:
    vault.create("psb/counted", "EdDSA")
    signer = vault.signer("psb/counted")
    marked = b"a text that must not stand in the log"
    signer.sign(marked)
    signer.sign_many([marked] * (vaults.BATCH + 1))
    text = (real.folder / "audit.log").read_text()
    asked = [json.loads(line) for line in text.splitlines()]
    signing = [
        line["request"]["data"]
        for line in asked
        if line["type"] == "request" and line["request"]["path"] == "govchain/psb/sign/counted"
    ]
    assert sum(len(data.get("batch_input", [data])) for data in signing) == 1 + vaults.BATCH + 1
    for secret in (vaults._b64(marked), vault._log_in.token, real.access.secret_id_file.read_text().strip()):
        assert secret not in text


# Missing


def test_a_missing_key_is_missing_and_a_deleted_one_too(vault: Vault, real: Real) -> None:
    assert code_of(lambda: vault.signer("psb/absent")) == "key-missing"
    vault.create("psb/deleted", "ES256")
    signer = vault.signer("psb/deleted")
    assert code_of(lambda: vault.signer("psb/deleted-2")) == "key-missing"
    with vault_server.operator(real.folder) as operator:
        operator.ask("POST", "govchain/psb/keys/deleted/config", {"deletion_allowed": True})
        operator.ask("DELETE", "govchain/psb/keys/deleted")
    assert code_of(lambda: signer.sign(b"x")) == "key-missing"
    assert code_of(lambda: signer.sign_many([b"x"])) == "key-missing"
