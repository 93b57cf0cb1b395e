"""Agencies, their officers, the citizens a home agency looks after, and the citizens' wallets.

What must never happen is refused by the database: a sixth living phone of one citizen, one device
key in two living wallets, a counter below zero, a token used twice.
"""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from identity import personal
from identity.core import profiles
from identity.core.dids import web
from identity.officer_models import (  # noqa: F401 - models of this app: Django looks for them here
    OfficerInvitation,
    OfficerLogAnchor,
    OfficerLogEntry,
    OfficerSession,
    PendingAct,
)

MAX_TRIES = 5
MAX_PHONES = 5
"""Living phones of one citizen."""


class Agency(models.Model):
    """A member of the consortium. Its number, not its name, stands on the ledger."""

    number = models.PositiveIntegerField(primary_key=True)
    slug = models.SlugField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200)
    base_url = models.URLField(max_length=200)
    hosted = models.BooleanField(default=False, help_text="This node holds the agency's keys and data.")
    home = models.BooleanField(default=False, help_text="Looks after citizens: wallets, consents, history.")
    index_key_sealed = models.BinaryField(max_length=200, null=True, help_text="Of the digests rows are found by.")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=65535), name="agency_number_range"),
        ]

    def __str__(self) -> str:
        return self.name_zh

    @property
    def url(self) -> str:
        """Where the agency's own endpoints live; also the `iss` of what it issues."""
        return f"{self.base_url}/agencies/{self.slug}"

    @property
    def did(self) -> str:
        """did:web of `url`; a port's colon is percent-encoded (did:web method, §2.5.2)."""
        return web.of(self.base_url, "agencies", self.slug)

    def keep_index_key(self, sealed: bytes) -> bytes:
        """Of two that race to make it, the first one's counts."""
        Agency.objects.filter(pk=self.pk, index_key_sealed=None).update(index_key_sealed=sealed)
        self.refresh_from_db(fields=["index_key_sealed"])
        return bytes(self.index_key_sealed or b"")

    @property
    def profile(self) -> dict[str, Any]:
        """The public document whose digest the ledger holds; the same on every host."""
        return profiles.document(self.number, self.slug, self.name_zh, self.name_en)

    @property
    def profile_digest(self) -> bytes:
        return profiles.digest(self.number, self.slug, self.name_zh, self.name_en)


class Officer(AbstractUser):
    """A person who works for one agency and acts only for that agency."""

    first_name = None
    last_name = None
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="officers")
    display_name = models.CharField(max_length=100)

    REQUIRED_FIELDS = ["agency", "display_name"]

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    @functools.cached_property
    def role_names(self) -> frozenset[str]:
        """Read once an object, that is once a request."""
        return frozenset(self.roles.values_list("role", flat=True))

    def has_role(self, *roles: str) -> bool:
        """Whether the officer holds any of `roles`."""
        return not self.role_names.isdisjoint(roles)


class OfficerRole(models.Model):
    class Role(models.TextChoices):
        ISSUER = "issuer", "发证"
        APPROVER = "approver", "审批"
        COUNTER = "counter", "窗口"
        AUDITOR = "auditor", "审计"
        AGENCY_ADMIN = "agency-admin", "机构管理"
        OPERATOR = "operator", "联盟运维"

    officer = models.ForeignKey(Officer, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["officer", "role"], name="officer_role_once"),
            models.CheckConstraint(
                condition=Q(role__in=["issuer", "approver", "counter", "auditor", "agency-admin", "operator"]),
                name="officer_role_known",
            ),
        ]


