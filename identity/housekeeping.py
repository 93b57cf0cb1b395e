"""What the serving process does for officers by itself, once a minute: anchors logs, ends requests, erases exports."""

from __future__ import annotations

import logging
import threading

from django.db import Error as DatabaseError
from django.db import connection

from gov_chain.core.errors import GovChainError
from identity import approvals
from identity.actions.anchor_log import anchor_due
from identity.models import PendingAct

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


def turn() -> None:
    """What is due now. Nothing is lost if a turn comes late."""
    anchor_due()
    approvals.expire(PendingAct.objects.all())
    approvals.erase_files()


class Housekeeper:
    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="officers-housekeeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                turn()
            except (DatabaseError, GovChainError, OSError) as error:
                # Database or ledger are away; what is due stays due.
                log.warning("officers' housekeeping is late: %s", type(error).__name__)
            finally:
                connection.close()
            self._stopped.wait(EVERY_SECONDS)
