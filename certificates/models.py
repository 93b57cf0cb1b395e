"""Types, registers, offers and what was issued from them.

What must not happen twice is a unique index: one code, one token, one living certificate an
offer, one anchor. Secrets are kept as digests only; the signed certificate only until it is delivered.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from identity import personal

MAX_TRIES = 5


class CertificateType(models.Model):
    """One version of a certificate type, as its definition document on the ledger says."""

    class State(models.TextChoices):
        PENDING = "pending", "待上链"
        ACTIVE = "active", "生效"
        REFUSED = "refused", "被账本拒绝"

    slug = models.SlugField(max_length=40)
    number = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="certificate_types")
    definition = models.JSONField()
    digest = models.BinaryField(max_length=32)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    refusal = models.CharField(max_length=40, blank=True)
    ledger_index = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["number", "version"]
        constraints = [
            models.UniqueConstraint(fields=["number", "version"], name="type_number_version_once"),
            models.UniqueConstraint(fields=["slug", "version"], name="type_slug_version_once"),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=65535, version__gte=1, version__lte=65535),
                name="type_number_range",
            ),
            models.CheckConstraint(condition=Q(state__in=["pending", "active", "refused"]), name="type_state_known"),
        ]

    def __str__(self) -> str:
        return str(self.definition["name"]["zh"])

    @property
    def vct(self) -> str:
        return str(self.definition["vct"])

    @property
    def field_ids(self) -> list[str]:
        """In bit order: the ledger's masks count from the first."""
        return [field["id"] for field in self.definition["fields"]]


class RegisterRow(personal.Row, models.Model):
    """One subject of an agency's source register: where a certificate's claims come from.

    `registers.sealed` makes them, `queries` finds them.
    """

    type_slug = models.SlugField(max_length=40)
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="register_rows")
    subject_index = models.BinaryField(max_length=32, help_text="Digest the agency finds the subject's number by.")
    personal = models.BinaryField(max_length=64 * 1024, help_text="Number, name, fields and note, under the data key.")
    data_key_sealed = models.BinaryField(max_length=200)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["type_slug", "agency", "subject_index"], name="register_subject_once"),
        ]

    def keeper(self) -> str:
        return str(self.agency.slug)

    def personal_context(self) -> bytes:
        return b"govchain/register-row/v1\n" + self.type_slug.encode() + b"\n" + bytes(self.subject_index)

    @property
    def subject(self) -> str:
        """Identity number or social credit code."""
        return str(self.opened["subject"])

    @property
    def name(self) -> str:
        return str(self.opened["name"])

    @property
    def data(self) -> dict[str, Any]:
        """The type's fields, normalized."""
        return dict(self.opened["data"])

    @property
    def note(self) -> str:
        return str(self.opened["note"])


class RegisterName(models.Model):
    """A digest of the beginning of a row's name, so that the desk finds it by a name half typed."""

    row = models.ForeignKey(RegisterRow, on_delete=models.CASCADE, related_name="names")
    digest = models.BinaryField(max_length=32, db_index=True)


class Offer(models.Model):
    """A pre-authorized code (OpenID4VCI 1.0 §4.1) for one subject, with a transaction code told separately."""

    class State(models.TextChoices):
        OPEN = "open", "待领取"
        REDEEMED = "redeemed", "领取中"
        CLAIMED = "claimed", "已领取"
        LOCKED = "locked", "已锁定"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.ForeignKey(CertificateType, on_delete=models.PROTECT, related_name="offers")
    row = models.ForeignKey(RegisterRow, on_delete=models.PROTECT, related_name="offers")
    made_by = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, null=True, related_name="+")
    code = models.CharField(max_length=43, help_text="Served at credential_offer_uri; worthless without the tx_code.")
    code_digest = models.BinaryField(max_length=32, unique=True)
    tx_code_digest = models.BinaryField(
        max_length=32, help_text="Keyed with the node's secret: six digits alone are guessable."
    )
    tries_left = models.PositiveSmallIntegerField(default=MAX_TRIES)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.PositiveBigIntegerField(help_text="Unix seconds.")
    expires_at = models.PositiveBigIntegerField(help_text="Unix seconds.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(tries_left__lte=MAX_TRIES), name="offer_tries_range"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "redeemed", "claimed", "locked"]), name="offer_state_known"
            ),
        ]


class AccessToken(models.Model):
    """What a redeemed code gives: the right to fetch this offer's certificate, for a few minutes."""

    digest = models.BinaryField(max_length=32, unique=True)
    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="token")
    identifier = models.CharField(max_length=60, blank=True, help_text="credential_identifier, when one was given.")
    expires_at = models.PositiveBigIntegerField(help_text="Unix seconds.")


class StatusList(models.Model):
    """The statuses of some certificates of one type: two bits each, as last published (`formats.status_list`).

    At most one version is on its way to the ledger; acts that come meanwhile wait on their certificates, and go
    together into the next.
    """

    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="status_lists")
    type_number = models.PositiveIntegerField()
    number = models.PositiveIntegerField(help_text="Of this type's lists, as the ledger counts them.")
    size = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=0, help_text="The version in force; 0 before the first is final.")
    revoked = models.BinaryField()
    suspended = models.BinaryField()
    digest = models.BinaryField(max_length=32, null=True, help_text="Of the document in force.")
    pending_digest = models.BinaryField(max_length=32, null=True, help_text="Of the next version, on its way.")

    class Meta:
        ordering = ["type_number", "number"]
        constraints = [
            models.UniqueConstraint(fields=["type_number", "number"], name="status_list_once"),
            models.CheckConstraint(condition=Q(number__lte=65535, size__gte=131072), name="status_list_range"),
        ]


