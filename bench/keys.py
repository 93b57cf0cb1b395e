"""Keys: signing through Vault, resolving a DID that is remembered, asking the trust registry about a past moment.

The peer of a signature is the same request sent by `requests` alone, over one kept TLS connection, its answer read and
not looked at: what our signer adds is its own. In turns, in one process, against one Vault that this bench starts.
"""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import Figure, Progress
from bench.measuring import child
from bench.measuring.timing import latencies, quantile, timed
from bench.measuring.town import CHECKPOINT_VERIFIER, ISSUER
from gov_chain import vault_server
from gov_chain.environment import VaultAccess
from gov_chain.keys import Algorithm
from gov_chain.keys.vault import Vault, VaultSigner
from gov_chain.ledger import registry
from gov_chain.ledger.reader import Reader
from identity.core.dids import documents
from identity.did_resolver import Resolver

AIM_SIGNING = 0.8
AIM_MS = 1.0
BATCH = 500
BYTES = 300
"""About what a signed request or certificate's signing input hashes to."""


@dataclass(frozen=True, slots=True)
class Size:
    singles: int
    batches: int
    leaves: int
    samples: int


SIZES = {
    "full": Size(2000, 40, 1_000_000, 20_000),
    "small": Size(300, 10, 50_000, 5_000),
    "tiny": Size(20, 2, 4096, 200),
}
STEPS = 5


def measure(size: Size, folder: Path, progress: Progress) -> dict[str, Figure]:
    folder = folder.absolute()
    progress.step("start Vault")
    figures: dict[str, Figure] = {}
    access = vault_server.start(folder / "vault", agencies=["psb"])
    try:
        vault = Vault(access)
        for algorithm in ("EdDSA", "ES256"):
            progress.step(algorithm)
            figures |= _signing(vault, access, algorithm, size)
    finally:
        vault_server.stop(folder / "vault")
    progress.step("a DID from the cache")
    figures |= _resolving(size.samples)
    progress.step("the registry at a past time")
    return figures | _registry(folder, size, progress)


def _signing(vault: Vault, access: VaultAccess, algorithm: Algorithm, size: Size) -> dict[str, Figure]:
    name = f"psb/{algorithm.lower()}"
    vault.create(name, algorithm)
    signer = vault.signer(name)
    item = secrets.token_bytes(BYTES)
    many = [secrets.token_bytes(BYTES) for _ in range(BATCH)]
    with _bare(vault, access, signer) as bare:
        singles = _in_turns(lambda: signer.sign(item), lambda: bare([item]), size.singles)
        batches = _in_turns(lambda: signer.sign_many(many), lambda: bare(many), size.batches)
    found = {}
    for label, (ours, peer), each in (("singly", singles, 1), (f"in batches of {BATCH}", batches, BATCH)):
        value, beside = each * 1000 / ours, each * 1000 / peer
        found[f"{algorithm} signatures/s {label}"] = Figure(
            value,
            "signatures/s",
            beside,
            f">= {AIM_SIGNING:.0%} of the peer",
            value >= AIM_SIGNING * beside,
            "peer: the bare request",
        )
    return found


@contextmanager
def _bare(vault: Vault, access: VaultAccess, signer: VaultSigner) -> Iterator[Callable[[list[bytes]], bytes]]:
    at = signer._at
    url = access.url + at.path("sign")
    with requests.Session() as session:
        session.verify, session.trust_env = access.ca, False
        session.headers["X-Vault-Token"] = vault._logged_in().token

        def send(items: list[bytes]) -> bytes:
            encoded = [base64.b64encode(item).decode() for item in items]
            asked = {"input": encoded[0]} if len(items) == 1 else {"batch_input": [{"input": one} for one in encoded]}
            answer = session.post(url, json=asked | signer._options, timeout=30)
            answer.raise_for_status()
            return answer.content

        yield send


def _in_turns(ours: Callable[[], object], peer: Callable[[], object], times: int) -> tuple[float, float]:
    """Median milliseconds of each, one after the other."""
    ours()
    peer()
    pairs = [(timed(ours), timed(peer)) for _ in range(times)]
    return quantile(sorted(one for one, _ in pairs), 0.5), quantile(sorted(other for _, other in pairs), 0.5)


def _resolving(samples: int) -> dict[str, Figure]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Documents) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        resolver = Resolver(loopback=True)
        did = f"did:web:localhost%3A{server.server_address[1]}:agencies:psb"
        first = timed(lambda: resolver.resolve(did))
        cached = latencies(resolver.resolve, [did] * samples)
        server.shutdown()
    p99 = quantile(cached, 0.99)
    return {
        "did:web from the cache p99": Figure(
            p99, "ms", first, f"< {AIM_MS:g} ms", p99 < AIM_MS, "peer: fetched, on this machine"
        )
    }


class _Documents(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, http.server.HTTPServer)
        did = f"did:web:localhost%3A{self.server.server_address[1]}:agencies:psb"
        body = json.dumps(documents.document(did, [])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def _registry(folder: Path, size: Size, progress: Progress) -> dict[str, Figure]:
    child.run("fill", folder / "town", size.leaves, part=progress.part)
    reader = Reader(folder / "town", CHECKPOINT_VERIFIER)
    key = reader.agency(ISSUER).ledger_key
    first, last = reader.entries(0, 1)[0].entry.time, reader.latest(1)[0].entry.time
    moments = [first + secrets.randbelow(last - first + 1) for _ in range(size.samples)]

    def ask(moment: int) -> None:
        if not registry.judge(reader, agency=ISSUER, public_key=key, use="ledger", time=moment).good:
            raise RuntimeError("a key that counts is refused")

    asked = latencies(ask, moments)
    p99 = quantile(asked, 0.99)
    worked = quantile(sorted(_processor(ask, moment) for moment in moments), 0.99)
    said = f"p50 {quantile(asked, 0.5):.3f} ms; processor time p99 {worked:.3f} ms (the rest is waiting for a core)"
    return {
        f"a key at a past time p99, {reader.size:,} entries": Figure(
            p99, "ms", None, f"< {AIM_MS:g} ms", p99 < AIM_MS, said
        )
    }


def _processor(ask: Callable[[int], None], moment: int) -> float:
    """Milliseconds this thread had a core."""
    begun = time.thread_time()
    ask(moment)
    return (time.thread_time() - begun) * 1000
