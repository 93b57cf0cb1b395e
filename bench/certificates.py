"""Certificates: to sign, derive and verify one in each format, and to publish a status list of a million.

The peer of a Data Integrity figure is didkit (VC 1.1, Ed25519Signature2018), which reads JSON-LD too; of PyLD it is
the same document read and canonicalized by PyLD alone. One process, one core, keys in memory, in turns.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import didkit
from pyld import jsonld as pyld

from bench import Figure, Progress
from bench.measuring.timing import quantile, timed
from certificates.conformance.tenant import Tenant, resolve
from certificates.contexts import bundled
from certificates.formats import jsonld
from certificates.formats.data_integrity import proofs
from certificates.formats.data_integrity.proofs import Expected
from certificates.formats.status_list import Statuses

V1 = "https://www.w3.org/2018/credentials/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
VOCABULARY = {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
NOW = 1_900_000_000


@dataclass(frozen=True, slots=True)
class Size:
    samples: int
    entries: int = 1_000_000


SIZES = {"full": Size(500), "small": Size(100), "tiny": Size(3, 131_072)}
SUITES = ("eddsa-rdfc-2022", "ecdsa-rdfc-2019-p256", "ecdsa-sd-2023", "bbs-2023")
STEPS = 1 + len(SUITES) + 1


def measure(size: Size, folder: Path, progress: Progress) -> dict[str, Figure]:
    progress.step("didkit")
    issue_peer, verify_peer = _didkit(size.samples)
    figures = {}
    tenant = Tenant("http://localhost/bench")
    for suite in SUITES:
        progress.step(suite)
        figures |= _suite(tenant, suite, size.samples, issue_peer, verify_peer)
    progress.step("status list")
    return figures | _canonical(size.samples) | _status(size.entries)


def _ms(action: Callable[[], Any], samples: int) -> float:
    action()
    return quantile(sorted(timed(action) for _ in range(samples)), 0.5)


def _credential(*contexts: str) -> dict[str, Any]:
    """A resident's card of an invented person, the same for all."""
    return {
        "@context": [V1, *contexts, VOCABULARY],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "ResidentId"],
        "issuer": "did:example:issuer",
        "issuanceDate": "2020-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:holder",
            "givenName": "虚构",
            "familyName": "云",
            "gender": "Male",
            "lprCategory": "C09",
            "lprNumber": "999-999-999",
            "residentSince": "2015-01-01",
            "birthCountry": "Bahamas",
            "birthDate": "1958-07-17",
        },
    }


def _suite(tenant: Tenant, suite: str, samples: int, issue_peer: float, verify_peer: float) -> dict[str, Figure]:
    issued = tenant.issue(suite, _credential(DATA_INTEGRITY), ["/issuer"] if "sd" in suite or "bbs" in suite else [])
    shown = issued
    figures = {}
    if "sd" in suite or "bbs" in suite:
        pointers = ["/credentialSubject/birthCountry"]
        shown = tenant.derive(issued, pointers)
        figures[f"{suite}: derive"] = Figure(_ms(lambda: tenant.derive(issued, pointers), samples), "ms")
    issue = _ms(
        lambda: tenant.issue(suite, _credential(DATA_INTEGRITY), ["/issuer"] if shown is not issued else []), samples
    )
    expected = Expected(now=NOW)
    verify = _ms(lambda: proofs.verify(shown, resolve=resolve, expected=expected, contexts=bundled()), samples)
    aimed = suite == "eddsa-rdfc-2022"
    return figures | {
        f"{suite}: issue": Figure(issue, "ms", issue_peer, note="didkit, JSON-LD"),
        f"{suite}: verify": Figure(
            verify,
            "ms",
            verify_peer,
            aim="a tenth of didkit's or less" if aimed else "",
            ok=verify * 10 <= verify_peer if aimed else None,
            note="didkit, JSON-LD",
        ),
    }


def _didkit(samples: int) -> tuple[float, float]:
    """Milliseconds to issue and to verify one JSON-LD credential."""
    key = didkit.generate_ed25519_key()
    did = didkit.key_to_did("key", key)
    document = {**_credential(), "issuer": did}

    async def times() -> tuple[float, float]:
        method = await didkit.key_to_verification_method("key", key)
        options = json.dumps({"proofPurpose": "assertionMethod", "verificationMethod": method})
        issued = await didkit.issue_credential(json.dumps(document), options, key)
        loop = asyncio.get_running_loop()
        issue, verify = [], []
        for _ in range(samples):
            start = loop.time()
            issued = await didkit.issue_credential(json.dumps(document), options, key)
            middle = loop.time()
            verdict = json.loads(
                await didkit.verify_credential(issued, json.dumps({"proofPurpose": "assertionMethod"}))
            )
            verify.append(loop.time() - middle)
            issue.append(middle - start)
            assert not verdict["errors"], verdict
        return quantile(sorted(issue), 0.5) * 1000, quantile(sorted(verify), 0.5) * 1000

    return asyncio.run(times())


def _canonical(samples: int) -> dict[str, Figure]:
    whole = jsonld.with_contexts(_credential(), bundled())
    ours = _ms(lambda: jsonld.quads(_credential(), bundled()), samples)
    theirs = _ms(lambda: pyld.to_rdf(whole, {"format": "application/n-quads"}), samples)
    return {"JSON-LD to quads": Figure(ours, "ms", theirs, note="PyLD, its context cache warm")}


def _status(entries: int) -> dict[str, Figure]:
    entries -= entries % 8
    statuses = Statuses(entries)
    statuses.put("revoked", (secrets.randbelow(entries) for _ in range(entries // 100)))
    took = _ms(lambda: (statuses.token(), statuses.bitstring("revocation"), statuses.bitstring("suspension")), 3) / 1000
    return {
        f"status list of {entries:,}, all forms": Figure(took, "s", aim="< 2 s", ok=took < 2 or entries < 1_000_000)
    }