class Certificate(models.Model):
    """The issuer's record of one issued certificate. Its claims are in the register, its bytes with the holder.

    `waiting` is an act of `core.lifecycle` whose status record is not final yet: `state` is still the former one.
    """

    class State(models.TextChoices):
        PENDING = "pending", "待上链"
        ACTIVE = "active", "有效"
        SUSPENDED = "suspended", "已暂停"
        REVOKED = "revoked", "已吊销"
        REPLACED = "replaced", "已换发"
        REFUSED = "refused", "被账本拒绝"

    class Waiting(models.TextChoices):
        NONE = "", ""
        SUSPEND = "suspend", "暂停"
        REINSTATE = "reinstate", "恢复"
        REVOKE = "revoke", "吊销"
        REPLACE = "replace", "换发"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="certificates")
    type = models.ForeignKey(CertificateType, on_delete=models.PROTECT, related_name="certificates")
    row = models.ForeignKey(RegisterRow, on_delete=models.PROTECT, related_name="certificates")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="certificates")
    holder_thumbprint = models.CharField(max_length=43, db_index=True)
    key_storage = models.CharField(max_length=40, blank=True, help_text="As a trusted wallet provider attested.")
    user_authentication = models.CharField(max_length=40, blank=True, help_text="As a trusted provider attested.")
    commitment = models.BinaryField(max_length=32, unique=True)
    salt = models.BinaryField(max_length=16)
    issued_at = models.PositiveBigIntegerField(help_text="Unix seconds.")
    expires_at = models.PositiveBigIntegerField(help_text="Unix seconds.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    refusal = models.CharField(max_length=40, blank=True)
    ledger_index = models.PositiveBigIntegerField(null=True)
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, null=True, related_name="certificates")
    status_index = models.PositiveIntegerField(null=True)
    waiting = models.CharField(max_length=9, choices=Waiting.choices, default=Waiting.NONE, blank=True)
    waiting_version = models.PositiveIntegerField(
        null=True, help_text="The list's version that carries it; none yet while another is on its way."
    )
    reason = models.CharField(max_length=16, blank=True, help_text="Of the last act, from `lifecycle.REASONS`.")
    sealed = models.BinaryField(null=True, help_text="The signed certificate, sealed, until it is delivered.")
    deliver_until = models.PositiveBigIntegerField(help_text="Unix seconds; afterwards `sealed` is emptied.")
    transaction_digest = models.BinaryField(max_length=32, null=True, unique=True)
    notification_digest = models.BinaryField(max_length=32, null=True, unique=True)
    delivered_at = models.PositiveBigIntegerField(null=True, help_text="Unix seconds.")

    class Meta:
        ordering = ["-issued_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["offer"], condition=~Q(state="refused"), name="certificate_one_living_per_offer"
            ),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="certificate_status_index_once"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "active", "suspended", "revoked", "replaced", "refused"]),
                name="certificate_state_known",
            ),
            models.CheckConstraint(
                condition=Q(waiting__in=["", "suspend", "reinstate", "revoke", "replace"]),
                name="certificate_waiting_known",
            ),
        ]
        indexes = [models.Index(fields=["status_list"], condition=~Q(waiting=""), name="certificate_waiting")]


class Mandate(models.Model):
    """Somebody may act for somebody else: what the issuer of that certificate goes by, whatever the paper says.

    Its certificates (one for each phone the agent claims it on) hang on the register row, which holds who it is between
    and, under `statement`, what the principal's phone signed (nothing from a counter): sealed, as all of a register.
    """

    class State(models.TextChoices):
        LIVE = "live", "有效"
        WITHDRAWN = "withdrawn", "已撤回"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agency = models.ForeignKey("identity.Agency", on_delete=models.PROTECT, related_name="+")
    row = models.OneToOneField(RegisterRow, on_delete=models.PROTECT, related_name="mandate")
    kind = models.CharField(max_length=24, help_text="The type's `representation`.")
    principal = models.ForeignKey("identity.Citizen", on_delete=models.SET_NULL, null=True, related_name="+")
    signed_with = models.ForeignKey("identity.Wallet", on_delete=models.SET_NULL, null=True, related_name="+")
    made_by = models.ForeignKey("identity.Officer", on_delete=models.PROTECT, null=True, related_name="+")
    matters = models.JSONField(help_text="Numbers of matters; empty: every matter that admits the kind.")
    created_at = models.PositiveBigIntegerField(help_text="Unix seconds.")
    not_after = models.PositiveBigIntegerField(help_text="Unix seconds.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.LIVE)
    withdrawn_at = models.PositiveBigIntegerField(null=True, help_text="Unix seconds.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["live", "withdrawn"]), name="mandate_state_known"),
            models.CheckConstraint(
                condition=Q(state="live", withdrawn_at__isnull=True) | Q(state="withdrawn", withdrawn_at__isnull=False),
                name="mandate_withdrawn_at",
            ),
        ]

    @property
    def agent_number(self) -> str:
        return self.row.data.get("agent_number", "")


class MandateUse(models.Model):
    """A grant that was made under a mandate: so that the principal sees it, and withdrawing the mandate closes it."""

    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="uses")
    handle = models.BinaryField(max_length=32, unique=True)
    secret_sealed = models.BinaryField(max_length=200, help_text="Withdraws the grant.")
    matter = models.PositiveIntegerField()
    asker = models.PositiveIntegerField(help_text="Number of the agency that asked.")
    recorder = models.PositiveIntegerField(help_text="Number of the agent's home agency.")
    at = models.PositiveBigIntegerField(help_text="Unix seconds.")

    class Meta:
        ordering = ["-at"]
