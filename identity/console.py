"""The operators' console: how records get from this node to the ledger. No personal data is on it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gov_chain.ledger import condition
from identity.officers import officer_may


@require_safe
@officer_may("ledger-console.read")
def console(request: HttpRequest) -> HttpResponse:
    return render(request, "ledger/console.html", _context())


@require_safe
@officer_may("ledger-console.read")
def state(request: HttpRequest) -> HttpResponse:
    """The part that changes."""
    return render(request, "ledger/_console.html", _context())


def _context() -> dict[str, object]:
    backlog = condition.backlog()
    head = condition.head()
    witnesses = condition.witnesses()
    return {
        "backlog": backlog,
        "overdue": backlog.oldest > condition.OVERDUE,
        "aside": condition.set_aside(),
        "held": condition.held_back(),
        "undelivered": condition.undelivered(),
        "head": head,
        "clock_wrong": head.ahead > condition.CLOCK_SKEW,
        "witnesses": witnesses,
        "contradicted": any(each.alarm for each in witnesses),
    }
