"""A further look at a presentation is a further use: a new record, a new release, the same locked answer."""

from __future__ import annotations

from django.db import transaction

from consent import live
from consent.actions.record_usage import record_usage
from consent.core import lifecycle
from consent.core.errors import ConsentError
from consent.models import PresentationResponse, Usage
from identity.models import Officer


def look_again(*, response: PresentationResponse, officer: Officer) -> Usage:
    """The pending usage. Raises `ConsentError` presentation-erased or presentation-busy.

    Whether the grant is still live is the ledger's to say; its refusal shows on the page.
    """
    first = response.usages.order_by("id").first()
    if not response.ciphertext or first is None:
        raise ConsentError("presentation-erased")
    with transaction.atomic():
        moved = PresentationResponse.objects.filter(pk=response.pk, state__in=lifecycle.sources("look_again")).update(
            state=lifecycle.target("look_again"), claims_sealed=None, visible_until=None, report=None, refusal=""
        )
        if not moved:
            raise ConsentError("presentation-busy")
        response.refresh_from_db()
        usage = record_usage(response=response, masks=first.masks, officer=officer)
    live.announce(response.request)
    return usage
