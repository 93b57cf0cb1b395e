"""The agent's home agency is about to record a grant under a mandate, and asks the mandate's issuer. Then once more.

`use_mandate`, before the grant: the mandate counts now, for this matter, in the hands of this agent; the use is written
down with what withdraws it, so that from here on withdrawing the mandate reaches the grant. `confirm_mandate`, once the
grant is final and before anybody is given its receipt: it still counts. A withdrawal between the two either found the
grant on the ledger or is found here.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from certificates import mandates
from certificates.core.errors import CertificateError
from certificates.models import Mandate, MandateUse
from gov_chain import clock
from gov_chain.core.codec import sha256
from identity import agencies
from identity.models import Agency


def use_mandate(
    *, issuer: Agency, commitment: bytes, agent_number: str, matter: int, asker: int, recorder: Agency, secret: bytes
) -> MandateUse:
    """Raises `CertificateError`: mandate-unknown, -not-holder, -withdrawn, -phone-lost, -expired, -other-matter."""
    mandate = mandates.of_certificate(issuer, commitment)
    if agent_number != mandate.agent_number:
        raise CertificateError("mandate-not-holder")
    mandates.require_live(mandate)
    if mandate.matters and matter not in mandate.matters:
        raise CertificateError("mandate-other-matter")
    handle = sha256(secret)
    try:
        with transaction.atomic():
            return MandateUse.objects.create(
                mandate=mandate,
                handle=handle,
                secret_sealed=agencies.sealer(issuer).seal(secret, secret_context(handle)),
                matter=matter,
                asker=asker,
                recorder=recorder.number,
                at=clock.now(),
            )
    except IntegrityError as error:
        known = MandateUse.objects.filter(handle=handle, mandate=mandate, recorder=recorder.number).first()
        if known is None:
            raise CertificateError("mandate-unknown", log="the handle was used for something else") from error
        return known


def confirm_mandate(*, issuer: Agency, handle: bytes, recorder: Agency) -> Mandate:
    """Raises `CertificateError`: mandate-unknown, mandate-withdrawn, mandate-phone-lost, mandate-expired."""
    use = (
        MandateUse.objects.select_related("mandate__signed_with")
        .filter(handle=handle, mandate__agency=issuer, recorder=recorder.number)
        .first()
    )
    if use is None:
        raise CertificateError("mandate-unknown")
    mandates.require_live(use.mandate)
    return use.mandate


def secret_context(handle: bytes) -> bytes:
    return b"govchain/mandate-use/v1\n" + handle
