"""Have the ledger keep the head of an agency's officers' log: a salted digest, as an evidence record, once a day.

The anchor's row and its outbox row are written together; the relay does the rest, and `on_outcome` notes where it
stands.
"""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction
from django.utils import timezone

from gov_chain import clock
from gov_chain.ledger import outbox, relay
from gov_chain.ledger.core import records
from identity.core import officers_log
from identity.models import Agency, OfficerLogAnchor, OfficerLogEntry

SUBJECT = "identity.officers-log"
SALT = 32


def anchor_log(*, agency: Agency, before: int | None = None) -> OfficerLogAnchor | None:
    """The anchor of the newest entry, or None where that one has one already. With `before` (epoch seconds), only if an
    entry from before that moment has none yet."""
    with transaction.atomic():
        # One at a time, of however many processes.
        Agency.objects.select_for_update().get(pk=agency.pk)
        entries = OfficerLogEntry.objects.filter(agency=agency).order_by("-seq")
        last = OfficerLogAnchor.objects.filter(agency=agency).order_by("-seq").first()
        done = 0 if last is None else last.seq
        waiting = entries.filter(seq__gt=done)
        if not (waiting if before is None else waiting.filter(at__lt=before)).exists():
            return None
        head = entries[0]
        salt = secrets.token_bytes(SALT)
        anchor = OfficerLogAnchor.objects.create(
            agency=agency, seq=head.seq, head=bytes(head.digest), salt=salt, at=clock.now()
        )
        digest = officers_log.anchor_digest(salt=salt, agency=agency.number, seq=head.seq, head=bytes(head.digest))
        record = records.evidence(evidence=records.OFFICERS_LOG, digest=digest)
        outbox.enqueue(agency=agency.number, record=record, subject=f"{SUBJECT}:{anchor.pk}")
        return anchor


def anchor_due() -> int:
    """Anchor every hosted agency's log that has entries from an earlier day without one; how many there were."""
    today = timezone.localtime(dt.datetime.fromtimestamp(clock.now(), dt.UTC)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    hosted = Agency.objects.filter(hosted=True)
    return sum(anchor_log(agency=agency, before=int(today.timestamp())) is not None for agency in hosted)


def on_outcome(outcome: relay.Outcome) -> None:
    """Repeatable. A refused anchor is forgotten, so that the next turn makes another."""
    anchor = OfficerLogAnchor.objects.filter(pk=int(outcome.subject.partition(":")[2]))
    if outcome.state == "final":
        anchor.update(index=outcome.index, receipt=outcome.receipt)
    elif outcome.state == "refused":
        anchor.filter(index__isnull=True).delete()
