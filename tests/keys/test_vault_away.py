"""Vault sealed, dead, hanging: told at once and by its code, nobody waits twice, and it goes on by itself."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from gov_chain import vault_server
from gov_chain.keys import KeyStoreError
from gov_chain.keys import vault as vaults
from gov_chain.keys.vault import Vault, VaultSigner
from tests.keys.conftest import Real
from tests.keys.proxy import Proxy


@pytest.fixture
def signer(vault: Vault) -> VaultSigner:
    vault.create("psb/issue", "ES256")
    return vault.signer("psb/issue")


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(KeyStoreError) as caught:
        act()
    error = caught.value
    assert error.status == 503
    assert error.values["retry_after"]
    assert all((error.zh, error.en, error.fix_zh, error.fix_en))
    return error.code


def back(act: Callable[[], object], seconds: float = 20.0) -> object:
    """What `act` answers once it does; the only sign that a server is back is that it answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except KeyStoreError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_sealed(signer: VaultSigner, real: Real) -> None:
    vault_server.seal(real.folder)
    assert refused(lambda: signer.sign(b"x")) == "key-store-sealed"
    assert refused(lambda: signer.sign_many([b"x"])) == "key-store-sealed"
    assert refused(lambda: Vault(real.access).signer("psb/issue")) == "key-store-sealed"
    assert signer.public_key, "what is known is still read"
    vault_server.start(real.folder, agencies=["psb", "data"])
    assert signer.sign(b"x")


def test_killed_and_started_again(signer: VaultSigner, real: Real) -> None:
    vault_server.stop(real.folder, kill=True)
    assert refused(lambda: signer.sign(b"x")) == "key-store-unreachable"
    begun = time.monotonic()
    for _ in range(100):
        assert refused(lambda: signer.sign(b"x")) == "key-store-unreachable"
    assert time.monotonic() - begun < 1
    vault_server.start(real.folder, agencies=["psb", "data"])
    assert back(lambda: signer.sign(b"x"))


def test_a_restart_between_two_calls_is_not_noticed(signer: VaultSigner, real: Real) -> None:
    signer.sign(b"x")
    vault_server.stop(real.folder)
    vault_server.start(real.folder, agencies=["psb", "data"])
    assert signer.sign(b"x")


def test_hanging(real: Real, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call waits for the limit; those after it do not, while one thread looks."""
    vault.create("psb/issue", "ES256")
    monkeypatch.setattr(vaults, "ANSWER_SECONDS", 1.0)
    port = urlsplit(real.access.url).port
    assert port is not None
    with Proxy(port) as proxy:
        slow = Vault(dataclasses.replace(real.access, url=f"https://127.0.0.1:{proxy.port}"))
        signer = slow.signer("psb/issue")
        proxy.hang()
        begun = time.monotonic()
        assert refused(lambda: signer.sign(b"x")) == "key-store-slow"
        assert 1.0 <= time.monotonic() - begun < 4.0
        begun = time.monotonic()
        for _ in range(100):
            assert refused(lambda: signer.sign(b"x")) == "key-store-slow"
        assert time.monotonic() - begun < 0.5
        proxy.resume()
        assert back(lambda: signer.sign(b"x"))


def test_another_servers_certificate_is_not_trusted(real: Real, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("ca") / "ca.pem"
    vault_server.tls.ensure(other.parent, "127.0.0.1", vault_server.datetime.now(vault_server.UTC))
    stranger = Vault(dataclasses.replace(real.access, ca=str(other)))
    assert refused(lambda: stranger.signer("psb/issue")) == "key-store-unreachable"
