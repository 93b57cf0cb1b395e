"""A cosigner's BLS share at rest: sealed by Transit, opened into memory only, lost with the key that sealed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gov_chain.keys.vault import Vault
from gov_chain.ledger.core import bls
from gov_chain.ledger.cosigner import keyfile
from gov_chain.ledger.cosigner.errors import CosignerError


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "cosigner").mkdir()
    return tmp_path / "cosigner"


def test_the_share_is_sealed_by_vault_and_signs_once_opened(vault: Vault, directory: Path) -> None:
    vault.create("psb/seal", "A256GCM")
    made = keyfile.make(directory, vault.sealer("psb/seal"))
    secret = keyfile.unseal(directory, vault.sealer("psb/seal"))
    assert bls.verify(made.bls_key, b"checkpoint", bls.sign(secret, b"checkpoint"))
    files = b"".join(file.read_bytes() for file in directory.iterdir())
    assert secret not in files
    assert secret.hex().encode() not in files


def test_another_agencys_key_does_not_open_it(vault: Vault, directory: Path) -> None:
    for name in ("psb/seal", "data/seal"):
        vault.create(name, "A256GCM")
    keyfile.make(directory, vault.sealer("psb/seal"))
    with pytest.raises(CosignerError, match="cosigner-key-damaged"):
        keyfile.unseal(directory, vault.sealer("data/seal"))
