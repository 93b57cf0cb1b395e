"""Take away what may no longer be read, or is of no use any more.

    claims          ten minutes after they were opened
    locked answers  at the end of the matter's retention period
    one-time keys   a day after their grant ended: no later use can be recorded that would release them
    requests        a day after they ended without any answer

Runs every 15 seconds in the serving process, and before every page that could show a claim, so that
no reader sees an overdue one even where no process serves in between.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from dataclasses import dataclass

from django.db import Error as DatabaseError
from django.db import connection

from consent.actions.close_withdrawn import close_withdrawn, forget_keys
from consent.models import Grant, PresentationRequest, PresentationResponse
from gov_chain import clock
from gov_chain.core.errors import GovChainError

log = logging.getLogger(__name__)

EVERY_SECONDS = 15.0
GRACE_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Erased:
    claims: int
    answers: int
    keys: int
    requests: int


def erase_expired() -> Erased:
    """Erase what is due; how much it was."""
    now = clock.now()
    claims = PresentationResponse.objects.filter(visible_until__lte=now, claims_sealed__isnull=False).update(
        claims_sealed=None
    )
    answers = (
        PresentationResponse.objects.filter(erase_at__lte=now)
        .exclude(ciphertext="")
        .update(ciphertext="", claims_sealed=None)
    )
    ended = now - GRACE_SECONDS
    keys = Grant.objects.filter(not_after__lt=ended, one_time_key_sealed__isnull=False).update(one_time_key_sealed=None)
    stale = PresentationRequest.objects.filter(expires_at__lt=ended, response__isnull=True)
    requests, _ = stale.filter(state=PresentationRequest.State.WAITING).delete() if stale.exists() else (0, {})
    return Erased(claims=claims, answers=answers, keys=keys, requests=requests)


class Eraser:
    """The serving process's clockwork for `erase_expired` and `close_withdrawn`."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="consent-eraser", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        keys_forgotten = False
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                erase_expired()
                close_withdrawn()
                if not keys_forgotten:
                    forget_keys()
                    keys_forgotten = True
            except (DatabaseError, sqlite3.Error, GovChainError, OSError) as error:
                # Database or ledger are away; what is due stays due and is erased at the next turn.
                log.warning("erasing is late: %s", type(error).__name__)
            finally:
                connection.close()
