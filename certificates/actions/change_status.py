"""Suspend, reinstate, revoke or replace certificates: all of them or none. In effect once the ledger has the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from certificates.actions.publish_status import publish_status
from certificates.core import lifecycle
from certificates.core.errors import CertificateError
from certificates.models import Certificate
from identity.models import Agency

MAX_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Changed:
    count: int
    outbox_ids: tuple[int, ...]
    """Of the versions that set out at once; others follow those on their way."""


def change_status(*, agency: Agency, certificates: Sequence[Certificate], act: str, reason: str = "") -> Changed:
    """Do `act` of the lifecycle's status acts to certificates of `agency`.

    Raises `CertificateError`: act-unknown, reason-unknown, certificate-foreign, act-not-permitted (in its present
    state, or while an earlier act waits for the ledger); nothing is changed then.
    """
    known = lifecycle.ACTS.get(act)
    if known is None or known.record != "status":
        raise CertificateError("act-unknown")
    if (known.reason or reason) and reason not in lifecycle.REASONS:
        raise CertificateError("reason-unknown")
    keys = {certificate.pk for certificate in certificates}
    if not 0 < len(keys) <= MAX_AT_ONCE:
        raise CertificateError("act-not-permitted", act=known.zh, state="")
    with transaction.atomic():
        rows = list(Certificate.objects.select_for_update().filter(pk__in=keys).select_related("status_list__agency"))
        if len(rows) != len(keys) or any(row.agency_id != agency.pk for row in rows):
            raise CertificateError("certificate-foreign")
        for row in rows:
            if row.waiting or row.status_list is None or not lifecycle.permitted(act, lifecycle.State(row.state)):
                raise CertificateError("act-not-permitted", act=known.zh, state=row.get_state_display())
        # Durable together with the list's next version, or with its wait for the one on its way.
        Certificate.objects.filter(pk__in=keys).update(waiting=act, waiting_version=None, reason=reason)
        lists = {row.status_list.pk: row.status_list for row in rows if row.status_list is not None}
        sent = [publish_status(each) for each in lists.values()]
    return Changed(len(rows), tuple(each for each in sent if each is not None))
