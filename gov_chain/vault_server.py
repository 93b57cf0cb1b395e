"""A Vault of this machine's own, for development and tests: the real one, with TLS and an audit log, not `-dev`.

    start    process, initialise, unseal, provision for the node: each step only if it is still due, so that `start`
             after a kill, a reboot or a half-made first start does what is left
    stop     end the process; what it holds stays

Everything is in one folder: `server.json` (ports, what was provisioned), `raft/`, `tls/`, `audit.log`, `vault.log`,
`unseal.json`, `secret-id`. `unseal.json` holds the unseal key and the root token, readable by this account alone: with
them the keys are no safer than files. That is said at start, and refused in production, where Vault is run by its own
operators (`deploy/README.md`).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from gov_chain import engines, tls
from gov_chain.consortium import plan, processes
from gov_chain.consortium.processes import Process
from gov_chain.environment import UnsafeSettings, VaultAccess
from gov_chain.keys import KeyStoreError
from gov_chain.keys.provisioning import OWN_GROUPS, AppRole, Operator, write_secret_id

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
ROLE = "node"
ACTIVE_SECONDS = 30.0

_CONFIG = """\
# Written by gov_chain.vault_server at each start.
ui            = false
disable_mlock = true
api_addr      = "https://{address}:{port}"
cluster_addr  = "https://{address}:{cluster_port}"

storage "raft" {{
  path                   = "{folder}/raft"
  node_id                = "one"
  performance_multiplier = 1
}}

listener "tcp" {{
  address         = "{address}:{port}"
  cluster_address = "{address}:{cluster_port}"
  tls_cert_file   = "{certificate}"
  tls_key_file    = "{key}"
}}
"""


@dataclass(frozen=True, slots=True)
class _Server:
    folder: Path
    port: int
    cluster_port: int

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.port}"

    @property
    def pid_file(self) -> Path:
        return self.folder / "vault.pid"

    @property
    def unseal_file(self) -> Path:
        return self.folder / "unseal.json"

    @property
    def note(self) -> Path:
        return self.folder / "server.json"

    @property
    def ca(self) -> Path:
        return self.folder / "tls" / "ca.pem"


def start(folder: Path, *, agencies: Iterable[str]) -> VaultAccess:
    """The Vault in `folder`, running, unsealed and provisioned for a node that hosts `agencies`.

    Raises `UnsafeSettings` in production, `EnginesError("engine-not-built")`, `ConsortiumError("process-failed")`,
    `KeyStoreError`.
    """
    if os.environ.get("GOVCHAIN_ENV") == "production":
        raise UnsafeSettings(
            "a Vault on this machine is for development: its unseal key is a file; in production set GOVCHAIN_VAULT_URL"
        )
    program = engines.binary("vault")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    server, told = _remembered(folder)
    log.warning("Vault's unseal key and root token are files in %s: for development only", folder)
    if processes.find(server.pid_file) is None:
        _process(server, program).start()
    with _asking(server) as http:
        _initialise(server, http)
        _unseal(server, http)
    groups = [*agencies, *OWN_GROUPS]
    secret_id = folder / "secret-id"
    if told.get("groups") != groups or not secret_id.exists():
        with operator(folder) as session:
            role = session.provision(role=ROLE, groups=groups, audit=folder / "audit.log")
        write_secret_id(secret_id, role.secret_id)
        told |= {"groups": groups, "role_id": role.role_id}
        _write(server.note, told)
    return VaultAccess(url=server.url, ca=str(server.ca), role_id=told["role_id"], secret_id_file=secret_id)


def stop(folder: Path, *, kill: bool = False) -> None:
    """End the Vault in `folder`, if it runs; with `kill`, as a power cut would."""
    if (found := running(folder)) is not None:
        if kill:
            found.signal(signal.SIGKILL)
        processes.end(found)
    (folder / "vault.pid").unlink(missing_ok=True)


def running(folder: Path) -> processes.Found | None:
    return processes.find(folder / "vault.pid")


def operator(folder: Path) -> Operator:
    """The root token's session with the Vault in `folder`."""
    server, _ = _remembered(folder)
    return Operator(server.url, str(server.ca), json.loads(server.unseal_file.read_text())["root_token"])


