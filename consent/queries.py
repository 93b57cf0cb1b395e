"""Reads for the screens: one presentation as a counter officer or the citizen's own browser may see it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from consent import registry, represented
from consent.actions.close_withdrawn import close_withdrawn
from consent.actions.erase_expired import erase_expired
from consent.actions.open_presentation import claims_context
from consent.core import lifecycle, wallet_errors
from consent.core.errors import ConsentError
from consent.core.matter import MatterTerms
from consent.models import Matter, PresentationRequest, PresentationResponse, Usage
from gov_chain import clock
from gov_chain.core.errors import GovChainError, Message
from gov_chain.ledger.core.errors import LedgerError
from identity import agencies
from identity.errors import IdentityError
from identity.models import Agency

FINISHED = (lifecycle.OPENED, lifecycle.FAILED, lifecycle.REFUSED)
_ERRORS: tuple[type[GovChainError], ...] = (ConsentError, LedgerError, IdentityError)


@dataclass(frozen=True, slots=True)
class FieldShown:
    zh: str
    en: str
    value: str | None
    """None: not presented."""


@dataclass(frozen=True, slots=True)
class PresentationView:
    request: PresentationRequest
    terms: MatterTerms
    response: PresentationResponse | None
    usages: tuple[Usage, ...]
    state: str
    """waiting, expired, declined, unable, or a state of `core.lifecycle`."""
    verdict: str
    """ok, bad, undetermined, withdrawn (it was ok until then), or empty while there is none."""
    fields: tuple[FieldShown, ...]
    represented: dict[str, Any]
    """Whom the person who showed it acted for: kind, name, number, until; empty for themselves."""
    refusal: Message | None
    """Why it was refused, or why the phone could not present."""
    uses_left: int
    closed: str
    """Why there is no further look: a refusal code; empty while the ledger would record one, or before the first."""

    @property
    def may_look_again(self) -> bool:
        return bool(self.usages) and not self.closed and self.state in lifecycle.sources("look_again")

    @property
    def why_closed(self) -> Message | None:
        """Said beside the missing button, unless the page says it already."""
        ended = bool(self.usages) and self.state in lifecycle.sources("look_again")
        said = self.verdict == "withdrawn" or (self.response is not None and self.response.refusal == self.closed)
        return words_for(self.closed) if ended and self.closed and not said else None

    @property
    def latest_use(self) -> Usage | None:
        return self.usages[-1] if self.usages else None

    @property
    def finished(self) -> bool:
        return self.state in (*FINISHED, "expired", "declined", "unable")

    @property
    def receipt(self) -> Usage | None:
        """The newest use that is on the ledger."""
        return next((usage for usage in reversed(self.usages) if usage.state == Usage.State.FINAL), None)

    @property
    def recorder(self) -> Agency | None:
        slug = self.response.recorder if self.response else ""
        return Agency.objects.filter(slug=slug).first() if slug else None

    @property
    def claims_gone(self) -> bool:
        return self.verdict == "ok" and not self.fields


@dataclass(frozen=True, slots=True)
class RecentRequest:
    """A row of the counter's list: nothing personal in it."""

    id: uuid.UUID
    matter: Matter
    created_at: int
    state: str
    response: PresentationResponse | None
    open: bool
    """Still to be answered."""
    withdrawn: bool


def recent(agency: Agency, *, limit: int = 20) -> list[RecentRequest]:
    """An agency's newest requests."""
    found = PresentationRequest.objects.filter(agency=agency).select_related("matter", "response")
    return [_recent(request, now=clock.now()) for request in found.order_by("-created_at")[:limit]]


def _recent(request: PresentationRequest, *, now: int) -> RecentRequest:
    response: PresentationResponse | None = getattr(request, "response", None)
    handle = response.handle if response is not None and response.state == lifecycle.OPENED else None
    return RecentRequest(
        id=request.id,
        matter=request.matter,
        created_at=request.created_at,
        state=request.state,
        response=response,
        open=request.expires_at > now,
        withdrawn=handle is not None and registry.standing(bytes(handle), now=now).withdrawn,
    )


