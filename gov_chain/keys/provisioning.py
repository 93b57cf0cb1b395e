"""What an operator sets up in a Vault (or OpenBao) for a node, by its HTTP API and with an operator's token.

    one Transit mount a group of keys (`govchain/psb`), which makes no key by itself when asked to seal with one
    one policy a group, from `deploy/vault/keys.hcl`, and one for the token itself
    one AppRole a node, with the policies of the agencies that it hosts, and nothing else
    a file audit device, where one is asked for

Run again, nothing is lost: policies are written anew, and the node gets a further secret id. The keys themselves the
node makes, under that policy. `govchain vault provision` does this on a Vault of yours; `deploy/README.md` says how to
do the same with the `vault` or `bao` command.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gov_chain.keys import KeyStoreError

POLICIES = Path(__file__).resolve().parents[2] / "deploy" / "vault"
MOUNTS = "govchain"
OWN_GROUPS = ("ledger", "consortium")
"""What a node signs with beside the keys of its agencies."""
TOKEN_TTL, TOKEN_MAX_TTL = "15m", "4h"
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class AppRole:
    role_id: str
    secret_id: str

    def __repr__(self) -> str:
        return f"<AppRole {self.role_id}>"


class Operator:
    """An operator's session; close it when done."""

    def __init__(self, url: str, ca: str, token: str) -> None:
        context = ssl.create_default_context(cafile=ca or None)
        self._http = httpx.Client(
            base_url=f"{url}/v1/", headers={"X-Vault-Token": token}, verify=context, timeout=SECONDS, trust_env=False
        )

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, *failure: object) -> None:
        self._http.close()

    def provision(self, *, role: str, groups: Iterable[str], audit: Path | None = None) -> AppRole:
        """A node's AppRole for the keys of `groups`; raises `KeyStoreError` key-store-denied, -failed, -unreachable."""
        groups = list(groups)
        if audit is not None:
            self.enable("sys/audit", "file", {"type": "file", "options": {"file_path": str(audit)}})
        self.enable("sys/auth", "approle", {"type": "approle"})
        self.policy(f"{MOUNTS}-token", (POLICIES / "token.hcl").read_text())
        for group in groups:
            self.enable("sys/mounts", f"{MOUNTS}/{group}", {"type": "transit"})
            self.ask("POST", f"{MOUNTS}/{group}/config/keys", {"disable_upsert": True})
            self.policy(f"{MOUNTS}-keys-{group}", (POLICIES / "keys.hcl").read_text().replace("GROUP", group))
        named = f"auth/approle/role/{MOUNTS}-{role}"
        self.ask(
            "POST",
            named,
            {
                "token_policies": [f"{MOUNTS}-token", *(f"{MOUNTS}-keys-{group}" for group in groups)],
                "token_no_default_policy": True,
                "token_ttl": TOKEN_TTL,
                "token_max_ttl": TOKEN_MAX_TTL,
                "bind_secret_id": True,
            },
        )
        role_id = self.ask("GET", f"{named}/role-id")["role_id"]
        return AppRole(role_id, self.ask("POST", f"{named}/secret-id", {})["secret_id"])

    def enable(self, kind: str, path: str, body: dict[str, Any]) -> None:
        """Enable a mount, an auth method or an audit device, unless it is there."""
        if f"{path}/" not in self.ask("GET", kind):
            self.ask("POST", f"{kind}/{path}", body)

    def policy(self, name: str, text: str) -> None:
        self.ask("PUT", f"sys/policies/acl/{name}", {"policy": text})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What Vault answers under `data`."""
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise KeyStoreError("key-store-unreachable", log=f"{type(error).__name__} at {path}") from None
        if answer.status_code == 403:
            raise KeyStoreError("key-store-denied", log=f"{method} {path}")
        if answer.status_code >= 400:
            sealed = answer.status_code == 503
            raise KeyStoreError(
                "key-store-sealed" if sealed else "key-store-failed", log=f"{answer.status_code} at {method} {path}"
            )
        told: dict[str, Any] = answer.json() if answer.content else {}
        return told.get("data") or told


def write_secret_id(path: Path, secret_id: str) -> None:
    """Replace the file whole, readable by its owner alone."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text(secret_id + "\n")
    draft.replace(path)
