"""A home officer withdraws a citizen's grants, one or all, because the citizen asks and has been checked.

For a lost phone: besides the phone, the home agency has each grant's secret, sealed under the citizen's data key since
the grant was recorded. Each withdrawal is a record of its own; a crash in between leaves the rest live, and the same
request goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection

from consent import citizen_grants
from consent.core.errors import ConsentError
from gov_chain.ledger.actions.withdraw_grant import withdraw_grant
from gov_chain.ledger.core.errors import LedgerError
from identity.models import Citizen


def withdraw_for_citizen(*, citizen: Citizen, which: Collection[int] | None) -> int:
    """Withdraw the grants with these keys, or all (None); how many were withdrawn now.

    Raises `ConsentError` grant-not-theirs before anything is written.
    """
    known = {grant.pk: grant for grant in citizen_grants.of_citizen(citizen)}
    if which is not None and not set(which) <= known.keys():
        raise ConsentError("grant-not-theirs")
    wanted = [grant for pk, grant in known.items() if (which is None or pk in which) and grant.withdrawable]
    done = 0
    for grant in wanted:
        try:
            withdraw_grant(secret=citizen_grants.secret_of(citizen, grant.pk) or b"")
        except LedgerError as error:
            if error.code != "grant-withdrawn":  # the citizen was quicker
                raise
        else:
            done += 1
    return done
