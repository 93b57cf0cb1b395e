"""Send a status list's next version to the ledger, with all that waits for it. One version at a time is on its way."""

from __future__ import annotations

from django.db import transaction

from certificates import status_lists
from certificates.models import Certificate, StatusList
from gov_chain.ledger import documents, outbox
from gov_chain.ledger.core import records


def publish_status(row: StatusList) -> int | None:
    """Compose the next version; the outbox row, or None while another is on its way or there is nothing to say.

    Call it inside the transaction of what it is for.
    """
    locked = StatusList.objects.select_for_update().get(pk=row.pk)
    if locked.pending_digest is not None:
        return None
    entries = status_lists.statuses(locked)
    waiting = status_lists.with_waiting(locked, entries)
    if not waiting and locked.version:
        return None
    version = locked.version + 1
    locked.pending_digest = documents.publish(status_lists.document(locked, version, entries))
    locked.save(update_fields=["pending_digest"])
    Certificate.objects.filter(pk__in=[certificate.pk for certificate in waiting]).update(waiting_version=version)
    record = records.status(
        type=locked.type_number, list=locked.number, version=version, digest=bytes(locked.pending_digest)
    )
    return outbox.enqueue(agency=locked.agency_id, record=record, subject=f"certificates.status:{locked.pk}")


def settle_status(pk: int, *, final: bool) -> list[Certificate]:
    """What the ledger decided about the version on its way; the certificates it concerned. Called at least once.

    Final: the entries, the list's version and the certificates' states change together. Refused: the certificates are
    as they were. Either way the next version sets out if something waits.
    """
    with transaction.atomic():
        locked = StatusList.objects.select_for_update().get(pk=pk)
        if locked.pending_digest is None:
            return []
        version = locked.version + 1
        carried = list(locked.certificates.select_for_update().filter(waiting_version=version))
        if final:
            entries = status_lists.statuses(locked)
            for certificate in carried:
                assert certificate.status_index is not None
                entries.put(status_lists.STATUS_AFTER[certificate.waiting], [certificate.status_index])
                certificate.state = _TARGETS[certificate.waiting]
            locked.version, locked.digest = version, locked.pending_digest
            locked.revoked, locked.suspended = bytes(entries.revoked), bytes(entries.suspended)
        for certificate in carried:
            certificate.waiting, certificate.waiting_version = "", None
        Certificate.objects.bulk_update(carried, ["state", "waiting", "waiting_version"], batch_size=500)
        locked.pending_digest = None
        locked.save()
        if final:
            publish_status(locked)
    return carried


_TARGETS = {
    "suspend": Certificate.State.SUSPENDED,
    "reinstate": Certificate.State.ACTIVE,
    "revoke": Certificate.State.REVOKED,
    "replace": Certificate.State.REPLACED,
}
