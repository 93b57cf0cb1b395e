"""The files of one CometBFT node: config.toml, genesis.json and its two keys.

Source: CometBFT v0.38, docs/core/configuration and spec/core (genesis, keys). Only what differs from CometBFT's own
defaults is written; a node's home is made once, and `configure` may be called at every start.

The validator's last signature (`data/priv_validator_state.json`) is written when the home is made and never again: a
copy of it, or an older one, is how a validator comes to sign twice.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gov_chain.ledger.abci import chain

MAX_BLOCK_BYTES = 4 * 2**20
MAX_TX_BYTES = 2**20

_PUBLIC, _PRIVATE = "tendermint/PubKeyEd25519", "tendermint/PrivKeyEd25519"


@dataclass(frozen=True, slots=True)
class Peer:
    node_id: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.node_id}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    rpc: int
    p2p: int
    metrics: int = 0
    """Prometheus; 0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSync:
    """Start from a snapshot instead of from block 1, trusting a block that others vouch for."""

    rpc_servers: tuple[str, str]
    height: int
    block_hash: str


def node_id(public_key: bytes) -> str:
    """How peers call the node, and how blocks call the validator, that has this Ed25519 key: 40 hex digits."""
    return sha256(public_key).digest()[:20].hex()


def genesis(ledger_id: bytes, *, time: int, validators: Sequence[tuple[bytes, int]]) -> str:
    """genesis.json, the same on every node; `validators` are (Ed25519 public key, power)."""
    return json.dumps(
        {
            "genesis_time": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "chain_id": chain.chain_id(ledger_id),
            "initial_height": "1",
            "consensus_params": {
                "block": {"max_bytes": str(MAX_BLOCK_BYTES), "max_gas": "-1"},
                # What is not said here is zero, not CometBFT's default: then no evidence would ever get into a block.
                "evidence": {
                    "max_age_num_blocks": "100000",
                    "max_age_duration": "172800000000000",
                    "max_bytes": "65536",
                },
                "validator": {"pub_key_types": ["ed25519"]},
                "version": {},
                "abci": {},
            },
            "validators": [
                {"address": node_id(key).upper(), "pub_key": _public(key), "power": str(power), "name": ""}
                for key, power in validators
            ],
            "app_hash": "",
            "app_state": chain.app_state(ledger_id),
        },
        indent=1,
    )


def make_home(home: Path, *, genesis_json: str, node_key: Ed25519PrivateKey, validator_key: Ed25519PrivateKey) -> None:
    """A node's home, once; raises `FileExistsError`. An observer's validator key is in no set, and signs nothing."""
    (home / "config").mkdir(parents=True, mode=0o700)
    (home / "data").mkdir(mode=0o700)
    (home / "config" / "genesis.json").write_text(genesis_json)
    _secret(home / "config" / "node_key.json", {"priv_key": _private(node_key)})
    public = validator_key.public_key().public_bytes_raw()
    _secret(
        home / "config" / "priv_validator_key.json",
        {"address": node_id(public).upper(), "pub_key": _public(public), "priv_key": _private(validator_key)},
    )
    _secret(home / "data" / "priv_validator_state.json", {"height": "0", "round": 0, "step": 0})


def configure(
    home: Path,
    *,
    name: str,
    socket: Path,
    ports: Ports,
    peers: Sequence[Peer],
    state_sync: StateSync | None = None,
    p2p_host: str = "127.0.0.1",
) -> None:
    """Write config.toml. `socket` is the application's; RPC is for this machine alone."""
    sections: dict[str, dict[str, Any]] = {
        "": {
            "proxy_app": f"unix://{socket}",
            "moniker": name,
            "log_level": "consensus:error,p2p:none,*:error",
            "log_format": "plain",
        },
        "rpc": {"laddr": f"tcp://127.0.0.1:{ports.rpc}", "max_body_bytes": 3 * MAX_TX_BYTES},
        "p2p": {
            "laddr": f"tcp://{p2p_host}:{ports.p2p}",
            "persistent_peers": ",".join(map(str, peers)),
            # Members of a consortium know each other's addresses: none are asked for, none are believed.
            "pex": False,
            "addr_book_strict": False,
            "allow_duplicate_ip": True,
            "persistent_peers_max_dial_period": "2s",
            "flush_throttle_timeout": "10ms",
            "send_rate": 50 * 2**20,
            "recv_rate": 50 * 2**20,
        },
        "mempool": {
            "size": 2000,
            "max_txs_bytes": 64 * 2**20,
            "max_tx_bytes": MAX_TX_BYTES,
            "cache_size": 20000,
        },
        "consensus": {
            "timeout_propose": "1s",
            "timeout_prevote": "500ms",
            "timeout_precommit": "500ms",
            "timeout_commit": "0s",
            "skip_timeout_commit": True,
            "create_empty_blocks": False,
            "peer_gossip_sleep_duration": "25ms",
        },
        # The ledger's own store finds a transaction; a second index of them would cost as much again.
        "tx_index": {"indexer": "null"},
        "instrumentation": {
            "prometheus": ports.metrics > 0,
            "prometheus_listen_addr": f"127.0.0.1:{ports.metrics}",
        },
    }
    if state_sync is not None:
        sections["statesync"] = {
            "enable": True,
            "rpc_servers": ",".join(state_sync.rpc_servers),
            "trust_height": state_sync.height,
            "trust_hash": state_sync.block_hash,
            "trust_period": "168h0m0s",
            "discovery_time": "5s",
            "max_snapshot_chunks": 100_000,
        }
    # Strings, numbers, booleans and lists of these are spelt alike in JSON and TOML.
    text = "".join(
        (f"\n[{title}]\n" if title else "") + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        for title, values in sections.items()
    )
    (home / "config" / "config.toml").write_text(text)


def _public(key: bytes) -> dict[str, str]:
    return {"type": _PUBLIC, "value": b64encode(key).decode()}


def _private(key: Ed25519PrivateKey) -> dict[str, str]:
    whole = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return {"type": _PRIVATE, "value": b64encode(whole).decode()}


def _secret(path: Path, value: dict[str, Any]) -> None:
    with open(path, "x", opener=_owner_only) as file:
        json.dump(value, file, indent=1)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
