"""A certificate authority for one machine, so that a phone on the same network gets https.

Browsers give camera, keys and service worker to https or localhost only. The authority may sign for
private addresses and localhost alone (name constraints, RFC 5280 §4.2.1.10), so a phone that trusts
it trusts it for nothing else. Development only; production brings its own certificate.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LEAF_DAYS = 90
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Files:
    authority: Path
    certificate: Path
    key: Path


def lan_address() -> str:
    """This machine's address on the network it would reach others by; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def ensure(folder: Path, address: str, now: dt.datetime) -> Files:
    """The authority and a current certificate for `address` and localhost, made where missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = Files(folder / "ca.pem", folder / f"{address}.pem", folder / f"{address}.key")
    authority_key = folder / "ca.key"
    if not (files.authority.exists() and authority_key.exists()):
        _make_authority(files.authority, authority_key, address, now)
    if files.certificate.exists() and files.key.exists():
        leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        if leaf.not_valid_after_utc - now > dt.timedelta(days=7):
            return files
    _make_leaf(files, authority_key, address, now)
    return files


def serve_install_page(authority: Path, wallet_url: str, host: str) -> ThreadingHTTPServer:
    """Plain http on a free port: a page that explains, and the authority's certificate. Stop with `shutdown()`."""
    certificate = authority.read_bytes()
    page = _PAGE.format(wallet=wallet_url).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_certificate = self.path == "/govchain-ca.crt"
            body = certificate if is_certificate else page
            self.send_response(200)
            self.send_header(
                "Content-Type", "application/x-x509-ca-cert" if is_certificate else "text/html; charset=utf-8"
            )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Visits to the page are nobody's business."""

    server = ThreadingHTTPServer((host, 0), Handler)
    threading.Thread(target=server.serve_forever, name="install-page", daemon=True).start()
    return server


def _make_authority(path: Path, key_path: Path, address: str, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "GovChain development CA (this machine only)")])
    networks = [ipaddress.ip_network(net) for net in PRIVATE]
    if not any(ipaddress.ip_address(address) in net for net in networks):
        networks.append(ipaddress.ip_network(address))
    permitted = [x509.IPAddress(net) for net in networks] + [x509.DNSName("localhost")]
    certificate = (
        _builder(name, name, key, now, days=3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_path, key)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _make_leaf(files: Files, authority_key: Path, address: str, now: dt.datetime) -> None:
    signing_key = serialization.load_pem_private_key(authority_key.read_bytes(), password=None)
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(address))]
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        _builder(name, authority.subject, key, now, days=LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys([*names, loopback]))), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(key_cert_sign=False), critical=True)
        .sign(signing_key, hashes.SHA256())
    )
    _write_key(files.key, key)
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime, *, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not key_cert_sign,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


_PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>安装测试证书 Install the test certificate</title>
<h1>在手机上试用</h1>
<ol>
<li><a href="/govchain-ca.crt">下载测试证书</a>(只对内网地址和 localhost 有效)。</li>
<li>iPhone:设置 → 已下载描述文件 → 安装;再到 通用 → 关于本机 → 证书信任设置 中打开。
Android:设置 → 安全 → 加密与凭据 → 安装 CA 证书。</li>
<li>打开<a href="{wallet}">证照钱包</a>。</li>
</ol>
<p>试用结束后请在同一处删除该证书。</p>
<h1>Try it on a phone</h1>
<ol>
<li><a href="/govchain-ca.crt">Download the test certificate</a> (good for private addresses and localhost only).</li>
<li>iPhone: Settings → Profile Downloaded → Install; then General → About → Certificate Trust Settings, switch it on.
Android: Settings → Security → Encryption &amp; credentials → Install a CA certificate.</li>
<li>Open the <a href="{wallet}">wallet</a>.</li>
</ol>
<p>Remove the certificate in the same place when you are done.</p>
</html>
"""