class Citizen(personal.Row, models.Model):
    """A person, as known to one home agency. No other agency reads this table.

    `citizens.enrol` makes one, `citizens.by_id_number` finds one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    home = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="citizens")
    id_index = models.BinaryField(max_length=32, help_text="Digest the home agency finds the number by.")
    personal = models.BinaryField(max_length=1024, help_text="Name and number, under the data key.")
    data_key_sealed = models.BinaryField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["home", "id_index"], name="citizen_once_per_home"),
        ]

    def keeper(self) -> str:
        return str(self.home.slug)

    def personal_context(self) -> bytes:
        return b"govchain/citizen/v1\n" + self.id.bytes

    @property
    def name(self) -> str:
        return str(self.opened["name"])

    @property
    def id_number(self) -> str:
        return str(self.opened["id_number"])


class Activation(models.Model):
    """A one-time code handed over after a real-name check. Only a keyed digest of it is kept."""

    citizen = models.ForeignKey(Citizen, on_delete=models.CASCADE, related_name="activations")
    locator = models.CharField(max_length=8, unique=True)
    code_digest = models.BinaryField(max_length=32)
    assurance_level = models.PositiveSmallIntegerField(help_text="identity.core.assurance.Level")
    check_id = models.CharField(max_length=20, help_text="The real-name check that was made.")
    adds = models.BooleanField(default=False, help_text="The citizen's other phones stay; otherwise they end.")
    issued_by = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField(default=MAX_TRIES)
    closed_at = models.DateTimeField(null=True, help_text="Used, or replaced by a newer code.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["citizen"], condition=Q(closed_at__isnull=True), name="activation_one_open_per_citizen"
            ),
            models.CheckConstraint(condition=Q(tries_left__lte=MAX_TRIES), name="activation_tries_range"),
            models.CheckConstraint(condition=Q(assurance_level__in=[1, 2, 3]), name="activation_assurance_known"),
        ]


class Wallet(models.Model):
    """One phone of one citizen: a device key made on the phone, opened by PIN or passkey."""

    class Ended(models.TextChoices):
        """Why it no longer works. A lost one takes along what was signed with it (mandates)."""

        REPLACED = "replaced", "已换机"
        LOST = "lost", "已挂失"
        CLOSED = "closed", "已停用"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    citizen = models.ForeignKey(Citizen, on_delete=models.PROTECT, related_name="wallets")
    device_jwk = models.JSONField()
    thumbprint = models.CharField(max_length=43, help_text="RFC 7638, SHA-256, base64url.")
    pin_hash = models.CharField(max_length=128)
    tries_left = models.PositiveSmallIntegerField(default=MAX_TRIES, help_text="0: locked.")
    slot = models.PositiveSmallIntegerField(help_text="One of the citizen's places for phones.")
    name = models.CharField(max_length=40, blank=True, help_text="What its owner calls it.")
    assurance_level = models.PositiveSmallIntegerField(help_text="identity.core.assurance.Level")
    check_id = models.CharField(max_length=20, help_text="The real-name check behind the binding.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)
    locked_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    ended_as = models.CharField(max_length=8, choices=Ended.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["citizen", "slot"], condition=Q(revoked_at__isnull=True), name="wallet_one_living_per_slot"
            ),
            models.CheckConstraint(condition=Q(slot__gte=1, slot__lte=MAX_PHONES), name="wallet_slot_range"),
            models.CheckConstraint(condition=Q(assurance_level__in=[1, 2, 3]), name="wallet_assurance_known"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, ended_as="") | (Q(revoked_at__isnull=False) & ~Q(ended_as="")),
                name="wallet_ended_with_reason",
            ),
            models.UniqueConstraint(
                fields=["thumbprint"], condition=Q(revoked_at__isnull=True), name="wallet_device_key_once"
            ),
            models.CheckConstraint(condition=Q(tries_left__lte=MAX_TRIES), name="wallet_tries_range"),
        ]

    @property
    def state(self) -> str:
        """`revoked`, `locked` or `active`."""
        if self.revoked_at is not None:
            return "revoked"
        return "locked" if self.tries_left == 0 else "active"


class WalletSession(models.Model):
    """An unlocked wallet, for a few minutes. Only the token's digest is kept."""

    token_digest = models.BinaryField(max_length=32, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="sessions")
    expires_at = models.DateTimeField(db_index=True)


class Backup(models.Model):
    """What a phone's owner gets back on another: ciphertext that this agency cannot read (`core.recovery`)."""

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, related_name="backup")
    locator = models.CharField(max_length=6, unique=True, help_text="First part of the recovery code.")
    verifier = models.BinaryField(max_length=32, help_text="SHA-256 of the asking key.")
    content = models.BinaryField(max_length=64 * 1024)
    tries_left = models.PositiveSmallIntegerField(default=MAX_TRIES)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(tries_left__lte=MAX_TRIES), name="backup_tries_range")]


class Passkey(models.Model):
    """A WebAuthn credential that opens one wallet instead of its PIN."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="passkeys")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(max_length=1024)
    sign_count = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)


class PasskeyChallenge(models.Model):
    """What a passkey must sign next; gone once it was looked at."""

    class Purpose(models.TextChoices):
        REGISTER = "register"
        UNLOCK = "unlock"

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="challenges")
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    challenge = models.BinaryField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "purpose"], name="passkey_challenge_one_open"),
        ]


class UsedToken(models.Model):
    """Identifiers (`jti`) of signed tokens that were taken once; kept until they have expired anyway."""

    scope = models.CharField(max_length=80)
    jti_digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "jti_digest"], name="used_token_once")]


class Attempt(models.Model):
    """A try at something guessable, counted by who tries what. Keys are digests, never names or addresses."""

    kind = models.CharField(max_length=20)
    key_digest = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(F("kind"), F("key_digest"), F("at"), name="attempt_lookup")]


class KeyCertificate(models.Model):
    """An X.509 certificate of a public key: the consortium's CA, or an agency's leaf under it."""

    content_digest = models.BinaryField(max_length=32, unique=True, help_text="Of everything that went into it.")
    subject = models.CharField(max_length=32)
    purpose = models.CharField(max_length=16)
    der = models.BinaryField(max_length=4096)
    not_after = models.DateTimeField()


class ErasureProof(models.Model):
    """An account that is no more. The number was chosen by its owner; nothing here leads to a person."""

    number = models.UUIDField(primary_key=True)
    home = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="+")
    proof = models.TextField(max_length=4096)
    receipt = models.TextField(blank=True, help_text="That its digest is on the ledger; empty until it is.")
    created_at = models.DateTimeField(auto_now_add=True)


class Device(models.Model):
    """A sensor or scanner that signs its requests for its agency, under a key made on it."""

    LABEL = 60

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="devices")
    label = models.CharField(max_length=LABEL)
    did = models.CharField(max_length=200, help_text="did:key of an Ed25519 or P-256 key.")
    enrolled_by = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    enrolled_at = models.DateTimeField(auto_now_add=True)
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["did"], condition=Q(revoked_at__isnull=True), name="device_key_enrolled_once"
            ),
        ]

    @property
    def state(self) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.valid_until > timezone.now() else "expired"
