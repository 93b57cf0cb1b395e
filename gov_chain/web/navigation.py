"""The top navigation: the rooms of the house, shown to those who may enter. Who may, the app that knows people says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from gov_chain.web.language import pick


@dataclass(frozen=True, slots=True)
class Room:
    path: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    text: str
    current: bool


Rooms = Callable[[Any], Iterable[Room]]
_rooms: list[Rooms] = []


def register(rooms: Rooms) -> None:
    """`rooms(user)` are those a logged-in person may enter; in AppConfig.ready()."""
    if rooms not in _rooms:
        _rooms.append(rooms)


def entries(request: HttpRequest) -> list[Entry]:
    """The rooms this person may enter; nothing for visitors."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return [
        Entry(room.path, pick(room.zh, room.en), request.path.startswith(room.path))
        for rooms in _rooms
        for room in rooms(user)
    ]
