"""Matters, what was asked, what was answered, and what was agreed.

Two roles share this file because one node may host both, but no query joins them: the asking
agency's side is `Matter`, `PresentationRequest`, `PresentationResponse`, `Usage`; the recorder's side
(a citizen's home agency, or an issuer) is `Grant`. Personal data stands here only sealed.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from consent.core import lifecycle


class Matter(models.Model):
    """One version of a matter of an agency on this node. Its text is the registered document."""

    class State(models.TextChoices):
        PENDING = "pending", "待登记"
        REGISTERED = "registered", "已登记"
        IN_FORCE = "in-force", "已生效"
        REFUSED = "refused", "未通过"

    slug = models.SlugField(max_length=64)
    number = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="matters")
    digest = models.BinaryField(max_length=32)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)

    class Meta:
        ordering = ["number", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["number", "version"], name="matter_version_once"),
            models.UniqueConstraint(fields=["slug", "version"], name="matter_slug_version_once"),
            models.CheckConstraint(condition=Q(number__lte=65535, version__lte=65535), name="matter_number_range"),
        ]

    def __str__(self) -> str:
        return self.name_zh


class PresentationRequest(models.Model):
    """One question to one citizen. It takes one answer."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待出示"
        ANSWERED = "answered", "已答复"
        DECLINED = "declined", "已谢绝"
        UNABLE = "unable", "未能出示"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="+")
    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="requests")
    # An agency's certificate is renewed while a request and its answer live on: what was asked with stays with it.
    client_id = models.CharField(max_length=64)
    leaf = models.BinaryField(max_length=4096, help_text="DER of the certificate that the client identifier names.")
    nonce = models.CharField(max_length=43, unique=True)
    nonce_salt = models.BinaryField(max_length=16)
    wallet_state = models.CharField(max_length=43, help_text="The protocol's `state`.")
    response_key_sealed = models.BinaryField(max_length=1024, help_text="Private JWK, under the agency's seal key.")
    response_jwk = models.JSONField(help_text="Public JWK.")
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    failure = models.CharField(max_length=40, blank=True, help_text="Why the wallet could not: `core.wallet_errors`.")
    fetched_at = models.BigIntegerField(null=True, help_text="A wallet has read it.")
    browser_digest = models.BinaryField(
        max_length=32, null=True, help_text="Same-device: digest of the browser's secret."
    )
    response_code = models.CharField(max_length=43, null=True, unique=True)

    class Meta:
        indexes = [models.Index(fields=["agency", "-created_at"], name="request_recent")]


class PresentationResponse(models.Model):
    """The one answer, locked until its use is on the ledger."""

    request = models.OneToOneField(PresentationRequest, on_delete=models.PROTECT, related_name="response")
    state = models.CharField(max_length=10, choices=[(s, s) for s in lifecycle.STATES], default=lifecycle.RECEIVED)
    locks = models.PositiveSmallIntegerField(help_text="2: our wallet; 1: a wallet of another make.")
    ciphertext = models.TextField(blank=True, help_text="Empty once the retention period is over.")
    handle = models.BinaryField(max_length=32, null=True)
    recorder = models.CharField(max_length=32, blank=True)
    received_at = models.BigIntegerField()
    erase_at = models.BigIntegerField(help_text="The matter's retention period ends: the ciphertext goes.")
    refusal = models.CharField(max_length=64, blank=True, help_text="Why it was refused: an error code.")
    report = models.JSONField(null=True, help_text="Checks and results; no claim values.")
    claims_sealed = models.BinaryField(null=True)
    visible_until = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(locks__in=[1, 2]), name="response_locks"),
            models.CheckConstraint(condition=Q(state__in=lifecycle.STATES), name="response_state_known"),
            # I3: claims exist only in a life that went through a final usage record.
            models.CheckConstraint(
                condition=Q(claims_sealed__isnull=True) | Q(state=lifecycle.OPENED), name="response_claims_opened_only"
            ),
            models.UniqueConstraint(fields=["handle"], condition=Q(handle__isnull=False), name="response_handle_once"),
        ]


class Usage(models.Model):
    """One look at a presentation: one record on the ledger."""

    class State(models.TextChoices):
        PENDING = "pending"
        FINAL = "final"
        REFUSED = "refused"

    response = models.ForeignKey(PresentationResponse, on_delete=models.PROTECT, related_name="usages")
    officer = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.BigIntegerField()
    context_salt = models.BinaryField(max_length=16)
    masks = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    index = models.PositiveBigIntegerField(null=True)
    receipt = models.TextField(blank=True)
    refusal = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["response"], condition=Q(state="pending"), name="usage_one_pending_per_response"
            ),
            models.CheckConstraint(condition=Q(index__isnull=False) | ~Q(state="final"), name="usage_final_has_index"),
        ]


class Grant(models.Model):
    """A consent as its recorder keeps it. Which citizen it belongs to, only that citizen's data key tells."""

    class State(models.TextChoices):
        PENDING = "pending"
        LIVE = "live"
        REFUSED = "refused"

    recorder = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="+")
    handle = models.BinaryField(max_length=32, unique=True)
    evidence_digest = models.BinaryField(max_length=32, unique=True, help_text="Of what was posted: a retry is known.")
    owner_tag = models.BinaryField(max_length=32, null=True, help_text="HMAC of the handle under the data key.")
    artefact_sealed = models.BinaryField()
    artefact_salt = models.BinaryField(max_length=16)
    one_time_key_sealed = models.BinaryField(null=True, help_text="None: a wallet of another make, one lock.")
    asker = models.PositiveIntegerField(help_text="Number of the agency that asked.")
    request_id = models.UUIDField()
    mandate_issuer = models.PositiveIntegerField(null=True, help_text="Whom to ask about the mandate.")
    outbox = models.PositiveBigIntegerField(null=True, help_text="Its row in the ledger outbox.")
    created_at = models.BigIntegerField()
    not_after = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    index = models.PositiveBigIntegerField(null=True)
    receipt = models.TextField(blank=True)
    refusal = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(index__isnull=False) | ~Q(state="live"), name="grant_live_has_index"),
        ]
