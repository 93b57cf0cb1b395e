"""How a node does, asked at its own doors: its processes, its engine's RPC (docs/rpc, CometBFT v0.38), its web."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import httpx

from gov_chain.consortium import processes
from gov_chain.consortium.plan import Node, Plan

TIMEOUT = httpx.Timeout(3.0, connect=1.0)
PROCESSES = ("app", "engine", "cosigner", "web")


@dataclass(frozen=True, slots=True)
class EngineHealth:
    height: int
    block_time: int
    """Seconds since the epoch, of the last block."""
    catching_up: bool
    peers: int
    voting_power: int


@dataclass(frozen=True, slots=True)
class NodeHealth:
    name: str
    base_url: str
    validator: bool
    pids: dict[str, int]
    """Of the processes that live."""
    engine: EngineHealth | None
    """None: its RPC does not answer."""
    size: int | None
    """Entries in its log; None: its web does not answer."""

    @property
    def well(self) -> bool:
        return self.engine is not None and not self.engine.catching_up and self.size is not None


def engine(rpc_url: str) -> EngineHealth | None:
    """What an engine says of itself; None when it does not answer."""
    try:
        with httpx.Client(base_url=rpc_url, timeout=TIMEOUT, trust_env=False) as client:
            status = _result(client, "/status")
            peers = int(_result(client, "/net_info")["n_peers"])
        sync = status["sync_info"]
        return EngineHealth(
            height=int(sync["latest_block_height"]),
            block_time=_seconds(sync["latest_block_time"]),
            catching_up=bool(sync["catching_up"]),
            peers=peers,
            voting_power=int(status["validator_info"]["voting_power"]),
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def last_block(rpc_url: str) -> tuple[int, str] | None:
    """Height and hash of an engine's last block; None when it does not answer."""
    try:
        with httpx.Client(base_url=rpc_url, timeout=TIMEOUT, trust_env=False) as client:
            sync = _result(client, "/status")["sync_info"]
        return int(sync["latest_block_height"]), str(sync["latest_block_hash"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def highest(rpc_url: str) -> int | None:
    """The highest last block that an engine, or a peer it hears, has; None when it does not answer."""
    try:
        with httpx.Client(base_url=rpc_url, timeout=TIMEOUT, trust_env=False) as client:
            told = _result(client, "/dump_consensus_state")
        deciding = [told["round_state"], *(peer["peer_state"]["round_state"] for peer in told["peers"] or [])]
        # Each is at the block after its last one; a peer that has not spoken yet is at 0.
        return max(int(each["height"]) for each in deciding) - 1
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def first_block(rpc_url: str) -> int | None:
    """The lowest block an engine still has; None when it does not answer."""
    try:
        with httpx.Client(base_url=rpc_url, timeout=TIMEOUT, trust_env=False) as client:
            return int(_result(client, "/status")["sync_info"]["earliest_block_height"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def block_hash(rpc_url: str, height: int) -> str:
    """Of an engine's block; empty when it has none of this height, or does not answer."""
    try:
        with httpx.Client(base_url=rpc_url, timeout=TIMEOUT, trust_env=False) as client:
            return str(_result(client, f"/commit?height={height}")["signed_header"]["commit"]["block_id"]["hash"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ""


def size(base_url: str) -> int | None:
    """Entries under the checkpoint that a node's web serves; None when it does not answer."""
    try:
        answer = httpx.get(f"{base_url}/ledger/checkpoint", timeout=TIMEOUT, trust_env=False)
        return int(answer.text.split("\n")[1]) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError, IndexError):
        return None


def node(plan: Plan, of: Node) -> NodeHealth:
    found = {name: processes.find(plan.pid_file(of, name)) for name in PROCESSES}
    return NodeHealth(
        name=of.name,
        base_url=of.base_url,
        validator=of.validator,
        pids={name: process.pid for name, process in found.items() if process},
        engine=engine(of.rpc_url),
        size=size(of.base_url),
    )


def _result(client: httpx.Client, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(path).json()["result"]
    return answer


def _seconds(text: str) -> int:
    """RFC 3339 with nanoseconds, which Python 3.11 does not read."""
    return int(dt.datetime.fromisoformat(text[:19] + "+00:00").timestamp())
