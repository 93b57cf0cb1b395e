"""A second officer of the same agency approves a waiting act: it is executed, once, in this very transaction."""

from __future__ import annotations

from django.db import transaction

from gov_chain import clock
from gov_chain.core.codec import sha256
from gov_chain.core.errors import GovChainError
from identity import acts, approvals
from identity.actions.record_act import record_act
from identity.core import permissions
from identity.errors import IdentityError
from identity.models import Officer, PendingAct

KEEP_FILE = 7 * 86400


def approve_act(*, officer: Officer, pending: PendingAct, digest: bytes) -> PendingAct:
    """The act, done or failed. `digest` is of the content the approver was shown.

    Raises `IdentityError`: role-missing, pending-unknown, pending-own, pending-decided, pending-expired,
    pending-changed, requester-gone; then nothing was done.
    """
    approvals.check_decider(officer, pending)
    if not (digest == bytes(pending.digest) == sha256(bytes(pending.content))):
        raise IdentityError("pending-changed")
    requester = pending.requested_by
    if not requester.is_active or not permissions.may(requester.role_names, pending.act):
        raise IdentityError("requester-gone")
    registered = acts.registered(pending.act)
    if registered is None:
        raise IdentityError("pending-unknown")
    with transaction.atomic():
        # The first of two approvers who press at once; the other finds it decided.
        approvals.decide(officer, pending, PendingAct.State.DONE)
        try:
            with transaction.atomic():
                executed = registered.execute(pending, acts.content_of(pending))
        except GovChainError as error:
            pending.state, pending.failure = PendingAct.State.FAILED, error.code
            executed = acts.Executed()
        pending.result = executed.result
        if executed.file is not None:
            pending.file, pending.file_name = executed.file.body, executed.file.name
            pending.erase_at = clock.now() + KEEP_FILE
        pending.save()
        about = f"pending={pending.pk}"
        record_act(agency=pending.agency, officer=officer, act="approvals.decide", object=about, outcome="approved")
        record_act(
            agency=pending.agency,
            officer=requester,
            act=pending.act,
            object=about,
            outcome=pending.failure or "done",
            detail={"digest": digest.hex(), "approved_by": officer.pk, "result": executed.result},
        )
    # Durable: approved, executed and written down, or none of it.
    return pending
