"""What belongs to officers beside their account: sessions, invitations, acts that wait for a second person, the log.

The log's rows cannot be changed or deleted: `identity.append_only` puts triggers on the table.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q


class OfficerSession(models.Model):
    """One log-in of one officer, in one browser. Where it came from is forgotten when it ends."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    officer = models.ForeignKey("identity.Officer", on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, blank=True, help_text="Django's; empty once ended.")
    method = models.CharField(max_length=40)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    started_at = models.PositiveBigIntegerField()
    seen_at = models.PositiveBigIntegerField()
    ended_at = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | (Q(session_key="") & Q(address="") & Q(agent="")),
                name="officer_session_ended_forgets",
            ),
        ]
        indexes = [models.Index(fields=["officer"], condition=Q(ended_at__isnull=True), name="officer_session_living")]


class OfficerInvitation(models.Model):
    """A one-time code with which an invited officer chooses a password, or links single sign-on."""

    officer = models.ForeignKey("identity.Officer", on_delete=models.CASCADE, related_name="invitations")
    code_digest = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.PositiveBigIntegerField()
    closed_at = models.PositiveBigIntegerField(null=True, help_text="Used, or replaced by a newer one.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["officer"], condition=Q(closed_at__isnull=True), name="officer_invitation_one_open"
            ),
        ]


class PendingAct(models.Model):
    """An act that one officer asked for and another has to approve. Its content is frozen by its digest.

    waiting → done | failed (approved) ; waiting → refused | expired | cancelled
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"
        REFUSED = "refused"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=40)
    content = models.BinaryField(max_length=65536, help_text="Canonical JSON.")
    digest = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, related_name="+")
    requested_at = models.PositiveBigIntegerField()
    expires_at = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    decided_by = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.PositiveBigIntegerField(null=True)
    failure = models.CharField(max_length=40, blank=True)
    result = models.JSONField(default=dict)
    file = models.BinaryField(null=True, help_text="What an export made; erased after some days.")
    file_name = models.CharField(max_length=100, blank=True)
    erase_at = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")), name="pending_act_two_persons"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed", "refused"]) | Q(decided_by__isnull=False),
                name="pending_act_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "done", "failed", "refused", "expired", "cancelled"]),
                name="pending_act_state_known",
            ),
        ]
        indexes = [models.Index(fields=["agency", "-requested_at"], name="pending_act_of_agency")]


class OfficerLogEntry(models.Model):
    """One act of one officer: see `identity.core.officers_log`. Append-only."""

    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="+")
    seq = models.PositiveBigIntegerField()
    at = models.PositiveBigIntegerField()
    officer = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, null=True, related_name="+")
    username = models.CharField(max_length=150)
    act = models.CharField(max_length=40)
    object = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "seq"], name="officer_log_no_fork")]
        indexes = [
            models.Index(fields=["agency", "at"], name="officer_log_by_time"),
            models.Index(fields=["officer", "act", "at"], name="officer_log_by_officer"),
        ]


class OfficerLogAnchor(models.Model):
    """A chain's head as the ledger keeps it: the salt that opens the record's digest, and the receipt."""

    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="+")
    seq = models.PositiveBigIntegerField()
    head = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=32)
    at = models.PositiveBigIntegerField()
    index = models.PositiveBigIntegerField(null=True)
    receipt = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "seq"], name="officer_log_anchor_once")]
