"""Governance as people speak of it: which officer may, and an action written with names, days and times.

Who may propose and vote on what stands in `identity.core.permissions`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from gov_chain.ledger import node, timeline
from gov_chain.ledger.core import proposals
from gov_chain.ledger.core.shapes import Shape, Uint
from gov_chain.ledger.explorer.facts import action as in_words
from gov_chain.ledger.explorer.names import Names
from identity import applications, officers
from identity.core import permissions
from identity.errors import IdentityError
from identity.models import Agency, Officer

APPLICATIONS = frozenset({proposals.ENROL, proposals.ROTATE})
"""Actions that come as a file (`applications`)."""

DAY = 86400
LIFE = 7 * DAY


def authorise(officer: Officer, action: int) -> None:
    """Whether the officer may put this kind of action to the vote, or vote on it, for their agency: the rows
    `governance.…` of `core.permissions`. Raises `IdentityError`: role-missing, agency-unknown (it is not this node's).
    """
    officers.authorise(officer, permissions.governance_act(proposals.ACTIONS[action].name))


def number_of(kind: str) -> int:
    """The number of an action by its name; raises `IdentityError("proposal-kind-unknown")`."""
    for number, action in proposals.ACTIONS.items():
        if action.name == kind:
            return number
    raise IdentityError("proposal-kind-unknown", kinds=", ".join(each.name for each in proposals.ACTIONS.values()))


class FieldWrongError(IdentityError):
    """A field of an action that cannot be read; `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__("proposal-field-wrong", field=field)
        self.field = field


def action_of(kind: int, given: Mapping[str, str]) -> list[Any]:
    """The action out of what people wrote: an agency by short name or number, `home` for a citizens' home, `30d`,
    a date and time for an entry. Raises `FieldWrongError`, or what `applications.read` raises."""
    if kind in APPLICATIONS:
        application = applications.read(given.get("application", ""))
        if application.enrolment != (kind == proposals.ENROL):
            raise FieldWrongError("application")
        return application.action
    fields = proposals.ACTIONS[kind].fields
    for name in given:
        if name not in [field for field, _ in fields]:
            raise FieldWrongError(name)
    return [kind, *(_value(name, shape, given.get(name, "").strip()) for name, shape in fields)]


def _value(name: str, shape: Shape, text: str) -> Any:
    try:
        value = _READ[name](text) if name in _READ else int(text) if isinstance(shape, Uint) else bytes.fromhex(text)
    except ValueError as error:
        raise FieldWrongError(name) from error
    if not shape.fits(value):
        raise FieldWrongError(name)
    return value


def _agency(text: str) -> int:
    known = Agency.objects.filter(slug=text).values_list("number", flat=True).first()
    return int(text) if known is None else int(known)


def _type(text: str) -> int:
    return proposals.HOME if text == "home" else int(text)


def _duration(text: str) -> int:
    return int(text[:-1]) * DAY if text.endswith("d") else int(text)


def _parameter(text: str) -> int:
    return next((number for number, row in proposals.PARAMETERS.items() if row.name == text), None) or int(text)


def entry_of(text: str) -> int:
    """An entry's number, or the first entry at or after a date and time (in the node's zone unless it says another).

    Raises `ValueError`.
    """
    if re.fullmatch("[0-9]{1,12}", text, re.ASCII):
        return int(text)
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = timezone.make_aware(moment)
    # Nothing before the first record can be void: entry 0 is nobody's word.
    return max(timeline.first_from(node.ledger(), int(moment.timestamp())), 1)


_READ: Mapping[str, Callable[[str], int]] = {
    "agency": _agency,
    "type": _type,
    "max_concealment": _duration,
    "parameter": _parameter,
    "since": entry_of,
}


def sentence(action: Sequence[Any]) -> tuple[str, str]:
    """What an action does, in Chinese and English, with the names this node knows."""
    pair = in_words({"action": action}, Names(node.ledger()))
    return pair["zh"], pair["en"]
