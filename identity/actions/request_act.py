"""Ask for an act that takes two persons: its exact content is frozen until an approver of the same agency decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from gov_chain import clock
from gov_chain.core.codec import canonical_json, sha256
from identity import acts, officers
from identity.actions.record_act import record_act
from identity.core.permissions import ACTS, APPROVER
from identity.errors import IdentityError
from identity.models import Officer, PendingAct

LIFE = 7 * 86400


def request_act(*, officer: Officer, act: str, content: Mapping[str, Any], reason: str = "") -> PendingAct:
    """The waiting act. `content` is JSON with integers and texts: exactly what will be done, later, by its executor.

    Raises `IdentityError`: role-missing, agency-unknown, approver-missing (nobody of the agency could approve it).
    """
    if not ACTS[act].second or acts.registered(act) is None:
        raise ValueError(f"{act} cannot be asked for")
    officers.authorise(officer, act)
    others = Officer.objects.filter(agency=officer.agency_id, is_active=True, roles__role=APPROVER)
    if not others.exclude(pk=officer.pk).exists():
        raise IdentityError("approver-missing")
    frozen = canonical_json(dict(content))
    now = clock.now()
    with transaction.atomic():
        pending = PendingAct.objects.create(
            agency=officer.agency,
            act=act,
            content=frozen,
            digest=sha256(frozen),
            reason=reason[:200],
            requested_by=officer,
            requested_at=now,
            expires_at=now + LIFE,
        )
        record_act(
            agency=officer.agency,
            officer=officer,
            act=act,
            object=f"pending={pending.pk}",
            outcome="requested",
            detail={"digest": sha256(frozen).hex()},
        )
    return pending
