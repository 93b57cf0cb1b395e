"""The development CA of `TLS=1`: a real handshake, private keys, nothing beyond this network."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
from pathlib import Path

import pytest

from gov_chain import tls

NOW = dt.datetime.now(dt.UTC)


def handshake(files: tls.Files, hostname: str) -> None:
    """A client that trusts the CA connects to a server with the certificate, in memory."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.certificate, files.key)
    client_context = ssl.create_default_context(cafile=str(files.authority))
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=hostname)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass


@pytest.mark.parametrize("address", ["192.168.1.5", "10.20.30.40", "203.0.113.7"])
def test_a_phone_that_trusts_the_ca_reaches_the_node(tmp_path: Path, address: str) -> None:
    files = tls.ensure(tmp_path / "tls", address, NOW)
    handshake(files, address)
    handshake(files, "localhost")


def test_a_phone_that_does_not_trust_the_ca_refuses(tmp_path: Path) -> None:
    files = tls.ensure(tmp_path / "one", "192.168.1.5", NOW)
    other = tls.ensure(tmp_path / "other", "192.168.1.5", NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls.Files(other.authority, files.certificate, files.key), "192.168.1.5")


def test_the_ca_cannot_speak_for_names_of_the_internet(tmp_path: Path) -> None:
    tls.ensure(tmp_path / "tls", "192.168.1.5", NOW)
    files = tls.ensure(tmp_path / "tls", "203.0.113.7", NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        handshake(files, "203.0.113.7")


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    tls.ensure(tmp_path / "tls", "192.168.1.5", NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").glob("*.key")}
    assert modes == {"ca.key": 0o600, "192.168.1.5.key": 0o600}
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


def test_starting_again_keeps_the_files(tmp_path: Path) -> None:
    first = tls.ensure(tmp_path / "tls", "192.168.1.5", NOW).certificate.read_bytes()
    assert tls.ensure(tmp_path / "tls", "192.168.1.5", NOW).certificate.read_bytes() == first


@pytest.mark.parametrize("lost", ["ca.pem", "192.168.1.5.key", "192.168.1.5.pem"])
def test_a_lost_file_is_made_good(tmp_path: Path, lost: str) -> None:
    tls.ensure(tmp_path / "tls", "192.168.1.5", NOW)
    (tmp_path / "tls" / lost).unlink()
    handshake(tls.ensure(tmp_path / "tls", "192.168.1.5", NOW), "192.168.1.5")


def test_a_certificate_about_to_expire_is_renewed(tmp_path: Path) -> None:
    old = tls.ensure(tmp_path / "tls", "192.168.1.5", NOW - dt.timedelta(days=tls.LEAF_DAYS - 3))
    handshake(tls.ensure(tmp_path / "tls", "192.168.1.5", NOW), "192.168.1.5")
    assert old.certificate.exists()
