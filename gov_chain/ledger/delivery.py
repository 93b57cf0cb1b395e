"""Telling listeners what became of their records: at least once, with back-off.

A row is claimed by a conditional update that also sets the time of the next attempt, so two threads never
deliver one row at once, and a row whose deliverer died is taken up again after `LEASE`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx
from django.db.models import F

from gov_chain.core.errors import GovChainError
from gov_chain.ledger.models import OutboxRow

log = logging.getLogger(__name__)

LEASE = 60.0
FIRST_RETRY = 0.5
LAST_RETRY = 300.0
DOUBLINGS = 10
"""Enough to reach `LAST_RETRY`; a row may be retried for years, and no float holds 2 to that power."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an outbox row. `code` says why it was refused; `receipt` proves that it is final."""

    id: int
    subject: str
    state: Literal["final", "refused", "pending"]
    code: str
    index: int | None
    receipt: str | None


Listener = Callable[[Outcome], None]
_listeners: dict[str, Listener] = {}


def on_outcome(topic: str, listener: Listener) -> None:
    """Call `listener` for every row whose subject is "<topic>:…". Register in `AppConfig.ready`.

    It is called at least once a row, in any thread, outside transactions; it must be idempotent. If it raises a
    `GovChainError` or an `httpx.HTTPError` it is called again later.
    """
    _listeners[topic] = listener


def outcome_of(row: OutboxRow) -> Outcome:
    state: Literal["final", "refused", "pending"] = "pending"
    if row.state == OutboxRow.State.FINAL:
        state = "final"
    elif row.state in (OutboxRow.State.REFUSED, OutboxRow.State.ASIDE):
        state = "refused"
    return Outcome(row.pk, row.subject, state, row.code, row.index, row.receipt or None)


DECIDED = (OutboxRow.State.FINAL, OutboxRow.State.REFUSED, OutboxRow.State.ASIDE)


def due() -> list[OutboxRow]:
    """Rows with an outcome that somebody has yet to be told, and whose time has come."""
    waiting = OutboxRow.objects.filter(state__in=DECIDED, delivered=False, next_attempt__lte=time.time())
    return list(waiting.order_by("pk")[:256])


def next_due() -> float | None:
    """When the next retry is due, in seconds since the epoch."""
    waiting = OutboxRow.objects.filter(state__in=DECIDED, delivered=False).order_by("next_attempt")
    found: float | None = waiting.values_list("next_attempt", flat=True).first()
    return found


def claim(row: OutboxRow) -> bool:
    """Take the row for this attempt; False if another thread has it."""
    undelivered = OutboxRow.objects.filter(pk=row.pk, delivered=False, attempts=row.attempts)
    return bool(undelivered.update(attempts=F("attempts") + 1, next_attempt=time.time() + LEASE))


def deliver(row: OutboxRow) -> bool:
    """Tell the row's listener; True once told. The row must have been claimed."""
    listener = _listeners.get(row.subject.partition(":")[0])
    if listener is not None:
        try:
            listener(outcome_of(row))
        except (GovChainError, httpx.HTTPError) as error:
            pause = min(FIRST_RETRY * 2 ** min(row.attempts, DOUBLINGS), LAST_RETRY)
            log.warning("ledger: outcome of %s not taken (%s), again in %.1f s", row, type(error).__name__, pause)
            reason = error.code if isinstance(error, GovChainError) else type(error).__name__
            OutboxRow.objects.filter(pk=row.pk).update(next_attempt=time.time() + pause, reason=reason)
            return False
    OutboxRow.objects.filter(pk=row.pk).update(delivered=True, reason="" if row.state != "aside" else row.reason)
    return True


def forget_leases() -> None:
    """At start: nobody is delivering yet, so every undelivered row is due."""
    OutboxRow.objects.filter(state__in=DECIDED, delivered=False).update(next_attempt=0)
