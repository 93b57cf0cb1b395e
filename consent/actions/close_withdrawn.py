"""A withdrawn grant closes at once what stands open under it: the ledger's word is enough, no clock is waited for.

    at the asker       the opened claims are wiped, and whoever looks at the page is told
    at the recorder    the one-time key is destroyed: nobody can open the locked answer any more

The node that recorded the withdrawal hears of it from its relay (`on_withdrawal`). Another one finds it on the ledger
(`close_withdrawn`): before any page that could show a claim, and every 15 seconds.
"""

from __future__ import annotations

from consent import live, registry
from consent.models import Grant, PresentationRequest, PresentationResponse
from gov_chain import clock
from gov_chain.ledger import relay

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


def on_withdrawal(outcome: relay.Outcome) -> None:
    """A withdrawal this node carried has been decided. Repeatable."""
    if outcome.state != "final":
        return
    handle = registry.granted_at(int(outcome.subject.partition(":")[2]))
    Grant.objects.filter(handle=handle).update(one_time_key_sealed=None)
    close_withdrawn()
    for request in PresentationRequest.objects.filter(response__handle=handle):
        # Also where nothing was open any more: the page offers no further look from now on.
        live.announce(request)
