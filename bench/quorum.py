"""Quorum certificates: what one costs to sign, join, verify and carry with 4, 21 and 31 validators, and how soon it is.

Each certificate has the fewest signers that are a quorum. `verify` is of a whole receipt whose set was met before, as
all but a verifier's first; `first` also decodes and checks every signer's key. The reference (peer) is py_ecc, once.
The browser is Chromium with the module that phones and integrators use. The last figure is from a commit to the
certificate in the reader's file, with four cosigners as processes of their own, over HTTP.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench import Figure, Progress
from bench.measuring.committee import Committee
from bench.measuring.timing import quantile, timed
from gov_chain.ledger.core import bls, checkpoint, entries, quorum, receipt, records, tree, validators
from gov_chain.ledger.core.quorum import Followed
from gov_chain.ledger.core.validators import ValidatorSet

ORIGIN = "bench.example"
NOW = 1_900_000_000
WALLET = Path(__file__).resolve().parent.parent / "wallet" / "dist"
CHROMIUM = Path("/usr/bin/chromium")
COUNTS = (4, 21, 31)


@dataclass(frozen=True, slots=True)
class Size:
    samples: int
    commits: int


SIZES = {"full": Size(200, 100), "small": Size(30, 20), "tiny": Size(3, 2)}
STEPS = 1 + len(COUNTS) + 1 + 1


def measure(size: Size, folder: Path, progress: Progress) -> dict[str, Figure]:
    progress.step("reference")
    reference = _reference()
    figures: dict[str, Figure] = {}
    made = {}
    for count in COUNTS:
        progress.step(f"{count} validators")
        made[count] = _Case.make(count)
        figures |= _python(made[count], size.samples, reference if count == 4 else None)
    progress.step("browser")
    figures |= _browser(list(made.values()), size.samples)
    progress.step("four cosigners")
    return figures | _latency(folder, size.commits)


@dataclass(frozen=True, slots=True)
class _Case:
    """A receipt under a certificate of the fewest of so many."""

    validators: ValidatorSet
    secrets: tuple[bytes, ...]
    head: checkpoint.Checkpoint
    shares: dict[int, bytes]
    line: str
    receipt: str

    @classmethod
    def make(cls, count: int) -> _Case:
        secrets = tuple(bls.key_gen(sha256(b"bench validator %d" % number).digest()) for number in range(count))
        of = validators.of(
            [
                [number, sha256(b"consensus %d" % number).digest(), bls.sk_to_pk(secret), 1]
                for number, secret in enumerate(secrets, 1)
            ]
        )
        entry = entries.wrap(NOW, 1, records.evidence(evidence=1, digest=bytes(32)))
        root = tree.leaf_hash(entry)
        head = checkpoint.Checkpoint(ORIGIN, 1, root, checkpoint.commitments(bytes(32), of.digest))
        message = quorum.statement_of(head, of.digest)
        shares = {at: bls.sign(secrets[at], message) for at in range(2 * count // 3 + 1)}
        certificate, _ = quorum.join(shares, head, of)
        assert certificate is not None
        line = quorum.line(certificate, origin=ORIGIN, count=count)
        text = receipt.build(entry=entry, index=0, proof=[], checkpoint=f"{head.text}\n{line}")
        return cls(of, secrets, head, shares, line, text)

    @property
    def name(self) -> str:
        return f"{len(self.validators.validators)} validators"


def _python(case: _Case, samples: int, reference: float | None) -> dict[str, Figure]:
    followed = Followed(ORIGIN, case.validators)
    message = quorum.statement_of(case.head, case.validators.digest)

    def verify() -> None:
        if not receipt.verify(case.receipt, quorum=followed).certified:
            raise AssertionError

    def first() -> None:
        bls.forget_keys()
        verify()

    warm, cold = _ms(verify, samples), _ms(first, samples)
    return {
        f"{case.name}: sign a share": Figure(_ms(lambda: bls.sign(case.secrets[0], message), samples), "ms"),
        f"{case.name}: join {len(case.shares)} shares": Figure(
            _ms(lambda: quorum.join(case.shares, case.head, case.validators), samples),
            "ms",
            note="tried together, and verified",
        ),
        f"{case.name}: verify": Figure(
            warm, "ms", reference, "< 5 ms", warm < 5, "" if reference is None else "py_ecc, the aggregate alone"
        ),
        f"{case.name}: verify, first": Figure(cold, "ms", aim="< 5 ms", ok=cold < 5, note="keys decoded and checked"),
        f"{case.name}: certificate": Figure(
            len(case.line.encode()), "bytes", note=f"of {len(case.receipt.encode())} of a receipt"
        ),
    }


def _reference() -> float:
    from py_ecc.bls import G2ProofOfPossession

    case = _Case.make(4)
    keys = [case.validators.validators[at].bls_key for at in case.shares]
    joined = bls.aggregate(list(case.shares.values()))
    message = quorum.statement_of(case.head, case.validators.digest)
    return timed(lambda: G2ProofOfPossession.FastAggregateVerify(keys, message, joined))


_MEASURE = """
async ({ vkey, sets, receipt, samples }) => {
  const { follow, verifyReceipt } = await import("http://bench.example/quorum.js");
  const ms = (work) => { const start = performance.now(); work(); return performance.now() - start; };
  const followed = follow(vkey, { sets });
  let certified;
  const once = () => (certified = verifyReceipt(receipt, followed).checkpoint.certified);
  const first = ms(once);
  const later = Array.from({ length: samples }, () => ms(once));
  if (!certified) throw new Error("not certified");
  return { first, later };
}
"""


def _browser(cases: list[_Case], samples: int) -> dict[str, Figure]:
    """Each set in a page of its own, so that nothing is warm; empty without Chromium or the wallet's bundle."""
    if not CHROMIUM.exists() or not (WALLET / "quorum.js").exists():
        return {}
    from playwright.sync_api import sync_playwright

    figures = {}
    code = (WALLET / "quorum.js").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for case in cases:
            page = browser.new_page()
            page.route(
                "http://bench.example/**",
                lambda route: route.fulfill(
                    body=code if route.request.url.endswith(".js") else "<!doctype html>",
                    content_type="text/javascript" if route.request.url.endswith(".js") else "text/html",
                ),
            )
            page.goto("http://bench.example/")
            found = page.evaluate(_MEASURE, _asked(case, samples))
            page.close()
            warm = quantile(sorted(found["later"]), 0.5)
            figures[f"{case.name}: verify in Chromium"] = Figure(warm, "ms", aim="< 50 ms", ok=warm < 50)
            figures[f"{case.name}: verify in Chromium, first"] = Figure(
                found["first"], "ms", note="code not yet compiled, keys not yet decoded"
            )
        browser.close()
    return figures


def _asked(case: _Case, samples: int) -> dict[str, Any]:
    return {
        "vkey": quorum.vkey(ORIGIN, case.validators.digest),
        "sets": [{"set": b64encode(case.validators.encoding).decode(), "checkpoint": None}],
        "receipt": case.receipt,
        "samples": samples,
    }


def _latency(folder: Path, commits: int) -> dict[str, Figure]:
    with Committee(folder / "committee") as committee:
        committee.commit()
        waits = sorted(committee.commit() for _ in range(commits))
    return {
        "4 cosigners: commit to certificate p50": Figure(
            quantile(waits, 0.5), "ms", note="last node's commit to the reader's file; three fsyncs"
        ),
        "4 cosigners: commit to certificate p95": Figure(quantile(waits, 0.95), "ms"),
    }


def _ms(action: Callable[[], Any], samples: int) -> float:
    action()
    return quantile(sorted(timed(action) for _ in range(samples)), 0.5)
