"""How sure the home agency is who holds a phone, and what a real-name check has to offer to be one.

A check looks at a person and says how sure it is: an officer with the identity card before them, a face
compared by a service, a bank that knows its customer. `identity.assurance` holds those this node may use. A
check never says more than its own `level`, and a phone is never bound at more than its check said.

Levels are three, aligned with those of eIDAS (Regulation (EU) No 910/2014, Article 8): low, substantial, high.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Level(enum.IntEnum):
    LOW = 1
    SUBSTANTIAL = 2
    HIGH = 3


WORDS = {
    Level.LOW: ("低", "Low"),
    Level.SUBSTANTIAL: ("中", "Substantial"),
    Level.HIGH: ("高", "High"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Who the person says they are: what a check compares with."""

    name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A person was found to be who they say, by the check called `check`, this surely."""

    check: str
    level: Level


class NotVerifiedError(Exception):
    """The check ran, and the person is not shown to be the subject. Its text names no person."""


class Check(Protocol):
    """One way of checking. `verify` may ask a service; it is called outside any database transaction."""

    @property
    def id(self) -> str:
        """Stored with each binding: at most 20 letters, digits and hyphens; never reused for another check."""

    @property
    def words(self) -> tuple[str, str]:
        """What it does, in Chinese and English: an officer chooses by it, the citizen reads it in the wallet."""

    @property
    def level(self) -> Level: ...

    @property
    def demonstration(self) -> bool:
        """It checks nothing and says so; a production node refuses it."""

    def verify(self, subject: Subject, evidence: Mapping[str, str]) -> None:
        """Return if the evidence shows that the person is `subject`; raise `NotVerifiedError` otherwise."""
