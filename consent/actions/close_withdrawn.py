"""A withdrawn grant closes at once what stands open under it: the ledger's word is enough, no clock is waited for.

    at the asker       the opened claims are wiped, and whoever looks at the page is told
    at the recorder    the one-time key is destroyed: nobody can open the locked answer any more

The node that recorded the withdrawal hears of it from its relay (`on_withdrawal`), any other one from the ledger
(`on_entry`). What came while it was down is found before any page that could show a claim, every 15 seconds
(`close_withdrawn`), and at start (`forget_keys`).
"""

from __future__ import annotations

from consent import live, registry
from consent.models import Grant, PresentationRequest, PresentationResponse
from gov_chain import clock
from gov_chain.core.codec import sha256
from gov_chain.ledger import relay
from gov_chain.ledger.standing import LogRow

SUBJECT = "ledger.withdrawal"


def close_withdrawn() -> int:
    """Wipe every open claim whose grant the ledger has as withdrawn; how many."""
    now = clock.now()
    closed = 0
    still_open = PresentationResponse.objects.filter(claims_sealed__isnull=False, handle__isnull=False)
    for response in still_open.select_related("request").only("handle", "request"):
        if registry.standing(bytes(response.handle or b""), now=now).withdrawn:
            closed += PresentationResponse.objects.filter(pk=response.pk).update(claims_sealed=None)
            live.announce(response.request)
    return closed


def forget_keys() -> None:
    """Destroy the one-time keys of grants that the ledger has as withdrawn."""
    now = clock.now()
    for grant in Grant.objects.filter(one_time_key_sealed__isnull=False, not_after__gte=now).only("handle"):
        if registry.standing(bytes(grant.handle), now=now).withdrawn:
            Grant.objects.filter(pk=grant.pk).update(one_time_key_sealed=None)


def on_withdrawal(outcome: relay.Outcome) -> None:
    """A withdrawal this node carried has been decided. Repeatable."""
    if outcome.state != "final":
        return
    _close(registry.granted_at(int(outcome.subject.partition(":")[2])))


def on_entry(row: LogRow) -> None:
    """A withdrawal came onto the ledger, through whichever node."""
    _close(sha256(row.entry.values["secret"]))


def _close(handle: bytes) -> None:
    Grant.objects.filter(handle=handle).update(one_time_key_sealed=None)
    close_withdrawn()
    for request in PresentationRequest.objects.filter(response__handle=handle):
        # Also where nothing was open any more: the page offers no further look from now on.
        live.announce(request)
