"""A real Vault for the session: built by `make engines`, started once, unsealed, with what a node of `psb` is given."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gov_chain import engines, vault_server
from gov_chain.environment import VaultAccess
from gov_chain.keys.vault import Vault


@dataclasses.dataclass(frozen=True)
class Real:
    folder: Path
    access: VaultAccess


@pytest.fixture(scope="session")
def real_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    try:
        engines.binary("vault")
    except engines.EnginesError as error:
        pytest.skip(error.fix_en)
    folder = tmp_path_factory.mktemp("vault")
    try:
        yield Real(folder, vault_server.start(folder, agencies=["psb", "data"]))
    finally:
        vault_server.stop(folder)


@pytest.fixture
def real(real_vault: Real) -> Real:
    """It, in working order: whatever a test before did to it is made good here, as an operator would."""
    vault_server.start(real_vault.folder, agencies=["psb", "data"])
    return real_vault


@pytest.fixture
def vault(real: Real) -> Vault:
    return Vault(real.access)
