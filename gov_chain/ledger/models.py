"""What a node keeps beside the ledger: records on their way there, its keys' sequences, public documents."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class NodeKey(models.Model):
    """An agency hosted here may write to the ledger with this key. `next_sequence` is never used twice."""

    agency = models.PositiveIntegerField(primary_key=True)
    key_no = models.PositiveIntegerField(default=1)
    signer = models.CharField(max_length=200)
    next_sequence = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"agency {self.agency} key {self.key_no}"


class SignedTransaction(models.Model):
    """A batch's signed bytes, stored before they are sent; exactly these are sent again after a crash."""

    class State(models.TextChoices):
        SIGNED = "signed"
        FINAL = "final"
        REFUSED = "refused"

    agency = models.PositiveIntegerField()
    key_no = models.PositiveIntegerField()
    sequence = models.PositiveBigIntegerField()
    body = models.BinaryField()
    valid_until = models.PositiveBigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.SIGNED)
    code = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "key_no", "sequence"], name="ledger_sequence_once"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state="signed"), name="ledger_signed")]

    def __str__(self) -> str:
        return f"transaction {self.agency}/{self.key_no}/{self.sequence}"


class OutboxRow(models.Model):
    """A record an action wants on the ledger, written in the action's own database transaction.

    pending → signed → final | refused; or → aside, when this node could not even have it judged.
    `subject` names the row waiting for the outcome ("consent.usage:17"); it holds no personal data.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SIGNED = "signed"
        FINAL = "final"
        REFUSED = "refused"
        ASIDE = "aside"

    agency = models.PositiveIntegerField()
    record = models.BinaryField()
    subject = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    transaction = models.ForeignKey(SignedTransaction, null=True, on_delete=models.PROTECT, related_name="rows")
    position = models.PositiveIntegerField(null=True)
    code = models.CharField(max_length=40, blank=True)
    index = models.PositiveBigIntegerField(null=True)
    receipt = models.TextField(blank=True)
    delivered = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.FloatField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="final") | (Q(index__isnull=False) & ~Q(receipt="")), name="ledger_final_has_receipt"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "aside"]) | ~Q(code=""), name="ledger_refused_has_code"
            ),
            models.CheckConstraint(
                condition=~Q(state="signed") | (Q(transaction__isnull=False) & Q(position__isnull=False)),
                name="ledger_signed_has_place",
            ),
            models.UniqueConstraint(fields=["transaction", "position"], name="ledger_position_once"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="pending"), name="ledger_pending"),
            models.Index(fields=["next_attempt"], condition=Q(delivered=False), name="ledger_undelivered"),
        ]

    def __str__(self) -> str:
        return f"outbox {self.pk} {self.subject}"


class Document(models.Model):
    """A canonical JSON document whose SHA-256 stands on the ledger."""

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.BinaryField()
    public = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"document {self.digest[:12]}"
