"""The ledger has decided about a use: note it, then open. Called by the relay, at least once, repeatable."""

from __future__ import annotations

from django.db import transaction

from consent import live
from consent.actions.erase_expired import erase_expired
from consent.actions.open_presentation import open_presentation
from consent.core import lifecycle
from consent.models import PresentationResponse, Usage
from gov_chain.ledger import relay


def settle_usage(*, outcome: relay.Outcome) -> None:
    """granted → used (and on to opened), or → refused with the ledger's code."""
    erase_expired()
    pk = int(outcome.subject.partition(":")[2])
    if outcome.state == "final":
        with transaction.atomic():
            final = Usage.objects.filter(pk=pk, state=Usage.State.PENDING).update(
                state=Usage.State.FINAL, index=outcome.index, receipt=outcome.receipt
            )
            if final:
                _move(pk, "use")
        # Durable: the use is noted. A crash here: the outcome comes again and opening goes on below.
    elif outcome.state == "refused":
        with transaction.atomic():
            if Usage.objects.filter(pk=pk, state=Usage.State.PENDING).update(
                state=Usage.State.REFUSED, refusal=outcome.code
            ):
                _move(pk, "refuse", refusal=outcome.code)
    usage = Usage.objects.select_related("response__request__agency", "response__request__matter").get(pk=pk)
    live.announce(usage.response.request)
    latest = usage.response.usages.order_by("-id").first()
    if latest is not None and latest.pk == usage.pk:
        open_presentation(usage=usage)


def _move(usage: int, event: str, **values: str) -> None:
    PresentationResponse.objects.filter(usages=usage, state=lifecycle.GRANTED).update(
        state=lifecycle.target(event), **values
    )
