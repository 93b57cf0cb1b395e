"""What the wallet says became of a certificate (OpenID4VCI 1.0 §11). Kept safely there, it need not lie here."""

from __future__ import annotations

from typing import Literal

from certificates.core.errors import CertificateError
from certificates.models import AccessToken, Certificate
from gov_chain.core.codec import sha256

Event = Literal["credential_accepted", "credential_failure", "credential_deleted"]


def take_notification(*, token: AccessToken, notification_id: str, event: Event) -> None:
    """Idempotent. Raises `CertificateError("notification-unknown")` for another wallet's."""
    certificate = Certificate.objects.filter(
        notification_digest=sha256(notification_id.encode()), offer_id=token.offer_id
    )
    if not certificate.exists():
        raise CertificateError("notification-unknown")
    if event != "credential_failure":
        certificate.update(sealed=None)
