"""The life of an answered presentation request: one table, read by code and by the documentation.

    received    the locked answer is stored; nothing about it is on the ledger yet or known to be
    granted     the grant is on the ledger; the usage record is on its way
    used        the usage record is final: only now may anything be unlocked
    released    the home agency gave the one-time key (or the node's own lock was lifted)
    opened      verified; the claims are readable for the visible window
    failed      unlocked, but not what was asked for: no claims are kept
    refused     the ledger or the home agency said no: nothing was unlocked

`look_again` leads from an ended life back to `granted`: a further look is a further use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECEIVED: Final = "received"
GRANTED: Final = "granted"
USED: Final = "used"
RELEASED: Final = "released"
OPENED: Final = "opened"
FAILED: Final = "failed"
REFUSED: Final = "refused"

STATES: Final = (RECEIVED, GRANTED, USED, RELEASED, OPENED, FAILED, REFUSED)


@dataclass(frozen=True, slots=True)
class Step:
    event: str
    before: str
    after: str


TABLE: Final = (
    Step("grant", RECEIVED, GRANTED),
    Step("refuse", RECEIVED, REFUSED),
    Step("use", GRANTED, USED),
    Step("refuse", GRANTED, REFUSED),
    Step("release", USED, RELEASED),
    Step("refuse", USED, REFUSED),
    Step("refuse", RELEASED, REFUSED),
    Step("open", RELEASED, OPENED),
    Step("fail", RELEASED, FAILED),
    Step("look_again", OPENED, GRANTED),
    Step("look_again", REFUSED, GRANTED),
)


def sources(event: str) -> tuple[str, ...]:
    """The states `event` may happen in; raises KeyError for an event the table does not know."""
    found = tuple(step.before for step in TABLE if step.event == event)
    if not found:
        raise KeyError(event)
    return found


def target(event: str) -> str:
    """The state after `event`; raises KeyError for an event the table does not know."""
    for step in TABLE:
        if step.event == event:
            return step.after
    raise KeyError(event)
