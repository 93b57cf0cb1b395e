"""Open a presentation whose use is final on the ledger, and never one whose use is not (I3).

    used       ask the home agency for the one-time key, naming the usage record
    released   lift both locks, verify, and keep the report and — sealed, for ten minutes — the claims
    opened     or failed: then nothing but the report is kept

Each step may be the last before a crash: the relay delivers the outcome again, and the same code goes on
from the state it finds. The one-time key itself is never stored. With one lock (a wallet of another
make) there is no second agency to ask: the state machine alone kept it shut.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from certificates import verification
from consent import live, presentations, registry
from consent.actions.release_key import Released
from consent.core import envelopes, lifecycle
from consent.core.errors import ConsentError
from consent.models import PresentationResponse, Usage
from gov_chain import clock
from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.keys import KeyStoreError
from identity import agencies, peers

VISIBLE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Opened:
    state: str


def open_presentation(*, usage: Usage) -> Opened:
    """Bring the response of a final usage to its end. Repeatable.

    Raises `IdentityError` peer-unreachable and `ConsentError` verification-undetermined: try again later. A refusal
    by the home agency ends it as refused.
    """
    response = usage.response
    if usage.state != Usage.State.FINAL or response.state not in (lifecycle.USED, lifecycle.RELEASED):
        return Opened(response.state)
    if not response.ciphertext:
        return _end(response, "refuse", refusal="presentation-erased")
    if registry.standing(bytes(response.handle or b""), now=clock.now()).withdrawn:
        # The use was recorded before the withdrawal; what is not open yet stays shut.
        return _end(response, "refuse", refusal="grant-withdrawn", report=None)
    released: Released | None = None
    if response.locks == 2:
        try:
            released = _release(response, usage)
        except peers.PeerRefusedError as error:
            if error.remote_status >= 500:
                raise
            return _end(response, "refuse", refusal=error.remote_code)
    _move(response, "release")
    try:
        report = _verify(response, usage, released)
    except KeyStoreError as error:
        if error.code != "seal-broken":
            raise  # The key store is away: nothing is decided, and the relay comes back.
        return _end(response, "fail", refusal=error.code)
    except (ConsentError, envelopes.MalformedEnvelopeError, envelopes.LockedEnvelopeError) as error:
        code = error.code if isinstance(error, ConsentError) else "response-malformed"
        return _end(response, "fail", refusal=code)
    checks = presentations.checks_json(report)
    if report.result == "undetermined":
        # Neither valid nor invalid: nothing opens, the counter is told which check is open, the relay tries again.
        PresentationResponse.objects.filter(pk=response.pk, state=lifecycle.RELEASED).update(report=checks)
        live.announce(response.request)
        raise ConsentError("verification-undetermined", log=f"response {response.pk}")
    if report.result == "fail":
        return _end(response, "fail", report=checks)
    claims = json.dumps(report.claims, ensure_ascii=False).encode()
    sealed = agencies.sealer(response.request.agency).seal(claims, claims_context(response))
    return _end(response, "open", report=checks, claims_sealed=sealed, visible_until=clock.now() + VISIBLE_SECONDS)


def claims_context(response: PresentationResponse) -> bytes:
    return b"govchain/claims/v1\n" + response.request.id.bytes


def _release(response: PresentationResponse, usage: Usage) -> Released:
    home = agencies.by_slug(response.recorder)
    answer = peers.call(
        sender=response.request.agency,
        to=home,
        path=f"/agencies/{home.slug}/grants/release",
        body={
            "handle": b64url(bytes(response.handle or b"")),
            "usage_index": usage.index,
            "request_id": str(response.request.id),
        },
    )
    return Released(key=b64url_decode(str(answer["key"])), binding=b64url_decode(str(answer["binding"])))


def _verify(response: PresentationResponse, usage: Usage, released: Released | None) -> verification.Report:
    request = response.request
    inner = envelopes.open_outer(response.ciphertext, key=released.key) if released else response.ciphertext
    terms = registry.terms_of(request.matter)
    payload = presentations.unlock_inner(request, inner)
    presentation = presentations.single(payload, terms)
    binding = released.binding if released else None
    return presentations.verify(
        presentation,
        response=response,
        usage=usage,
        terms=terms,
        binding=binding,
        mandate=payload.get("mandate"),
    )


def _move(response: PresentationResponse, event: str) -> None:
    if response.state == lifecycle.target(event):
        return
    moved = PresentationResponse.objects.filter(pk=response.pk, state__in=lifecycle.sources(event)).update(
        state=lifecycle.target(event)
    )
    if moved:
        response.state = lifecycle.target(event)


def _end(response: PresentationResponse, event: str, **values: Any) -> Opened:
    sources = [*lifecycle.sources(event)]
    PresentationResponse.objects.filter(pk=response.pk, state__in=sources).update(
        state=lifecycle.target(event), **values
    )
    response.refresh_from_db()
    live.announce(response.request)
    return Opened(response.state)
