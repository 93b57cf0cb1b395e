"""Withdraw a mandate: it counts for nothing from now on, and every grant made under it is withdrawn on the ledger.

1. the mandate's row says withdrawn: durable, and no new use passes (`use_mandate`, `confirm_mandate`); in the same
   transaction its certificates are on their way to being revoked, for whoever goes by the status list alone
2. each grant under it is withdrawn, one record each. A crash in between leaves some live; the same request goes on from
   there. A grant that is not on the ledger yet is found by the confirmation that must follow it
"""

from __future__ import annotations

from django.db import transaction

from certificates.actions.change_status import change_status
from certificates.actions.use_mandate import secret_context
from certificates.models import Certificate, Mandate
from gov_chain import clock
from gov_chain.ledger.actions.withdraw_grant import withdraw_grant
from gov_chain.ledger.core.errors import LedgerError
from identity import agencies

_NOTHING_LEFT = ("grant-unknown", "grant-withdrawn")


def withdraw_mandate(*, mandate: Mandate) -> int:
    """How many grants were withdrawn with it. Repeatable."""
    with transaction.atomic():
        Mandate.objects.filter(pk=mandate.pk, state=Mandate.State.LIVE).update(
            state=Mandate.State.WITHDRAWN, withdrawn_at=clock.now()
        )
        revoke_certificates(mandate)
    closed = 0
    for use in mandate.uses.all():
        handle = bytes(use.handle)
        secret = agencies.sealer(mandate.agency).open(bytes(use.secret_sealed), secret_context(handle))
        try:
            withdraw_grant(secret=secret)
        except LedgerError as error:
            if error.code not in _NOTHING_LEFT:
                raise
        else:
            closed += 1
    return closed


def revoke_certificates(mandate: Mandate) -> None:
    """Those that live and are not already on their way; one still being anchored follows when it is. Repeatable."""
    living = Certificate.objects.filter(row=mandate.row_id, state__in=("active", "suspended"), waiting="")
    if certificates := list(living):
        change_status(agency=mandate.agency, certificates=certificates, act="revoke", reason="withdrawn")