def seal(folder: Path) -> None:
    """Seal it; `start` unseals it again."""
    with operator(folder) as session:
        session.ask("PUT", "sys/seal")


def settings(access: VaultAccess) -> dict[str, str]:
    """The environment by which a node finds and uses it."""
    return {
        "GOVCHAIN_KEYS": "vault",
        "GOVCHAIN_VAULT_URL": access.url,
        "GOVCHAIN_VAULT_CA": access.ca,
        "GOVCHAIN_VAULT_ROLE_ID": access.role_id,
        "GOVCHAIN_VAULT_SECRET_ID_FILE": str(access.secret_id_file),
    }


def role(folder: Path, name: str, groups: Iterable[str]) -> AppRole:
    """A further AppRole in the Vault in `folder`."""
    with operator(folder) as session:
        return session.provision(role=name, groups=groups)


def _remembered(folder: Path) -> tuple[_Server, dict[str, Any]]:
    note = folder / "server.json"
    if note.exists():
        told: dict[str, Any] = json.loads(note.read_text())
    else:
        port, cluster_port = plan.free_ports(2)
        told = {"port": port, "cluster_port": cluster_port}
        _write(note, told)
    return _Server(folder, told["port"], told["cluster_port"]), told


def _process(server: _Server, program: Path) -> Process:
    files = tls.ensure(server.folder / "tls", ADDRESS, datetime.now(UTC))
    (server.folder / "raft").mkdir(exist_ok=True, mode=0o700)
    config = server.folder / "config.hcl"
    config.write_text(
        _CONFIG.format(
            address=ADDRESS,
            port=server.port,
            cluster_port=server.cluster_port,
            folder=server.folder,
            certificate=files.certificate,
            key=files.key,
        )
    )
    return Process(
        node="vault",
        name="vault",
        command=[str(program), "server", f"-config={config}"],
        environment={"PATH": os.environ.get("PATH", ""), "HOME": str(server.folder), "VAULT_LOG_LEVEL": "warn"},
        log=server.folder / "vault.log",
        pid_file=server.pid_file,
        ready=lambda _: _answers(server),
    )


def _answers(server: _Server) -> bool:
    with _asking(server) as http:
        try:
            http.get("sys/seal-status")
        except httpx.HTTPError:
            return False
        return True


@contextmanager
def _asking(server: _Server) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=server.ca)
    with httpx.Client(base_url=f"{server.url}/v1/", verify=context, timeout=ACTIVE_SECONDS, trust_env=False) as http:
        yield http


def _initialise(server: _Server, http: httpx.Client) -> None:
    if http.get("sys/init").raise_for_status().json()["initialized"]:
        if not server.unseal_file.exists():
            raise KeyStoreError("key-store-sealed", log=f"{server.unseal_file} is missing")
        return
    answer = http.put("sys/init", json={"secret_shares": 1, "secret_threshold": 1}).raise_for_status().json()
    # A crash here leaves an initialised Vault nobody can unseal, with no key made in it yet: remove the folder.
    _write(server.unseal_file, {"unseal_key": answer["keys_base64"][0], "root_token": answer["root_token"]})


def _unseal(server: _Server, http: httpx.Client) -> None:
    """Unseal it, and wait until it serves: it elects itself first. Asking is how one knows."""
    if http.get("sys/seal-status").raise_for_status().json()["sealed"]:
        key = json.loads(server.unseal_file.read_text())["unseal_key"]
        http.put("sys/unseal", json={"key": key}).raise_for_status()

    def active() -> bool:
        return http.get("sys/health").status_code == 200

    found = processes.find(server.pid_file)
    if found is None or not processes.wait(active, found, seconds=ACTIVE_SECONDS):
        raise KeyStoreError("key-store-unreachable", log="Vault does not become active; see vault.log")


def _write(path: Path, value: dict[str, Any]) -> None:
    """Replaced whole, durable, readable by this account alone."""
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