def of_agency(request_id: uuid.UUID, *, agency: Agency) -> PresentationView:
    """One presentation, for officers of the agency that asked (I6); raises `ConsentError`."""
    found = _requests().filter(id=request_id, agency=agency).first()
    if found is None:
        raise ConsentError("presentation-unknown")
    return _view(found, with_claims=True)


def of_browser(*, slug: str, browser_digest: bytes, **named: str | uuid.UUID) -> PresentationView:
    """A same-device request, for the browser that started it, by `response_code` or `id`; raises `ConsentError`."""
    found = _requests().filter(browser_digest=browser_digest, matter__slug=slug, **named).first()
    if found is None:
        raise ConsentError("request-unknown")
    return _view(found, with_claims=False)


def _requests() -> Any:
    return PresentationRequest.objects.select_related("agency", "matter__agency", "response")


def _view(request: PresentationRequest, *, with_claims: bool) -> PresentationView:
    erase_expired()
    close_withdrawn()
    terms = registry.terms_of(request.matter)
    response = PresentationResponse.objects.filter(request=request).select_related("request__agency").first()
    usages = tuple(response.usages.order_by("id")) if response else ()
    standing = registry.standing(bytes(response.handle), now=clock.now()) if response and response.handle else None
    claims = _claims(response) if response and with_claims else None
    return PresentationView(
        request=request,
        terms=terms,
        response=response,
        usages=usages,
        state=_state(request, response),
        verdict=_verdict(response, withdrawn=standing is not None and standing.withdrawn),
        fields=_fields(claims, terms) if claims is not None else (),
        represented=(claims or {}).get(represented.CLAIM, {}),
        refusal=_refusal(request, response),
        uses_left=standing.uses_left if standing else 0,
        closed=_closed(response, standing),
    )


def _state(request: PresentationRequest, response: PresentationResponse | None) -> str:
    if response is not None:
        return response.state
    if request.state in (PresentationRequest.State.DECLINED, PresentationRequest.State.UNABLE):
        return request.state
    return "expired" if request.expires_at <= clock.now() else "waiting"


def _closed(response: PresentationResponse | None, standing: registry.Standing | None) -> str:
    if response is None or standing is None:
        return ""
    return standing.closed if response.ciphertext or standing.withdrawn else "presentation-erased"


def _refusal(request: PresentationRequest, response: PresentationResponse | None) -> Message | None:
    if request.failure:
        return wallet_errors.WORDS[wallet_errors.known(request.failure)]
    return words_for(response.refusal) if response and response.refusal else None


def _verdict(response: PresentationResponse | None, *, withdrawn: bool) -> str:
    if response is None:
        return ""
    if response.state not in FINISHED:
        return "undetermined" if response.report else ""
    if response.state == lifecycle.OPENED:
        return "withdrawn" if withdrawn else "ok"
    return "bad"


def _claims(response: PresentationResponse) -> dict[str, Any] | None:
    if response.claims_sealed is None:
        return None
    opened = agencies.sealer(response.request.agency).open(bytes(response.claims_sealed), claims_context(response))
    claims: dict[str, Any] = json.loads(opened)
    return claims


def _fields(claims: dict[str, Any], terms: MatterTerms) -> tuple[FieldShown, ...]:
    return tuple(
        FieldShown(zh=field.zh, en=field.en, value=str(claims[field.id]) if field.id in claims else None)
        for requested in terms.types
        for field in requested.named(requested.whole)
    )


def words_for(code: str) -> Message:
    """What a refusal code says to people, whichever part refused."""
    for errors in _ERRORS:
        if code in errors.messages:
            return errors.messages[code]
    return Message(409, f"被拒绝（{code}）。", f"Refused ({code}).")
