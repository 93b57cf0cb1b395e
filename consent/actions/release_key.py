"""The home agency gives the one-time key to the agency that has put its use on the ledger, and to no other.

Repeating it for the same usage record gives the same key: the asker may have crashed in between.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from consent import grants, registry, representation
from consent.core.envelopes import ONE_TIME_KEY_BYTES
from consent.core.errors import ConsentError
from consent.models import Grant
from gov_chain import clock
from gov_chain.ledger import following
from identity import agencies
from identity.models import Agency


@dataclass(frozen=True, slots=True)
class Released:
    key: bytes
    """Opens the outer lock, 32 bytes."""
    binding: bytes
    """Which signed consent the grant was recorded for (`grants.binding`): nothing else may stand behind the lock."""


def confirm_grant(*, home: Agency, asker: Agency, handle: bytes, request_id: uuid.UUID) -> Grant:
    """The live grant that was given for this agency's request; raises `ConsentError` release-unknown."""
    grant = Grant.objects.filter(
        recorder=home,
        handle=handle,
        asker=asker.number,
        request_id=request_id,
        state=Grant.State.LIVE,
        one_time_key_sealed__isnull=False,
    ).first()
    if grant is None:
        raise ConsentError("release-unknown")
    return grant


def release_key(*, home: Agency, asker: Agency, handle: bytes, usage_index: int, request_id: uuid.UUID) -> Released:
    """Raises `ConsentError` release-not-recorded, release-foreign, release-unknown, or grant-withdrawn: a use recorded
    before the withdrawal opens nothing after it. Nor does one under a mandate that its issuer says is withdrawn, or was
    signed with a phone since lost (mandate-…), or that cannot be asked about (peer-unreachable). One that has merely
    expired since was good when the grant was given.
    """
    if following.behind(usage_index):
        raise ConsentError("ledger-slow", retry_after=2)
    registry.require_usage(index=usage_index, handle=handle, agency=asker.number)
    if registry.standing(handle, now=clock.now()).withdrawn:
        raise ConsentError("grant-withdrawn")
    grant = confirm_grant(home=home, asker=asker, handle=handle, request_id=request_id)
    if grant.mandate_issuer is not None:
        try:
            representation.confirm(agencies.by_number(grant.mandate_issuer), home=home, handle=handle)
        except ConsentError as error:
            if error.code != "mandate-expired":
                raise
    opened = agencies.sealer(home).open(bytes(grant.one_time_key_sealed or b""), grants.key_context(handle))
    return Released(key=opened[:ONE_TIME_KEY_BYTES], binding=opened[ONE_TIME_KEY_BYTES:])
